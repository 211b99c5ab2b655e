//! Where requests come in: those for the API go straight to it, all others may also be for the dashboard.

use std::convert::Infallible;
use std::task::{Context, Poll};

use api::Front;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::Service;

use crate::dashboard;

/// What every path of the API begins with but a few, in the form that clients send.
const API: &str = "/v1/";

/// The API and the dashboard.
#[derive(Clone)]
pub struct Entrance {
    api: Front,
    all: Router,
}

impl Entrance {
    /// The API, and before it the dashboard of a server with this URL.
    pub fn new(api: Front, public_url: &str) -> Self {
        let all = Router::new().fallback_service(api.clone());
        let all = dashboard::before(all, public_url);
        Self { api, all }
    }
}

impl Service<Request> for Entrance {
    type Response = Response;
    type Error = Infallible;
    type Future = <Front as Service<Request>>::Future;

    /// It is always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.uri().path().starts_with(API) {
            return self.api.call(request);
        }
        Box::pin(self.all.call(request))
    }
}

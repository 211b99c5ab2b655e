//! The list of routes as the nouns fill it, and what becomes of requests that none of them takes.

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::{HeaderName, Method, StatusCode, header};
use tower_http::cors::{AllowMethods, Any, CorsLayer};

use crate::front::{Front, Paths};
use crate::{Api, health};

/// Routes so far.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<Api>,
    paths: Vec<&'static str>,
}

impl Routes {
    /// Adds a path, its words in lower case, with what its methods do.
    pub(crate) fn on(mut self, path: &'static str, methods: MethodRouter<Api>) -> Self {
        self.router = self.router.route(path, methods);
        self.paths.push(path);
        self
    }

    /// The whole server.
    pub(crate) fn finish(self, api: Api) -> Router {
        let router = self
            .router
            .fallback(unknown)
            .method_not_allowed_fallback(wrong_method)
            .layer(cors())
            .route(health::PATH, health::routes().fallback(wrong_method));
        let mut paths = self.paths;
        paths.push(health::PATH);
        let front = Front::new(
            router.with_state(api.clone()),
            Paths::new(&paths),
            api.options,
        );
        Router::new().fallback_service(front)
    }
}

/// Any page may call: who may do what is decided by keys that only the caller has.
fn cors() -> CorsLayer {
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let nothing: [HeaderName; 0] = [];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_headers(Any)
        .allow_methods(AllowMethods::list(methods))
        .expose_headers(Any)
        .vary(nothing)
}

/// No route has this path. The reference has a page for every path, so `GET` finds nothing there
/// and other methods are not allowed.
async fn unknown(method: Method) -> Response {
    match method {
        Method::GET | Method::HEAD => (StatusCode::NOT_FOUND, "Not Found").into_response(),
        _ => {
            let allow = [(header::ALLOW, "GET, HEAD")];
            (StatusCode::METHOD_NOT_ALLOWED, allow, "Method Not Allowed").into_response()
        }
    }
}

/// The path has routes, for other methods; which, the router adds.
async fn wrong_method() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

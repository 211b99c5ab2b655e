//! Whether the server works, for load balancers. Public.

use axum::extract::State;
use axum::routing::{MethodRouter, get};
use gateway::Gateway;
use http::StatusCode;

use crate::Api;
use crate::reference::Doc;

pub(crate) const PATH: &str = "/health";

pub(crate) fn routes() -> MethodRouter<Api> {
    get(health)
}

pub(crate) fn doc() -> Doc {
    Doc::public("getHealth", "Whether the server works, for load balancers")
        .text("text/plain; charset=utf-8", "It does.")
        .away("text/plain; charset=utf-8", "The database does not answer.")
}

async fn health(State(gateway): State<Gateway>) -> (StatusCode, &'static str) {
    match gateway.ping().await {
        Ok(()) => (StatusCode::OK, "OK"),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
            )
        }
    }
}

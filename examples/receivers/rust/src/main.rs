//! Receives webhooks of httpsms with axum.
//!
//! ```sh
//! HTTPSMS_WEBHOOK_SIGNING_KEY='...' cargo run
//! ```
//!
//! `HTTPSMS_VERIFY` says by what a request is known: `standard`, the headers of Standard Webhooks
//! (default), or `jwt`, the token in `Authorization`. `HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT` is a second
//! key that is right too, while a new one takes over. `HOST` and `PORT` say where to listen:
//! 127.0.0.1 and 9000.

mod inbox;
mod verify;

use std::env;
use std::io::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;

use crate::inbox::{Full, Inbox};
use crate::verify::Verify;

/// What every request carries, a `CloudEvent`. Its `data` depends on its type.
#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    pub r#type: String,
}

/// Your work. It may take its time: the answer has left.
async fn handle(event: Event) {
    println!("{} {}", event.r#type, event.id);
}

struct Receiver {
    verify: Verify,
    inbox: Inbox,
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if let Err(reason) = receiver.verify.check(&headers, &body) {
        eprintln!("refused: {reason}");
        return (StatusCode::UNAUTHORIZED, "unauthorized");
    }
    let Ok(event) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "not an event");
    };
    match receiver.inbox.take(event) {
        Ok(true) => (StatusCode::OK, "taken"),
        Ok(false) => (StatusCode::OK, "known"),
        Err(Full) => (StatusCode::SERVICE_UNAVAILABLE, "try again"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let names = [
        "HTTPSMS_WEBHOOK_SIGNING_KEY",
        "HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT",
    ];
    let keys: Vec<_> = names.into_iter().filter_map(setting).collect();
    let by = setting("HTTPSMS_VERIFY").unwrap_or_else(|| "standard".to_owned());
    let verify = Verify::new(&by, &keys).map_err(Error::other)?;
    let (inbox, mut waiting) = Inbox::new();
    tokio::spawn(async move {
        while let Some(event) = waiting.recv().await {
            handle(event).await;
        }
    });

    let app = Router::new()
        .route("/webhook", post(receive))
        .layer(DefaultBodyLimit::max(1 << 20))
        .with_state(Arc::new(Receiver { verify, inbox }));
    let host = setting("HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = setting("PORT").unwrap_or_else(|| "9000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

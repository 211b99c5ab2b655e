//! `httpsms webhook listen`: a webhook receiver in the terminal. It prints every event that comes
//! and says whether its token is genuine.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::cli::Listen;
use crate::{screen, signals};

/// Whom the tokens are from, by the protocol.
const ISSUER: &str = "api.httpsms.com";

/// Receives until a signal.
pub async fn listen(options: Listen) -> Result<()> {
    let stop = signals::stop()?;
    let listener = TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    screen::line(format!(
        "waiting for events on http://{}",
        listener.local_addr()?
    ));
    let key = options
        .signing_key
        .map(|key| DecodingKey::from_secret(key.reveal().as_bytes()));
    let receiver = Router::new()
        .fallback(receive)
        .with_state((Arc::new(key), options.status));
    axum::serve(listener, receiver)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
        .context("the receiver failed")
}

async fn receive(
    State((key, status)): State<(Arc<Option<DecodingKey>>, StatusCode)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let token = key
        .as_ref()
        .as_ref()
        .map_or("not checked", |key| judge(key, &headers));
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    screen::line(format!(
        "{} {} token {token} {}",
        text(&event["time"]),
        text(&event["type"]),
        event["data"]
    ));
    status
}

fn judge(key: &DecodingKey, headers: &HeaderMap) -> &'static str {
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(token) = token else { return "missing" };
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[ISSUER]);
    // The audience is the URL that the webhook was made with, which may not be how we were reached.
    rules.validate_aud = false;
    match decode::<Value>(token, key, &rules) {
        Ok(_) => "genuine",
        Err(_) => "NOT GENUINE",
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

//! The connections of this process: one pool, shared by all its phones.
//! Turns answers that are no success into typed errors, and reads bodies up to a limit.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;
use crate::wire::{Complaint, Envelope};

/// The Android app gives up on a connection or an answer after this time (the phone protocol §3).
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
const MAX_COMPLAINT_CHARS: usize = 300;

/// Without a bound, a thousand phones that all have something to say would open ten thousand
/// connections, and the pool would be busy with itself.
const LANES: usize = 256;

/// A connection pool; clones share it. It goes straight to the server: proxies named in the
/// environment are not used. A few hundred requests are under way at a time, besides the polls.
#[derive(Clone, Debug)]
pub struct Transport {
    pub(crate) http: reqwest::Client,
    lanes: Arc<Semaphore>,
}

impl Transport {
    /// Make one per process.
    pub fn new() -> Result<Self, Error> {
        // A followed redirect would carry the API key to another host, and turn PUT into GET.
        let built = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .tcp_keepalive(KEEPALIVE)
            .build();
        let http = built.map_err(|error| {
            Error::setting(format!("no HTTPS with the certificates here: {error}"))
        })?;
        let lanes = Arc::new(Semaphore::new(LANES));
        Ok(Self { http, lanes })
    }

    /// A place among the requests under way, to be held until the answer is read.
    pub(crate) async fn lane(&self) -> Option<SemaphorePermit<'_>> {
        self.lanes.acquire().await.ok()
    }
}

/// Sends, and sorts the answer: a success comes back, anything else is an error.
pub(crate) async fn answer(request: RequestBuilder) -> Result<Response, Error> {
    // Boxed, so that a message that waits for its latency does not keep room for a request.
    let sent = Box::pin(request.send()).await;
    let response = sent.map_err(|error| Error::unreachable(&error))?;
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED => {
            drain(response).await;
            Err(Error::Unauthorized)
        }
        StatusCode::NOT_FOUND => Err(Error::NotFound(complaint(response).await)),
        status if status.is_redirection() => Err(Error::Refused {
            status: status.as_u16(),
            message: moved(&response),
        }),
        status => Err(Error::Refused {
            status: status.as_u16(),
            message: complaint(response).await,
        }),
    }
}

/// The `data` of an envelope.
pub(crate) async fn data<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let body = read(response, MAX_ANSWER_BYTES).await?;
    serde_json::from_slice::<Envelope<T>>(&body)
        .map(|envelope| envelope.data)
        .map_err(|error| Error::Garbled(error.to_string()))
}

/// Reads a body nobody needs: only a connection that was read to its end is used again.
pub(crate) async fn drain(response: Response) {
    let _ = read(response, MAX_ANSWER_BYTES).await;
}

/// The whole body, or an error when it is longer than `limit` bytes.
pub(crate) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let announced = response.content_length().unwrap_or(0);
    let mut body = Vec::with_capacity(limit.min(announced as usize));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Error::unreachable(&error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(Error::Garbled(format!("it is longer than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The server's words about a refusal, with the texts of its fields.
async fn complaint(response: Response) -> String {
    let reason = response.status().canonical_reason().unwrap_or("no reason");
    let body = read(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
    let words = match serde_json::from_slice::<Complaint>(&body) {
        Ok(complaint) => spell_out(&complaint),
        Err(_) => reason.to_owned(),
    };
    words.chars().take(MAX_COMPLAINT_CHARS).collect()
}

fn spell_out(complaint: &Complaint) -> String {
    let mut words = complaint.message.clone();
    let fields = complaint.data.as_ref().and_then(|data| data.as_object());
    for (field, texts) in fields.into_iter().flatten() {
        for text in texts.as_array().into_iter().flatten() {
            let text = text.as_str().unwrap_or_default();
            // Writing into a String cannot fail.
            let _ = write!(words, "; {field}: {text}");
        }
    }
    words
}

fn moved(response: &Response) -> String {
    let target = response.headers().get(header::LOCATION);
    match target.and_then(|value| value.to_str().ok()) {
        Some(target) => format!("it moved to {target}, use that address"),
        None => "it moved, but does not say where".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, spell_out};

    #[test]
    fn a_refusal_names_the_fields() {
        let complaint: Complaint = serde_json::from_str(
            r#"{"status":"error","message":"validation errors","data":{"to":["is no number","is empty"]}}"#,
        )
        .unwrap();
        let words = spell_out(&complaint);
        assert_eq!(words, "validation errors; to: is no number; to: is empty");
    }

    #[test]
    fn a_refusal_without_fields_is_its_message() {
        for data in ["null", "\"text\"", "[1]", "{}"] {
            let body = format!(r#"{{"status":"error","message":"no","data":{data}}}"#);
            let complaint: Complaint = serde_json::from_str(&body).unwrap();
            assert_eq!(spell_out(&complaint), "no");
        }
    }
}

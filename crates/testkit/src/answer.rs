//! An HTTP answer read to its end, and what a test asks of it.
//! It knows the envelope of the API: `data`, `message`, and the field errors of a 422.

use bytes::Bytes;
use http::HeaderMap;
use reqwest::RequestBuilder;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Bytes,
    /// The body as JSON; null when it is not JSON.
    pub body: Value,
    /// The path of the request, for the words of a failure.
    path: String,
}

impl Answer {
    /// Sends the request and reads the whole answer; an error when there is none.
    pub async fn to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let path = response.url().path().to_owned();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Self {
            status,
            headers,
            bytes,
            body,
            path,
        })
    }

    /// Panics with the body unless the status is this one.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "often the check is all that is wanted"
    )]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(
            self.status == status,
            "{}: wanted {status}, got {}: {}",
            self.path,
            self.status,
            self.text()
        );
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header's text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `data` of the envelope; null when absent.
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// `data` of the envelope, to keep.
    pub fn into_data(mut self) -> Value {
        self.body["data"].take()
    }

    /// `message` of the envelope; empty when absent.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// What a 422 says about one field, in order; empty when it says nothing.
    pub fn field_errors(&self, field: &str) -> Vec<&str> {
        let errors = self.data()[field].as_array();
        errors
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

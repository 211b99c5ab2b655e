//! Reading a request's body: only JSON, and never more than the limit.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::LengthLimitError;

use crate::Api;
use crate::error::Error;
use crate::json::Members;

/// A body that says it is JSON.
pub(crate) struct JsonBody(Bytes);

impl JsonBody {
    /// Reads it as an object.
    pub(crate) fn members(&self) -> Result<Members<'_>, Error> {
        Members::parse(&self.0)
    }

    /// As it came, with a replacement for what is no UTF-8.
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    async fn of(request: Request, limit: usize) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::malformed(
                "the Content-Type must be application/json",
            ));
        }
        read(request.into_body(), limit).await.map(Self)
    }
}

impl FromRequest<Api> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        Self::of(request, api.options.body_limit).await
    }
}

/// A body that need not be there: nothing at all is an object without members.
pub(crate) struct OptionalJsonBody(pub(crate) JsonBody);

impl FromRequest<Api> for OptionalJsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        if request.body().is_end_stream() {
            return Ok(Self(JsonBody(Bytes::from_static(b"{}"))));
        }
        JsonBody::from_request(request, api).await.map(Self)
    }
}

/// A body that may be larger, for files are in it.
pub(crate) struct LargeJsonBody(pub(crate) JsonBody);

impl FromRequest<Api> for LargeJsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Error> {
        JsonBody::of(request, api.options.receive_limit)
            .await
            .map(Self)
    }
}

/// Whether the content type is JSON, in any charset: `application/json`, `application/vnd.api+json`.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let suffix = media_type
        .len()
        .checked_sub(4)
        .and_then(|at| media_type.get(at..));
    suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}

/// The whole body. What its length header announces as too much is not read at all.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Error> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(Error::TooLarge);
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        match std::error::Error::source(&error) {
            Some(cause) if cause.is::<LengthLimitError>() => Error::TooLarge,
            _ => Error::malformed("the body ended early"),
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio_util::io::ReaderStream;

    use super::*;

    #[test]
    fn json_is_json_in_any_charset() {
        let is = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/vnd.api+json",
        ] {
            assert!(is(json), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "son",
            "x; json",
        ] {
            assert!(!is(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn at_most_the_limit_is_read() {
        let stream = || Body::from_stream(ReaderStream::new(tokio::io::repeat(b' ').take(5000)));
        assert_eq!(read(stream(), 5000).await.unwrap().len(), 5000);
        assert!(matches!(read(stream(), 4999).await, Err(Error::TooLarge)));
        assert!(matches!(
            read(Body::from("abc"), 2).await,
            Err(Error::TooLarge)
        ));
        assert_eq!(read(Body::from("abc"), 3).await.unwrap(), "abc");
    }
}

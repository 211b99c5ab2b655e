//! What is wrong with a request, or with us, and how the wire says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use gateway::Fields;
use http::{HeaderValue, StatusCode, header};

use crate::envelope;

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum Error {
    /// 400: not a request of this API; in words, what was expected.
    Malformed(String),
    /// 401: nobody we know.
    Unauthorized,
    /// 401: the password is not this account's, or there is no such account.
    WrongPassword,
    /// 401: somebody else, where only oneself is served. The reference spells the header differently.
    NotYourself,
    /// 402: there may be no more of these.
    Limit(String),
    /// 401: a phone key for another number.
    NotBound { number: String, held: Vec<String> },
    /// 403: known, but not allowed to.
    Forbidden(String),
    /// 404.
    NotFound(String),
    /// 409.
    Conflict(String),
    /// 413.
    TooLarge,
    /// 422: the route's own words, and what is wrong field by field.
    Invalid(&'static str, Fields),
    /// 429: not before this time has passed.
    TooMany(Duration),
    /// 503: what is away for now; try again.
    Unavailable(&'static str),
    /// 503: too many ask for something long.
    Busy,
    /// 503: stopped, because it took too long; it would again.
    TooLong,
    /// 500, logged where it was met.
    Internal,
}

const NOT_AUTHORIZED: &str = "You are not authorized to carry out this request.";

const BUSY: &str = "Too many searches wait at the moment. Please try again.";
const TOO_LONG: &str = "This took too long and was stopped. Please ask for less, such as a shorter time or fewer numbers.";

impl Error {
    pub(crate) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed(why.into())
    }

    /// Reads an error of the product for a route that has these words for 422.
    pub(crate) fn of(invalid: &'static str) -> impl Fn(gateway::Error) -> Self {
        move |error| match error {
            gateway::Error::Invalid(fields) => Self::Invalid(invalid, fields),
            other => Self::from(other),
        }
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        if error.is_unavailable() {
            warn_now_and_then(&error);
            return match error {
                gateway::Error::Files(_) => Self::Unavailable("storage of files"),
                gateway::Error::Busy => Self::Busy,
                gateway::Error::TooLong => Self::TooLong,
                _ => Self::Unavailable("database"),
            };
        }
        match error {
            gateway::Error::NotFound(what) => Self::NotFound(what),
            gateway::Error::Limit(why) => Self::Limit(why),
            gateway::Error::Conflict(why) => Self::Conflict(why),
            gateway::Error::Invalid(fields) => Self::Invalid("validation errors", fields),
            gateway::Error::NotBound { number, held } => Self::NotBound { number, held },
            gateway::Error::Unauthorized => Self::Unauthorized,
            gateway::Error::Forbidden(why) => Self::Forbidden(why),
            gateway::Error::TooMany(wait) => Self::TooMany(wait),
            error => {
                tracing::error!(%error, "a request failed");
                Self::Internal
            }
        }
    }
}

/// One line a second says that the database is away, however many requests notice.
fn warn_now_and_then(error: &gateway::Error) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let now = START.elapsed().as_secs();
    if NEXT.fetch_max(now + 1, Ordering::Relaxed) <= now {
        tracing::warn!(%error, "requests are answered 503 for now");
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Malformed(why) => envelope::error(
                StatusCode::BAD_REQUEST,
                "The request isn't properly formed",
                Some(&why),
            ),
            Self::Unauthorized => not_authorized("x-api-key"),
            Self::NotYourself => not_authorized("X-API-Key"),
            Self::NotBound { number, held } => not_bound(&number, &held),
            Self::WrongPassword => envelope::error(
                StatusCode::UNAUTHORIZED,
                NOT_AUTHORIZED,
                Some(&"The e-mail address or the password is wrong."),
            ),
            Self::Limit(why) => envelope::error(StatusCode::PAYMENT_REQUIRED, &why, None::<&()>),
            Self::Forbidden(why) => envelope::error(StatusCode::FORBIDDEN, &why, None::<&()>),
            Self::NotFound(what) => envelope::error(StatusCode::NOT_FOUND, &what, None::<&()>),
            Self::Conflict(why) => envelope::error(StatusCode::CONFLICT, &why, None::<&()>),
            Self::TooMany(wait) => too_many(wait),
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large").into_response()
            }
            Self::Invalid(message, fields) => {
                envelope::error(StatusCode::UNPROCESSABLE_ENTITY, message, Some(&fields))
            }
            Self::Unavailable(what) => unavailable(&format!(
                "The {what} is not available at the moment. Please try again."
            )),
            Self::Busy => unavailable(BUSY),
            Self::TooLong => {
                envelope::error(StatusCode::SERVICE_UNAVAILABLE, TOO_LONG, None::<&()>)
            }
            Self::Internal => envelope::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "We ran into an internal error while handling the request.",
                None::<&()>,
            ),
        }
    }
}

fn not_authorized(header: &str) -> Response {
    let hint = format!("Make sure your API key is set in the [{header}] header in the request");
    envelope::error(StatusCode::UNAUTHORIZED, NOT_AUTHORIZED, Some(&hint))
}

fn not_bound(number: &str, held: &[String]) -> Response {
    let held = held.join(",");
    let why = format!(
        "The phone API key is does not have permission to carry out actions on the phone number [{number}]. The API key is only configured for these phone numbers [{held}]"
    );
    let message = "You are not authorized to carry out the request for this phone number";
    envelope::error(StatusCode::UNAUTHORIZED, message, Some(&why))
}

/// Whole seconds, rounded up: a second too early would be too early again.
fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let noun = if seconds == 1 { "second" } else { "seconds" };
    let message = format!("Too many attempts. Please try again in {seconds} {noun}.");
    let answer = envelope::error(StatusCode::TOO_MANY_REQUESTS, &message, None::<&()>);
    ([(header::RETRY_AFTER, seconds.to_string())], answer).into_response()
}

fn unavailable(words: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = envelope::error(status, words, None::<&()>);
    let second = HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, second);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(error: gateway::Error) -> (u16, String) {
        let response = Error::of("wrong here")(error).into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        (status, String::from_utf8_lossy(&body.unwrap()).into_owned())
    }

    #[tokio::test]
    async fn each_error_of_the_product_has_its_answer() {
        let disk = std::io::Error::other("/data/secret is broken");
        for (error, status, body) in [
            (
                gateway::Error::NotFound("cannot find it".to_owned()),
                404,
                r#"{"message":"cannot find it","status":"error"}"#,
            ),
            (
                gateway::Error::Conflict("too late".to_owned()),
                409,
                r#"{"message":"too late","status":"error"}"#,
            ),
            (
                gateway::Error::Invalid(Fields::one("from", "no")),
                422,
                r#"{"data":{"from":["no"]},"message":"wrong here","status":"error"}"#,
            ),
            (
                gateway::Error::Files(disk),
                500,
                r#"{"message":"We ran into an internal error while handling the request.","status":"error"}"#,
            ),
        ] {
            assert_eq!(answer(error).await, (status, body.to_owned()));
        }
        let away = gateway::Error::Files(std::io::ErrorKind::NetworkDown.into());
        let away = Error::of("wrong here")(away).into_response();
        assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(away.headers().contains_key(header::RETRY_AFTER));
        for (error, words, again) in [
            (gateway::Error::Busy, BUSY, true),
            (gateway::Error::TooLong, TOO_LONG, false),
        ] {
            let response = Error::of("wrong here")(error).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), again);
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
            let body = String::from_utf8_lossy(&body.unwrap()).into_owned();
            assert!(body.contains(words), "{body}");
        }
        let (status, body) = answer(gateway::Error::Unauthorized).await;
        assert!(status == 401 && body.contains("[x-api-key]"));
    }
}

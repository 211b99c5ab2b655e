//! The envelope of answers: `data`, `message`, `status`, in this order and with these escapes.

use std::io::{self, Write};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::error::Error;

/// What a route returns.
pub(crate) type Answer = Result<Response, Error>;

/// Members in alphabetical order.
#[derive(Serialize)]
struct Envelope<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    message: &'a str,
    status: &'static str,
}

/// 200.
pub(crate) fn ok(message: &str, data: &impl Serialize) -> Response {
    success(StatusCode::OK, message, data)
}

/// 201.
pub(crate) fn created(message: &str, data: &impl Serialize) -> Response {
    success(StatusCode::CREATED, message, data)
}

/// 202.
pub(crate) fn accepted(message: &str, data: &impl Serialize) -> Response {
    success(StatusCode::ACCEPTED, message, data)
}

/// 202 without data.
pub(crate) fn queued(message: &str) -> Response {
    json(
        StatusCode::ACCEPTED,
        &Envelope {
            data: None::<()>,
            message,
            status: "success",
        },
    )
}

/// 200 for a list: `fetched 1 message`, `fetched 0 messages`.
pub(crate) fn fetched<T: Serialize>(things: &[T], noun: &str) -> Response {
    fetched_as(things, noun, &format!("{noun}s"))
}

/// The same for a noun whose plural is not only longer by an `s`.
pub(crate) fn fetched_as<T: Serialize>(things: &[T], one: &str, many: &str) -> Response {
    let count = things.len();
    let noun = if count == 1 { one } else { many };
    ok(&format!("fetched {count} {noun}"), &things)
}

/// 200 without an envelope.
pub(crate) fn bare(value: &impl Serialize) -> Response {
    json(StatusCode::OK, value)
}

/// 204.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn success(status: StatusCode, message: &str, data: &impl Serialize) -> Response {
    json(
        status,
        &Envelope {
            data: Some(data),
            message,
            status: "success",
        },
    )
}

/// An answer that says what is wrong.
pub(crate) fn error(status: StatusCode, message: &str, data: Option<&impl Serialize>) -> Response {
    json(
        status,
        &Envelope {
            data,
            message,
            status: "error",
        },
    )
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(1024);
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, ForScripts));
    if let Err(error) = written {
        tracing::error!(%error, "an answer cannot be written as JSON");
        return self::written(StatusCode::INTERNAL_SERVER_ERROR, Vec::new());
    }
    self::written(status, bytes)
}

/// An answer that is written already.
pub(crate) fn written(status: StatusCode, json: Vec<u8>) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// Compact JSON that is safe inside a script element, as the reference writes it: `<`, `>`, `&` and
/// the two line separators of JavaScript are escaped. Outside texts JSON has none of them.
struct ForScripts;

impl Formatter for ForScripts {
    fn write_string_fragment<W>(&mut self, to: &mut W, text: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let bytes = text.as_bytes();
        // Nearly all texts have none of them, and to see that takes a processor few steps.
        if !bytes
            .iter()
            .fold(false, |any, byte| any | is_suspicious(*byte))
        {
            return to.write_all(bytes);
        }
        let mut from = 0;
        for (at, special) in text.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            to.write_all(&bytes[from..at])?;
            to.write_all(match special {
                "<" => b"\\u003c",
                ">" => b"\\u003e",
                "&" => b"\\u0026",
                "\u{2028}" => b"\\u2028",
                _ => b"\\u2029",
            })?;
            from = at + special.len();
        }
        to.write_all(&bytes[from..])
    }

    fn write_raw_fragment<W>(&mut self, to: &mut W, json: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        self.write_string_fragment(to, json)
    }
}

/// Whether a byte is the first of what has to be escaped; of others too.
const fn is_suspicious(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&' | 0xe2)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn members_stand_in_order_and_null_data_is_shown() {
        let response = ok("done", &());
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.headers()["content-type"],
            "application/json; charset=utf-8"
        );
        assert_eq!(
            text(response).await,
            r#"{"data":null,"message":"done","status":"success"}"#
        );
        let response = error(StatusCode::NOT_FOUND, "gone", None::<&()>);
        assert_eq!(
            text(response).await,
            r#"{"message":"gone","status":"error"}"#
        );
    }

    #[tokio::test]
    async fn what_ends_a_script_is_escaped() {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(r#"["a?b&c"]"#).unwrap();
        let response = ok("<&>", &("é\u{2028}\u{2029}€\"\n", raw));
        assert_eq!(
            text(response).await,
            r#"{"data":["é\u2028\u2029€\"\n",["a?b\u0026c"]],"message":"\u003c\u0026\u003e","status":"success"}"#
        );
    }

    #[tokio::test]
    async fn only_one_thing_is_singular() {
        for (things, message) in [
            (&[][..], "fetched 0 pens"),
            (&[1], "fetched 1 pen"),
            (&[1, 2], "fetched 2 pens"),
        ] {
            assert!(text(fetched(things, "pen")).await.contains(message));
        }
    }
}

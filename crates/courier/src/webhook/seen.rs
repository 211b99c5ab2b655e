//! What is kept of an attempt for the log of the webhook's owner. Built with every attempt, so by hand.

use std::fmt::Write as _;
use std::time::Duration;

use gateway::Time;
use gateway::delivery::{BODY_LIMIT, Seen};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::words;
use crate::client::Answer;
use crate::failure::Failure;

/// In place of a value that nobody may read.
const HIDDEN: &str = "\"[hidden]\"";

/// So many headers are kept, and so many bytes of them.
const MOST_HEADERS: usize = 64;
const MOST_BYTES: usize = 8 << 10;

/// What an attempt began with.
pub(super) struct Sent<'a> {
    pub at: Time,
    pub url: &'a str,
    /// As JSON.
    pub headers: String,
}

impl Sent<'_> {
    /// The whole attempt.
    pub fn seen(self, duration: Duration, result: &Result<Answer, Failure>) -> Box<Seen> {
        let answer = result.as_ref().ok();
        let well = answer.is_some_and(|answer| answer.status.is_success());
        Box::new(Seen {
            started_at: self.at,
            duration,
            url: self.url.to_owned(),
            request_headers: self.headers,
            status: answer.map(|answer| answer.status.as_u16()),
            response_headers: answer.map(|answer| json(&answer.headers)),
            response_body: answer.map(|answer| text(&answer.body, BODY_LIMIT)),
            error: (!well).then(|| words(result)),
        })
    }
}

/// Headers as a JSON object, without what is secret.
pub(super) fn json(headers: &HeaderMap) -> String {
    let mut json = String::with_capacity(64 + headers.len() * 48);
    json.push('{');
    for name in headers.keys().take(MOST_HEADERS) {
        let before = json.len();
        if before > 1 {
            json.push(',');
        }
        // A name has no character that JSON escapes.
        let _ = write!(json, "\"{name}\":");
        push_values(&mut json, headers, name);
        if json.len() > MOST_BYTES {
            json.truncate(before);
            break;
        }
    }
    json.push('}');
    json
}

/// All values of a name as one text.
fn push_values(json: &mut String, headers: &HeaderMap, name: &HeaderName) {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), _) if is_secret(name, value) => json.push_str(HIDDEN),
        (Some(value), None) => push_quoted(json, value.as_bytes()),
        _ => {
            let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
            let values: Vec<_> = values.collect();
            push_quoted(json, &values.join(&b", "[..]));
        }
    }
}

fn is_secret(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || name == AUTHORIZATION || name == COOKIE
}

fn push_quoted(json: &mut String, value: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    match std::str::from_utf8(value) {
        Ok(text) if value.iter().all(is_plain) => {
            json.push('"');
            json.push_str(text);
            json.push('"');
        }
        // PostgreSQL takes no NUL in a text, and a header has none.
        _ => json.push_str(&serde_json::Value::from(String::from_utf8_lossy(value)).to_string()),
    }
}

/// The first bytes as text. PostgreSQL takes no NUL in one.
pub(super) fn text(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]);
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::StatusCode;
    use serde_json::{Value, json as value};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn headers_are_an_object_without_secrets() {
        let mut headers = headers(&[
            ("authorization", "Bearer abc"),
            ("cookie", "a=b"),
            ("x-quoted", "a \"b\" \\ ü"),
            ("x-twice", "one"),
            ("x-twice", "two"),
        ]);
        let mut tenant = HeaderValue::from_static("seven");
        tenant.set_sensitive(true);
        headers.insert("x-tenant", tenant);
        let read: Value = serde_json::from_str(&json(&headers)).unwrap();
        let expected = value!({
            "authorization": "[hidden]",
            "cookie": "[hidden]",
            "x-quoted": "a \"b\" \\ ü",
            "x-twice": "one, two",
            "x-tenant": "[hidden]",
        });
        assert_eq!(read, expected);
        assert_eq!(json(&HeaderMap::new()), "{}");
    }

    #[test]
    fn headers_have_their_bounds() {
        let mut many = HeaderMap::new();
        for index in 0..200 {
            let name = HeaderName::try_from(format!("x-{index}")).unwrap();
            many.insert(name, HeaderValue::from_static("x"));
        }
        let read: Value = serde_json::from_str(&json(&many)).unwrap();
        assert_eq!(read.as_object().unwrap().len(), MOST_HEADERS);
        let long = headers(&[("x-short", "x"), ("x-long", &"\"".repeat(10_000))]);
        assert_eq!(json(&long), r#"{"x-short":"x"}"#);
    }

    #[test]
    fn an_attempt_is_kept_whole() {
        let result = Ok(Answer {
            status: StatusCode::BAD_GATEWAY,
            headers: headers(&[("server", "x")]),
            body: Bytes::from_static(b"no\0 disk \xff"),
        });
        let sent = Sent {
            at: Time::from_micros(1),
            url: "http://example.org",
            headers: "{}".to_owned(),
        };
        let seen = sent.seen(Duration::from_millis(3), &result);
        assert_eq!(seen.status, Some(502));
        assert_eq!(seen.response_headers.unwrap(), r#"{"server":"x"}"#);
        assert_eq!(seen.response_body.unwrap(), "no\u{fffd} disk \u{fffd}");
        assert_eq!(seen.error.unwrap(), "no\u{fffd} disk \u{fffd}");
        assert_eq!(text(&vec![b'x'; 20_000], BODY_LIMIT).len(), BODY_LIMIT);
    }
}

//! A CloudEvent's attributes as headers, with the data alone as the body
//! (CloudEvents 1.0, HTTP protocol binding, §3.1).

use std::borrow::Cow;

use bytes::Bytes;
use gateway::delivery::Letter;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(default)]
    test: bool,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The data of an event as it is; its attributes are added to the headers. None if it cannot be read.
pub(super) fn split(letter: &Letter, headers: &mut HeaderMap) -> Option<Bytes> {
    let event: Event<'_> = serde_json::from_slice(&letter.body).ok()?;
    for (name, value) in [
        (
            HeaderName::from_static("ce-specversion"),
            &event.specversion,
        ),
        (HeaderName::from_static("ce-id"), &event.id),
        (HeaderName::from_static("ce-source"), &event.source),
        (HeaderName::from_static("ce-time"), &event.time),
    ] {
        headers.insert(name, HeaderValue::try_from(&*encoded(value)).ok()?);
    }
    let kind = HeaderValue::from_static(letter.kind.as_str());
    headers.insert(HeaderName::from_static("ce-type"), kind);
    if event.test {
        let yes = HeaderValue::from_static("true");
        headers.insert(HeaderName::from_static("ce-test"), yes);
    }
    Some(letter.body.slice_ref(event.data.get().as_bytes()))
}

/// With spaces, quotes, percent signs and everything that is no printable ASCII percent-encoded.
fn encoded(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%');
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::event;

    const EVENT: &str = r#"{"specversion":"1.0","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","source":"/v1/ü \"x\"","type":"message.phone.sent","datacontenttype":"application/json","time":"2026-03-02T09:00:00.5Z","data":{"a": 1, "b":"}"}}"#;

    fn letter(body: &'static str) -> Letter {
        Letter {
            seq: 1,
            id: gateway::Uuid::nil(),
            kind: event::Kind::MessagePhoneSent,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn attributes_become_headers_and_the_data_the_body() {
        let mut headers = HeaderMap::new();
        let body = split(&letter(EVENT), &mut headers).unwrap();
        assert_eq!(body, r#"{"a": 1, "b":"}"}"#);
        assert_eq!(headers["ce-specversion"], "1.0");
        assert_eq!(headers["ce-id"], "0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006");
        assert_eq!(headers["ce-source"], "/v1/%C3%BC%20%22x%22");
        assert_eq!(headers["ce-type"], "message.phone.sent");
        assert_eq!(headers["ce-time"], "2026-03-02T09:00:00.5Z");
        assert!(!headers.contains_key("ce-test"));
        assert_eq!(split(&letter("{}"), &mut HeaderMap::new()), None);
    }
}

//! A request as it goes over the line.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, Method, Request};

use crate::connect::Place;
use crate::failure::Failure;

/// A request, its head in the bytes that are sent.
pub(super) struct Call {
    pub place: Place,
    pub head: Bytes,
    pub body: Bytes,
}

impl Call {
    /// Fails if the URL cannot be called.
    pub fn of(request: Request<Bytes>) -> Result<Self, Failure> {
        let place = Place::of(request.uri())?;
        Ok(Self {
            head: head(&request, &place),
            body: request.into_body(),
            place,
        })
    }
}

fn head(request: &Request<Bytes>, place: &Place) -> Bytes {
    let path = request.uri().path_and_query();
    let path = path.map_or("/", http::uri::PathAndQuery::as_str);
    let headers = request.headers();
    let mut head = BytesMut::with_capacity(128 + path.len() + length(headers));
    head.put_slice(request.method().as_str().as_bytes());
    head.put_slice(b" ");
    if !path.starts_with('/') {
        head.put_slice(b"/");
    }
    head.put_slice(path.as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    if !headers.contains_key(HOST) {
        put(&mut head, HOST.as_str(), place.host_header().as_bytes());
    }
    for (name, value) in headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        put(&mut head, name.as_str(), value.as_bytes());
    }
    let size = request.body().len();
    if size > 0 || !matches!(*request.method(), Method::GET | Method::DELETE) {
        put(
            &mut head,
            CONTENT_LENGTH.as_str(),
            size.to_string().as_bytes(),
        );
    }
    head.put_slice(b"\r\n");
    head.freeze()
}

/// The bytes of all headers.
fn length(headers: &HeaderMap) -> usize {
    let each = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + 4
    };
    headers.iter().map(each).sum()
}

fn put(head: &mut BytesMut, name: &str, value: &[u8]) {
    head.put_slice(name.as_bytes());
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(request: http::request::Builder, body: &'static str) -> String {
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let call = Call::of(request).unwrap();
        assert_eq!(call.body, body);
        String::from_utf8(call.head.to_vec()).unwrap()
    }

    #[test]
    fn a_request_is_written_as_http() {
        let request = Request::post("https://example.org:8443/a/b?c=d").header("X-One", "1 2");
        assert_eq!(
            said(request, "{}"),
            "POST /a/b?c=d HTTP/1.1\r\nhost: example.org:8443\r\nx-one: 1 2\r\ncontent-length: 2\r\n\r\n"
        );
        let request = Request::post("http://[::1]:80?c").header("content-length", "7");
        assert_eq!(
            said(request, ""),
            "POST /?c HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 0\r\n\r\n"
        );
        let request = Request::get("https://example.org").header("host", "other.test");
        assert_eq!(
            said(request, ""),
            "GET / HTTP/1.1\r\nhost: other.test\r\n\r\n"
        );
    }

    #[test]
    fn what_is_no_url_of_the_web_is_not_called() {
        for url in ["/hook", "ftp://example.org/", "example.org:80"] {
            let request = Request::post(url).body(Bytes::new()).unwrap();
            assert_eq!(Call::of(request).err(), Some(Failure::Url), "{url}");
        }
    }
}

//! The head of an answer (RFC 9112): its status and headers, how long its body is, and whether the connection
//! may be used again.

use bytes::Buf;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httparse::{EMPTY_HEADER, Response, Status};

use super::HEADER_LIMIT;
use super::line::Line;
use crate::failure::Failure;

/// More headers are not valid.
const MOST: usize = 100;

/// What comes before an answer's body.
#[derive(Debug)]
pub(super) struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub framing: Framing,
    /// The connection stays open after the body.
    pub keep: bool,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After its last chunk.
    Chunked,
    /// With the connection.
    UntilClosed,
}

/// Reads the head of the final answer. Interim ones before it count for the limit.
pub(super) async fn read(line: &mut Line) -> Result<Head, Failure> {
    let mut room = HEADER_LIMIT;
    loop {
        let (head, length) = next(line, room).await?;
        line.read.advance(length);
        room -= length;
        if !head.status.is_informational() {
            return Ok(head);
        }
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::Invalid);
        }
    }
}

/// The next head, and how many bytes it has.
async fn next(line: &mut Line, room: usize) -> Result<(Head, usize), Failure> {
    let mut seen = 0_usize;
    loop {
        // What comes first may be no HTTP at all; then only an end is worth another look.
        if seen == 0 || has_end(&line.read[seen.saturating_sub(2)..]) {
            match parse(&line.read)? {
                Some((_, length)) if length > room => return Err(Failure::Invalid),
                Some(found) => return Ok(found),
                None => {}
            }
        }
        seen = line.read.len();
        if seen >= room {
            return Err(Failure::Invalid);
        }
        if !line.fill().await? {
            return Err(parse(&line.read).err().unwrap_or(Failure::Reset));
        }
    }
}

/// Whether there is an empty line.
fn has_end(bytes: &[u8]) -> bool {
    let ends = |at: usize| matches!(bytes[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]);
    let mut breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    breaks.any(|(at, _)| ends(at))
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Failure> {
    let mut headers = [EMPTY_HEADER; MOST];
    let mut response = Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(Status::Complete(length)) => Ok(Some((Head::of(&response)?, length))),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(Failure::Invalid),
    }
}

impl Head {
    fn of(response: &Response<'_, '_>) -> Result<Self, Failure> {
        let status = StatusCode::from_u16(response.code.unwrap_or(0));
        let status = status.map_err(|_| Failure::Invalid)?;
        let mut headers = HeaderMap::with_capacity(response.headers.len());
        for header in &*response.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_bytes(header.value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Failure::Invalid);
            };
            headers.append(name, value);
        }
        let modern = response.version == Some(1);
        Ok(Self {
            status,
            framing: framing(status, &headers, modern)?,
            keep: stays_open(&headers, modern),
            headers,
        })
    }
}

fn framing(status: StatusCode, headers: &HeaderMap, modern: bool) -> Result<Framing, Failure> {
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || status.is_informational() {
        return Ok(Framing::Length(0));
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        let last = tokens(headers, &TRANSFER_ENCODING).last();
        let chunked = last.is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        return Ok(if chunked && modern {
            Framing::Chunked
        } else {
            Framing::UntilClosed
        });
    }
    let mut lengths = tokens(headers, &CONTENT_LENGTH).map(number);
    let Some(length) = lengths.next() else {
        return Ok(Framing::UntilClosed);
    };
    // More than one, and another: nobody knows where the body ends.
    let length = length.filter(|_| lengths.all(|other| other == length));
    length.map(Framing::Length).ok_or(Failure::Invalid)
}

fn stays_open(headers: &HeaderMap, modern: bool) -> bool {
    let says = |word: &str| {
        tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case(word.as_bytes()))
    };
    // With both, somebody on the way may see another end than we do.
    let doubtful = headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH);
    (modern || says("keep-alive")) && !says("close") && !doubtful
}

/// The parts of all values of a header, at their commas.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| {
        let parts = value.as_bytes().split(|byte| *byte == b',');
        parts.map(<[u8]>::trim_ascii)
    })
}

/// Digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head, Failure> {
        let (head, length) = parse(text.as_bytes())?.unwrap();
        assert_eq!(length, text.len());
        Ok(head)
    }

    #[test]
    fn headers_say_where_the_body_ends() {
        let framing = |text: &str| {
            let head = head(&format!("HTTP/1.1 {text}\r\n\r\n"));
            head.map(|head| head.framing)
        };
        for (text, expected) in [
            ("200 OK", Framing::UntilClosed),
            ("200 OK\r\ncontent-length: 12", Framing::Length(12)),
            (
                "200\r\ncontent-length: 12\r\ncontent-length: 12, 12",
                Framing::Length(12),
            ),
            ("204 No\r\ncontent-length: 12", Framing::Length(0)),
            ("304 No\r\ntransfer-encoding: chunked", Framing::Length(0)),
            ("100 Continue", Framing::Length(0)),
            ("200\r\ntransfer-encoding: Chunked", Framing::Chunked),
            ("200\r\ntransfer-encoding: gzip, chunked", Framing::Chunked),
            (
                "200\r\ntransfer-encoding: chunked, gzip",
                Framing::UntilClosed,
            ),
            (
                "200\r\ncontent-length: x\r\ntransfer-encoding: chunked",
                Framing::Chunked,
            ),
        ] {
            assert_eq!(framing(text), Ok(expected), "{text}");
        }
        for length in ["", "+1", "-1", "1x", "1, 2", "99999999999999999999"] {
            let text = format!("200 OK\r\ncontent-length: {length}");
            assert_eq!(framing(&text), Err(Failure::Invalid), "{length}");
        }
    }

    #[test]
    fn headers_say_whether_the_connection_stays() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK", true),
            ("HTTP/1.1 200 OK\r\nconnection: x, Close", false),
            ("HTTP/1.0 200 OK", false),
            ("HTTP/1.0 200 OK\r\nconnection: Keep-Alive", true),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked",
                false,
            ),
        ] {
            assert_eq!(head(&format!("{text}\r\n\r\n")).unwrap().keep, expected);
        }
    }

    #[test]
    fn an_empty_line_is_an_end() {
        for text in ["a\r\n\r\n", "a\n\n", "a\n\r\n", "\n\r\nx"] {
            assert!(has_end(text.as_bytes()), "{text:?}");
        }
        for text in ["", "\n", "\r\n", "a\r\nb\r\n", "\r\r\n"] {
            assert!(!has_end(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_status_is_not_valid() {
        for text in [
            "HTTP/1.1 99 x\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 000 x\r\n\r\n",
        ] {
            assert_eq!(
                parse(text.as_bytes()).err(),
                Some(Failure::Invalid),
                "{text}"
            );
        }
    }
}

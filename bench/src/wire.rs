//! HTTP/1.1 as cheap as it gets: requests are bytes made beforehand, answers are cut by `Content-Length`.
//! A library would cost the load program as much as the server it measures.

use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Holds what usually comes at once.
const BUFFER: usize = 8 << 10;

/// A kept-alive connection with one request at a time on it.
pub struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, valid until the next request on its line.
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: &'a [u8],
}

impl Line {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    /// Sends a request and reads the answer to its end.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let frame = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some(frame) = frame(&self.buffer)?
                && self.buffer.len() >= frame.end
            {
                break frame;
            }
        };
        let status = self.buffer.get(9..12).and_then(number);
        Ok(Answer {
            status: status.context("the answer has no status")?,
            body: &self.buffer[frame],
        })
    }
}

impl Answer<'_> {
    /// An error with the body's words unless it is a success.
    pub fn ok(self) -> Result<Self> {
        ensure!(
            (200..300).contains(&self.status),
            "the server answers {}: {}",
            self.status,
            String::from_utf8_lossy(self.body)
        );
        Ok(self)
    }

    /// `data` of the envelope.
    pub fn data(&self) -> Result<Value> {
        let mut envelope: Value = serde_json::from_slice(self.body)?;
        Ok(envelope["data"].take())
    }
}

/// The bytes of a request with a JSON body.
pub fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The bytes of a request without a body.
pub fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n\r\n").into_bytes()
}

/// Where the body stands in these bytes, once the whole head is there.
pub fn frame(bytes: &[u8]) -> Result<Option<Range<usize>>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut length = 0;
    for line in bytes[..end].split(|byte| *byte == b'\n') {
        if let Some(value) = field(line, b"content-length:") {
            length = number(value).context("a Content-Length that is no number")?;
        }
        ensure!(
            field(line, b"transfer-encoding:").is_none(),
            "a chunked body, which this program does not read"
        );
    }
    let body = end + 4;
    Ok(Some(body..body + length))
}

/// Where the needle begins.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_found_by_its_length() {
        let request = request("POST", "/a", "uk_1", "{}");
        let body = frame(&request).unwrap().unwrap();
        assert_eq!(&request[body], b"{}");
        assert_eq!(
            frame(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n").unwrap(),
            None
        );
        assert_eq!(
            frame(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(),
            Some(27..27)
        );
        assert!(frame(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}

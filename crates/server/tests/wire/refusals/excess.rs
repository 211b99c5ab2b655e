//! Requests for nothing there is, and requests that are too large: refused, and nothing is written.

use http::Method;
use testkit::Answer;

use super::raw::Raw;
use super::requests::SEND;
use crate::stage::{SOON, Stage, USER_KEY};

/// Paths and methods that there are not.
pub async fn routes(stage: &Stage) {
    for path in ["/v1/nothing", "/v1", "/v1/messages/send/x", "/v2/messages"] {
        assert_eq!(stage.user.get(path).await.status, 404, "{path}");
    }
    for (method, path) in [
        (Method::PATCH, SEND),
        (Method::PUT, SEND),
        (Method::DELETE, "/v1/heartbeats"),
        (Method::POST, "/v1/nothing"),
        (Method::TRACE, "/v1/phones"),
    ] {
        let answer = Answer::to(stage.user.request(method.clone(), path))
            .await
            .unwrap();
        assert!(
            [404, 405].contains(&answer.status),
            "{method} {path}: {}",
            answer.status
        );
    }
}

/// Ten megabytes, told beforehand and not; a head without an end; no HTTP at all.
pub async fn too_much(stage: &Stage) {
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nhost: x\r\nx-api-key: {USER_KEY}\r\ncontent-type: application/json\r\n"
    );
    let mut told = Raw::connect(stage).await;
    let length = "content-length: 10485760\r\n\r\n";
    told.write(format!("{head}{length}{{").as_bytes()).await;
    let status = told.status(SOON).await;
    assert!(status.starts_with("HTTP/1.1 413"), "{status}");

    let mut chunked = Raw::connect(stage).await;
    chunked
        .write(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .await;
    let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4_096], b"\r\n"].concat();
    let mut written = 0;
    while written < 10 << 20 && chunked.write(&chunk).await {
        written += chunk.len();
    }
    // Who goes on writing regardless may find the connection reset before reading the answer.
    let status = chunked.status(SOON).await;
    assert!(
        status.starts_with("HTTP/1.1 413") || status.is_empty(),
        "{status}"
    );

    let mut long = Raw::connect(stage).await;
    long.write(format!("{head}x-long: {}\r\n\r\n", "x".repeat(70_000)).as_bytes())
        .await;
    let status = long.status(SOON).await;
    assert!(
        status.starts_with("HTTP/1.1 431") || status.is_empty(),
        "{status}"
    );

    for noise in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".as_slice(),
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut raw = Raw::connect(stage).await;
        raw.write(noise).await;
        let answer = raw.read_to_end(SOON).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
}

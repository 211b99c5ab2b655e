//! Every behaviour of the webhook receiver, seen from the other end of the connection.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Receiver, Respond};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
/// Long enough to believe that nothing more comes.
const QUIET: Duration = Duration::from_millis(100);

/// A connection that has sent one whole `POST /hook?a=1` with the body `{"n":1}`.
async fn posted(receiver: &Receiver) -> TcpStream {
    let mut stream = TcpStream::connect(receiver.address())
        .await
        .expect("it listens");
    post(&mut stream).await;
    stream
}

async fn post(stream: &mut TcpStream) {
    let request = b"POST /hook?a=1 HTTP/1.1\r\nhost: test\r\nx-event-type: t\r\ncontent-length: 7\r\n\r\n{\"n\":1}";
    stream.write_all(request).await.expect("it reads");
}

/// Reads until the text contains `end`.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(end) {
        let read = timeout(SOON, stream.read(&mut buffer))
            .await
            .expect("in time");
        let read = read.expect("readable");
        assert!(read > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

async fn one_answer(respond: Respond) -> String {
    let receiver = Receiver::answering(vec![respond]).await;
    read_to(&mut posted(&receiver).await, "\r\n\r\n").await
}

async fn is_quiet(stream: &mut TcpStream) -> bool {
    timeout(QUIET, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn remembers_what_it_was_sent() {
    let receiver = Receiver::start().await;
    let before = Instant::now();
    let mut stream = posted(&receiver).await;
    let answer = read_to(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    post(&mut stream).await;

    let seen = receiver.wait_for(2, SOON).await;
    assert_eq!(seen.iter().map(|one| one.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((seen[0].method.as_str(), seen[0].path()), ("POST", "/hook"));
    assert_eq!(seen[0].uri.query(), Some("a=1"));
    assert_eq!(seen[0].header("x-event-type"), Some("t"));
    assert_eq!(seen[0].json(), json!({"n": 1}));
    assert!(seen[0].at >= before && seen[1].at >= seen[0].at);
    assert_eq!((receiver.connections(), receiver.most_at_once()), (1, 1));
}

#[tokio::test]
async fn answers_in_turn_and_repeats_the_last() {
    let receiver = Receiver::answering(vec![
        Respond::status(503).with_header("retry-after", "1"),
        Respond::json(201, &json!({"ok": true})),
    ])
    .await;
    let mut stream = posted(&receiver).await;
    let first = read_to(&mut stream, "\r\n\r\n").await;
    assert!(
        first.starts_with("HTTP/1.1 503 ") && first.contains("retry-after: 1"),
        "{first}"
    );
    for _ in 0..2 {
        post(&mut stream).await;
        let next = read_to(&mut stream, "{\"ok\":true}").await;
        assert!(next.starts_with("HTTP/1.1 201 Created"), "{next}");
    }
}

#[tokio::test]
async fn a_script_decides_by_request_and_can_be_replaced() {
    let receiver = Receiver::with(|one| match one.path() {
        "/hook" => Respond::status(418),
        _ => Respond::ok(),
    })
    .await;
    let mut stream = posted(&receiver).await;
    assert!(read_to(&mut stream, "\r\n\r\n").await.contains("418"));
    receiver.answer(|_| Respond::Redirect("http://elsewhere/".to_owned()));
    post(&mut stream).await;
    let second = read_to(&mut stream, "\r\n\r\n").await;
    assert!(second.contains("302 Found") && second.contains("location: http://elsewhere/"));
}

#[tokio::test]
async fn answers_later() {
    let begin = Instant::now();
    let answer = one_answer(Respond::status(204).after(QUIET)).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(begin.elapsed() >= QUIET);
}

#[tokio::test]
async fn hangs_before_the_headers_until_the_other_side_leaves() {
    let receiver = Receiver::answering(vec![Respond::HangBeforeHeaders]).await;
    let mut streams = [posted(&receiver).await, posted(&receiver).await];
    receiver.wait_for(2, SOON).await;
    assert!(is_quiet(&mut streams[0]).await);
    assert_eq!(receiver.most_at_once(), 2);
}

#[tokio::test]
async fn hangs_after_the_headers() {
    let receiver = Receiver::answering(vec![Respond::HangAfterHeaders]).await;
    let mut stream = posted(&receiver).await;
    assert!(
        read_to(&mut stream, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(is_quiet(&mut stream).await);
}

#[tokio::test]
async fn streams_for_ever() {
    let receiver = Receiver::answering(vec![Respond::StreamForever]).await;
    let mut stream = posted(&receiver).await;
    let mut body = vec![0; 4 << 20];
    timeout(SOON, stream.read_exact(&mut body))
        .await
        .expect("in time")
        .expect("no end");
}

#[tokio::test]
async fn drips() {
    let receiver = Receiver::answering(vec![Respond::Drip(Duration::from_millis(5))]).await;
    let mut stream = posted(&receiver).await;
    let bytes = "1\r\n.\r\n1\r\n.\r\n1\r\n.\r\n";
    assert!(
        read_to(&mut stream, bytes)
            .await
            .contains("transfer-encoding: chunked")
    );
}

#[tokio::test]
async fn ends_connections_without_an_answer() {
    let receiver = Receiver::answering(vec![Respond::Reset, Respond::Close]).await;
    let mut bytes = Vec::new();
    let reset = posted(&receiver).await.read_to_end(&mut bytes).await;
    assert_eq!(
        reset.expect_err("a reset").kind(),
        ErrorKind::ConnectionReset
    );
    let closed = posted(&receiver).await.read_to_end(&mut bytes).await;
    assert_eq!(closed.expect("an orderly end"), 0);
}

#[tokio::test]
async fn writes_what_is_not_http() {
    let nonsense = Respond::Malformed("HTTP/1.1 banana\r\n\r\n".into());
    let receiver = Receiver::answering(vec![nonsense]).await;
    let mut text = String::new();
    posted(&receiver)
        .await
        .read_to_string(&mut text)
        .await
        .expect("an orderly end");
    assert_eq!(text, "HTTP/1.1 banana\r\n\r\n");
}

#[tokio::test]
async fn stops_and_comes_back_on_the_same_port() {
    let receiver = Receiver::start().await;
    let address = receiver.address();
    let mut stream = posted(&receiver).await;
    read_to(&mut stream, "\r\n\r\n").await;
    receiver.stop().await;
    let refused = TcpStream::connect(address)
        .await
        .expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    let receiver = Receiver::at(address, |_| Respond::ok()).await;
    posted(&receiver).await;
    receiver
        .wait_until(|seen| seen.iter().any(|one| one.path() == "/hook"), SOON)
        .await;
}

#[tokio::test]
#[should_panic(expected = "POST /hook?a=1")]
async fn says_what_arrived_when_the_wait_was_in_vain() {
    let receiver = Receiver::start().await;
    posted(&receiver).await;
    receiver.wait_for(1, SOON).await;
    receiver.wait_for(2, QUIET).await;
}

#[tokio::test]
async fn an_unrecorded_receiver_only_counts() {
    let bytes = Arc::new(AtomicUsize::new(0));
    let sum = Arc::clone(&bytes);
    let receiver = Receiver::unrecorded(move |one| {
        sum.fetch_add(one.body.len(), Ordering::Relaxed);
        Respond::ok()
    })
    .await;
    let mut stream = posted(&receiver).await;
    read_to(&mut stream, "\r\n\r\n").await;
    post(&mut stream).await;
    assert!(receiver.wait_for(2, SOON).await.is_empty());
    assert_eq!((receiver.count(), bytes.load(Ordering::Relaxed)), (2, 14));
}

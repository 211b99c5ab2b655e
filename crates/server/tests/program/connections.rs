//! Connections: both versions of HTTP, and clients that keep the server waiting or send too much.

use std::time::Duration;

use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{SOON, setup};

async fn connect(server: &Server) -> TcpStream {
    let address = server.url().trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// What comes back until the server has nothing more to say.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let read = timeout(SOON, stream.read_to_string(&mut answer)).await;
    read.expect("the server closes the connection").unwrap();
    answer
}

#[tokio::test]
async fn http_2_works_without_encryption() {
    let server = setup().start().await;
    let io = TokioIo::new(connect(&server).await);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("{}/health", server.url()));
    let answer = client
        .send_request(request.body(String::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_head_may_be_long_but_not_endless() {
    let server = setup().start().await;
    let health = |padding: usize| {
        let padding = "x".repeat(padding);
        format!(
            "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Padding: {padding}\r\n\r\n"
        )
    };
    for (padding, status) in [(4_096, "200 OK"), (12_000, "200 OK"), (20_000, "431 ")] {
        let mut stream = connect(&server).await;
        stream.write_all(health(padding).as_bytes()).await.unwrap();
        let answer = to_the_end(stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{padding}: {answer}"
        );
    }
}

#[tokio::test]
async fn half_a_head_is_waited_for_a_while_but_a_quiet_client_is_kept() {
    let server = setup().start().await;
    let mut quiet = connect(&server).await;
    let health = b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n";
    quiet.write_all(health).await.unwrap();
    let mut first = [0; 15];
    quiet.read_exact(&mut first).await.unwrap();

    let mut dribbling = connect(&server).await;
    dribbling.write_all(b"GET /health HT").await.unwrap();
    assert_eq!(to_the_end(dribbling).await, "");
    let silent = connect(&server).await;
    let half_http_2 = async {
        let mut stream = connect(&server).await;
        stream.write_all(b"PRI * HTTP").await.unwrap();
        to_the_end(stream).await
    };
    let (silent, half_http_2) = tokio::join!(to_the_end(silent), half_http_2);
    assert_eq!((silent.as_str(), half_http_2.as_str()), ("", ""));

    quiet.write_all(health).await.unwrap();
    let mut rest = [0; 600];
    let again = async {
        let mut seen = Vec::new();
        loop {
            let read = quiet.read(&mut rest).await.unwrap();
            assert!(read > 0, "it was closed");
            seen.extend_from_slice(&rest[..read]);
            if String::from_utf8_lossy(&seen).contains("HTTP/1.1 200") {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), again).await.unwrap();
}

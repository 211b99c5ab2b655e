//! The end: what has begun is finished, what only waits is not waited for, and nothing is lost.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use testkit::{Server, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{SOON, program, setup, signal};

const KEY: &str = "key-of-ann";

async fn server() -> Server {
    setup().user("ann@example.com", "ann", KEY).start().await
}

#[tokio::test]
async fn a_request_to_terminate_ends_it_in_good_order() {
    let mut server = server().await;
    assert_eq!(server.stop().await.code(), Some(0));
    assert!(server.log().contains("stopping"));
}

#[test]
fn an_interrupt_does_so_too() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let mut server = program(&["serve", "--listen=127.0.0.1:0", "--data-dir", data_dir])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(server.stdout.take().unwrap());
    let listens = |line: std::io::Result<String>| line.unwrap().starts_with("listening on");
    assert!(said.lines().any(listens));
    signal("INT", server.id());
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn an_open_poll_does_not_hold_it_up() {
    let mut server = server().await;
    let mut polls = JoinSet::new();
    for _ in 0..2 {
        let user = server.user(KEY);
        polls.spawn(async move { user.get("/v1/phones/notifications?wait=50").await });
    }
    // Of two polls the older ends, so the other one is open by then.
    let older = polls.join_next().await.unwrap().unwrap();
    assert_eq!(older.status, 204);

    let asked = Instant::now();
    assert!(server.stop().await.success());
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let open = polls.join_next().await.unwrap().unwrap();
    assert_eq!((open.status, open.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn an_open_stream_ends_whole() {
    let mut server = server().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let ask =
        format!("GET /v1/events/stream HTTP/1.1\r\nHost: {address}\r\nX-Api-Key: {KEY}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // The first sign of life comes before anything has happened.
    while !answer.contains(": beat") {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "{answer}");
        answer.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let asked = Instant::now();
    let rest = async { stream.read_to_string(&mut answer).await.unwrap() };
    let (ended, _) = tokio::join!(server.stop(), rest);
    assert!(ended.success());
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
}

/// Opens a request whose body is still to come, and returns once the server asks for it.
async fn half_a_request(server: &Server) -> TcpStream {
    let address = server.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/messages/send HTTP/1.1\r\nHost: {address}\r\nX-Api-Key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut invitation = [0; 25];
    stream.read_exact(&mut invitation).await.unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn a_request_in_work_is_answered_first() {
    let mut server = server().await;
    let mut stream = half_a_request(&server).await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let finish = async {
        until("it takes no more connections", SOON, async || {
            TcpStream::connect(&address).await.is_err().then_some(())
        })
        .await;
        stream.write_all(b"{}").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (ended, answer) = tokio::join!(server.stop(), finish);
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut server = server().await;
    let _unfinished = half_a_request(&server).await;
    signal("TERM", server.pid());
    server.wait_for_log("stopping", SOON).await;
    assert_eq!(server.stop().await.code(), Some(128 + 15));
}

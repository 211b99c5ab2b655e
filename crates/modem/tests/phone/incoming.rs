//! Strangers who write or ring, and recipients who answer.

use std::time::Duration;

use crate::running::Running;
use crate::server::Server;
use crate::{A, B, C, CALLS, RECEIVE};

#[tokio::test]
async fn strangers_write_to_all_numbers() {
    let server = Server::start();
    let phone = Running::start(&server, |options| {
        options.numbers = vec![A.into(), B.into()];
        options.incoming_every = Some(Duration::from_millis(5));
        options.seed = Some(1);
    });
    server
        .until("both numbers", |world| {
            let to = |number| world.seen(RECEIVE).iter().any(|it| it.body["to"] == number);
            to(A) && to(B)
        })
        .await;
    let (summary, _) = phone.stop().await;
    let received = server.with(|world| world.seen(RECEIVE));
    for body in received.iter().map(|seen| &seen.body) {
        assert_eq!(
            body.as_object().map(serde_json::Map::len),
            Some(7),
            "{body:?}"
        );
        assert!(body["from"].as_str().unwrap().starts_with("+120255501"));
        assert_eq!(body["sim"], if body["to"] == A { "SIM1" } else { "SIM2" });
        assert!((1..=2048).contains(&body["content"].as_str().unwrap().len()));
        assert_eq!(body["encrypted"], false);
        assert!(body["attachments"].is_null());
        assert!(body["timestamp"].as_str().unwrap().ends_with("000000Z"));
    }
    assert_eq!(summary.received as usize, received.len());
}

#[tokio::test]
async fn some_ring_instead() {
    let server = Server::start();
    let phone = Running::start(&server, |options| {
        options.incoming_every = Some(Duration::from_millis(5));
        options.missed_call_rate = 1.0;
    });
    server
        .until("two calls", |world| world.seen(CALLS).len() >= 2)
        .await;
    let (summary, _) = phone.stop().await;
    let calls = server.with(|world| world.seen(CALLS));
    assert_eq!(calls[0].body.as_object().unwrap().len(), 4);
    assert_eq!(
        (calls[0].body["to"].as_str(), summary.received),
        (Some(A), 0)
    );
    assert_eq!(summary.missed_calls as usize, calls.len());
}

#[tokio::test]
async fn some_recipients_answer() {
    let server = Server::start();
    for _ in 0..20 {
        server.send(|_| {});
    }
    let phone = Running::start(&server, |options| {
        options.replies = true;
        options.seed = Some(1);
    });
    server
        .until("an answer", |world| !world.seen(RECEIVE).is_empty())
        .await;
    let (summary, _) = phone.stop().await;
    let answers = server.with(|world| world.seen(RECEIVE));
    assert_eq!(
        (
            answers[0].body["from"].as_str(),
            answers[0].body["to"].as_str()
        ),
        (Some(C), Some(A))
    );
    assert!(summary.received < 20, "not all of them: {summary}");
}

#[tokio::test]
async fn what_comes_in_is_kept_while_the_server_is_busy_and_given_up_when_it_is_refused() {
    let server = Server::start();
    server.fail(RECEIVE, [503, 500, 402]);
    let phone = Running::start(&server, |options| {
        options.incoming_every = Some(Duration::from_millis(50));
    });
    server
        .until("four tries", |world| world.seen(RECEIVE).len() >= 4)
        .await;
    let (summary, _) = phone.stop().await;
    let tries = server.with(|world| world.seen(RECEIVE).len());
    assert_eq!((summary.errors, summary.received as usize), (3, tries - 3));
    assert_eq!(summary.unreported, 0);
}

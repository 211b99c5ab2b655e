//! Servers that go away, come back, refuse the phone or never answer well.

use std::time::Duration;

use modem::Error;
use modem::simulate::Happening;
use serde_json::json;

use crate::running::{Running, count};
use crate::server::{Server, message};
use crate::{BEAT, CLAIM, POLL, RECEIVE};

#[tokio::test]
async fn a_revoked_key_ends_the_open_poll_and_the_run() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    server
        .until("a poll", |world| world.seen(POLL).len() == 1)
        .await;
    server.with(|world| world.revoked = true);
    let error = phone.end().await;
    assert!(matches!(error, Error::Revoked), "{error}");
    assert!(!error.to_string().contains("pk_"));
}

#[tokio::test]
async fn an_unknown_key_is_refused_at_once() {
    let server = Server::start();
    let phone = Running::start(&server, |options| options.api_key = "pk_wrong".into());
    assert!(matches!(phone.end().await, Error::Unauthorized));
    assert_eq!(server.with(|world| world.journal.len()), 1);
}

#[tokio::test]
async fn a_server_without_notifications_is_named() {
    let server = Server::start();
    server.fail(POLL, [404]);
    let phone = Running::start(&server, |_| {});
    assert!(matches!(phone.end().await, Error::NotFound(_)));
}

#[tokio::test]
async fn a_refusal_on_a_line_that_worked_before_is_survived() {
    let server = Server::start();
    server.notify(json!({ "KEY_SOMETHING": "new" }));
    let phone = Running::start(&server, |_| {});
    server
        .until("a second poll", |world| world.seen(POLL).len() == 2)
        .await;
    server.fail(POLL, [404]);
    server.notify(json!({ "KEY_SOMETHING": "new" }));
    let id = server.send(|_| {});
    server
        .until("both reports", |world| world.has_events(id, 2))
        .await;
    phone.stop().await;
}

#[tokio::test]
async fn a_phone_waits_for_a_server_that_is_not_there_yet() {
    let mut server = Server::absent();
    let phone = Running::start(&server, |_| {});
    phone
        .hear(|it| matches!(it, Happening::Offline { .. }))
        .await;
    server.revive();
    server
        .until("a heartbeat", |world| world.seen(BEAT).len() == 1)
        .await;
    let (summary, _) = phone.stop().await;
    assert_eq!(summary.registered, 1);
}

#[tokio::test]
async fn no_report_and_no_message_is_lost_when_the_server_is_killed() {
    let mut server = Server::start();
    let phone = Running::start(&server, |options| {
        options.latency = Duration::from_millis(200)..Duration::from_millis(400);
        options.delivery_latency = Duration::from_millis(50)..Duration::from_millis(100);
        options.incoming_every = Some(Duration::from_millis(100));
    });
    let ids: Vec<_> = (0..20).map(|_| server.send(|_| {})).collect();
    server
        .until("all claims", |world| world.seen(CLAIM).len() == 20)
        .await;
    server.kill().await;
    // Longer than any latency: what the phone has to say it can only say later.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let before = server.with(|world| world.seen(RECEIVE).len());
    server.revive();
    for id in ids {
        server
            .until("both reports", |world| {
                world
                    .event_names(id)
                    .ends_with(&["SENT".into(), "DELIVERED".into()])
            })
            .await;
    }
    let late = server.send(|_| {});
    server
        .until("a new message", |world| world.has_events(late, 2))
        .await;
    let (summary, happenings) = phone.stop().await;
    assert_eq!(
        (summary.sent, summary.delivered, summary.unreported),
        (21, 21, 0)
    );
    assert!(summary.errors > 0);
    assert!(server.with(|world| world.seen(RECEIVE).len()) > before);
    assert_eq!(count(&happenings, |it| matches!(it, Happening::Online)), 1);
}

#[tokio::test]
async fn a_message_claimed_by_a_lost_answer_is_not_sent_and_comes_again() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let id = uuid::Uuid::from_u128(5);
    // The claim is gone, as after an answer that never arrived.
    server.notify(json!({ "KEY_MESSAGE_ID": id }));
    server
        .until("a claim", |world| world.seen(CLAIM).len() == 1)
        .await;
    server.push(id, message(id));
    server
        .until("both reports", |world| world.has_events(id, 2))
        .await;
    let (summary, _) = phone.stop().await;
    assert_eq!((summary.claimed, summary.repeated), (1, 0));
}

#[tokio::test]
async fn a_stopping_phone_does_not_wait_for_ever() {
    let server = Server::start();
    server.fail("/events", std::iter::repeat_n(503, 1_000));
    let phone = Running::start(&server, |options| {
        options.flush = Duration::from_millis(100);
    });
    let id = server.send(|_| {});
    server.until("a try", |world| world.has_events(id, 1)).await;
    let (summary, _) = phone.stop().await;
    assert_eq!((summary.sent, summary.unreported), (0, 1));
}

#[tokio::test]
async fn many_phones_share_one_process() {
    let servers: Vec<_> = (0..10).map(|_| Server::start()).collect();
    let start = |server| Running::start(server, |_| {});
    let phones: Vec<_> = servers.iter().map(start).collect();
    for (server, phone) in servers.iter().zip(phones) {
        let id = server.send(|_| {});
        server
            .until("both reports", |world| world.has_events(id, 2))
            .await;
        let (summary, _) = phone.stop().await;
        assert_eq!((summary.sent, summary.errors), (1, 0));
    }
}

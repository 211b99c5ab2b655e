//! Claim, send, report: the order of things, and every way it can go wrong.

use std::time::Duration;

use modem::simulate::Happening;
use serde_json::json;

use crate::running::{Running, count};
use crate::server::{Server, message};
use crate::{A, C, CLAIM};

#[tokio::test]
async fn a_message_is_claimed_sent_and_delivered() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let id = server.send(|message| message["content"] = "a \"quoted\" text".into());
    server
        .until("both reports", |world| world.has_events(id, 2))
        .await;
    let (summary, happenings) = phone.stop().await;

    let events = server.with(|world| world.events(id));
    assert_eq!(
        server.with(|world| world.event_names(id)),
        ["SENT", "DELIVERED"]
    );
    for event in &events {
        assert!(event["reason"].is_null());
        let stamp = event["timestamp"].as_str().unwrap();
        assert!(stamp.len() == 30 && stamp.ends_with("000000Z"), "{stamp}");
    }
    assert!(events[0]["timestamp"].as_str() <= events[1]["timestamp"].as_str());
    assert_eq!(
        (
            summary.claimed,
            summary.sent,
            summary.delivered,
            summary.failed
        ),
        (1, 1, 1, 0)
    );
    assert!(happenings.contains(&Happening::Sending {
        id,
        from: A.into(),
        to: C.into(),
        content: "a \"quoted\" text".into(),
    }));
}

#[tokio::test]
async fn a_refused_message_is_reported_failed_with_a_reason() {
    let server = Server::start();
    let phone = Running::start(&server, |options| options.failure_rate = 1.0);
    let id = server.send(|_| {});
    server
        .until("a report", |world| world.has_events(id, 1))
        .await;
    let (summary, _) = phone.stop().await;

    let events = server.with(|world| world.events(id));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event_name"], "FAILED");
    let reason = events[0]["reason"].as_str().unwrap();
    let known = [
        "GENERIC_FAILURE",
        "NO_SERVICE",
        "NULL_PDU",
        "RADIO_OFF",
        "LIMIT_EXCEEDED",
    ];
    assert!(known.contains(&reason), "{reason}");
    assert_eq!((summary.sent, summary.failed), (0, 1));
}

#[tokio::test]
async fn a_message_that_cannot_be_claimed_is_ignored() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let ghost = uuid::Uuid::from_u128(7);
    server.notify(json!({ "KEY_MESSAGE_ID": ghost }));
    server
        .until("a claim", |world| world.seen(CLAIM).len() == 1)
        .await;
    let (summary, happenings) = phone.stop().await;
    assert_eq!((summary.claimed, summary.errors), (0, 0));
    assert!(happenings.contains(&Happening::NotOurs { id: ghost }));
    assert!(server.with(|world| world.events(ghost)).is_empty());
}

#[tokio::test]
async fn claims_and_reports_are_tried_again_while_the_server_is_busy() {
    let server = Server::start();
    server.fail(CLAIM, [503]);
    server.fail("/events", [503, 429, 408]);
    let phone = Running::start(&server, |_| {});
    let id = server.send(|_| {});
    server
        .until("all reports", |world| world.has_events(id, 5))
        .await;
    let (summary, _) = phone.stop().await;
    let names = server.with(|world| world.event_names(id));
    assert_eq!(names, ["SENT", "SENT", "SENT", "SENT", "DELIVERED"]);
    let events = server.with(|world| world.events(id));
    assert_eq!(events[0], events[3], "the same report each time");
    assert_eq!((summary.sent, summary.delivered, summary.errors), (1, 1, 4));
}

#[tokio::test]
async fn a_report_refused_for_good_is_given_up() {
    let server = Server::start();
    server.fail("/events", [422]);
    let phone = Running::start(&server, |_| {});
    let id = server.send(|_| {});
    server
        .until("both reports", |world| world.has_events(id, 2))
        .await;
    let (summary, happenings) = phone.stop().await;
    let names = server.with(|world| world.event_names(id));
    assert_eq!(names, ["SENT", "DELIVERED"]);
    assert_eq!((summary.sent, summary.delivered, summary.errors), (0, 1, 1));
    let gave_up = |it: &Happening| matches!(it, Happening::GaveUp { .. });
    assert_eq!(count(&happenings, gave_up), 1);
}

#[tokio::test]
async fn a_message_deleted_meanwhile_is_done() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let id = server.send(|message| {
        let id: uuid::Uuid = message["id"].as_str().unwrap().parse().unwrap();
        server.with(|world| world.deleted.insert(id));
    });
    server
        .until("a report", |world| world.has_events(id, 1))
        .await;
    let (summary, _) = phone.stop().await;
    assert_eq!(server.with(|world| world.event_names(id)), ["SENT"]);
    assert_eq!((summary.sent, summary.delivered, summary.errors), (0, 0, 0));
}

#[tokio::test]
async fn dropped_reports_are_never_posted() {
    let server = Server::start();
    let phone = Running::start(&server, |options| options.drop_rate = 1.0);
    let id = server.send(|_| {});
    server
        .until("a claim", |world| world.seen(CLAIM).len() == 1)
        .await;
    let (summary, happenings) = phone.stop().await;
    assert!(server.with(|world| world.events(id)).is_empty());
    assert_eq!((summary.claimed, summary.sent, summary.dropped), (1, 0, 2));
    let dropped = |it: &Happening| matches!(it, Happening::Dropped { .. });
    assert_eq!(count(&happenings, dropped), 2);
}

#[tokio::test]
async fn doubled_reports_are_posted_twice_and_counted_once() {
    let server = Server::start();
    let phone = Running::start(&server, |options| options.duplicate_rate = 1.0);
    let id = server.send(|_| {});
    server
        .until("four reports", |world| world.has_events(id, 4))
        .await;
    let (summary, _) = phone.stop().await;
    let names = server.with(|world| world.event_names(id));
    assert_eq!(names, ["SENT", "SENT", "DELIVERED", "DELIVERED"]);
    assert_eq!(
        (summary.sent, summary.delivered, summary.duplicated),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn a_message_pushed_again_after_expiry_is_answered_but_not_sent_again() {
    let server = Server::start();
    server.fail("/events", [400, 400]);
    let phone = Running::start(&server, |_| {});
    let id = server.send(|_| {});
    server
        .until("the lost reports", |world| world.has_events(id, 2))
        .await;
    server.push(id, message(id));
    server
        .until("the same again", |world| world.has_events(id, 4))
        .await;
    let (summary, happenings) = phone.stop().await;

    let events = server.with(|world| world.events(id));
    assert_eq!(
        events[..2],
        events[2..],
        "the stored result, with its first timestamps"
    );
    assert_eq!((summary.claimed, summary.repeated, summary.sent), (2, 1, 1));
    let sending = |it: &Happening| matches!(it, Happening::Sending { .. });
    assert_eq!(count(&happenings, sending), 1);
    assert!(happenings.contains(&Happening::SentBefore { id }));
}

#[tokio::test]
async fn a_stored_failure_is_told_again_too() {
    let server = Server::start();
    server.fail("/events", [400]);
    let phone = Running::start(&server, |options| options.failure_rate = 1.0);
    let id = server.send(|_| {});
    server
        .until("the lost report", |world| world.has_events(id, 1))
        .await;
    server.push(id, message(id));
    server
        .until("the same again", |world| world.has_events(id, 2))
        .await;
    let (summary, _) = phone.stop().await;
    let events = server.with(|world| world.events(id));
    assert_eq!(events[0], events[1]);
    assert_eq!((summary.repeated, summary.failed), (1, 1));
}

#[tokio::test]
async fn only_so_many_are_sent_at_once_and_a_stopping_phone_hurries() {
    let server = Server::start();
    let phone = Running::start(&server, |options| {
        let long = Duration::from_hours(1);
        options.latency = long..long;
        options.delivery_latency = long..long;
        options.flush = Duration::from_secs(30);
    });
    for _ in 0..100 {
        server.send(|_| {});
    }
    server
        .until("a full hand", |world| world.seen(CLAIM).len() == 64)
        .await;
    let (summary, _) = phone.stop().await;
    assert_eq!(
        (summary.claimed, summary.sent, summary.delivered),
        (64, 64, 64)
    );
    assert_eq!(summary.unreported, 0);
}

#[tokio::test]
async fn an_encrypted_message_fails_without_a_passphrase() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let id = server.send(|message| message["encrypted"] = true.into());
    server
        .until("a report", |world| world.has_events(id, 1))
        .await;
    phone.stop().await;
    assert_eq!(
        server.with(|world| world.events(id))[0]["reason"],
        "Outgoing message is encrypted but mobile app has no encryption key"
    );
}

#[tokio::test]
async fn files_are_fetched_without_the_key_and_mms_has_no_delivery_report() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let (small, moved) = (
        server.url().join("files/1572864").unwrap(),
        server.url().join("files/moved/10").unwrap(),
    );
    let id =
        server.send(|message| message["attachments"] = json!([small.as_str(), moved.as_str()]));
    server
        .until("a report", |world| world.has_events(id, 1))
        .await;
    let (summary, _) = phone.stop().await;
    assert_eq!(server.with(|world| world.event_names(id)), ["SENT"]);
    assert_eq!((summary.sent, summary.delivered), (1, 0));
    for path in ["/files/1572864", "/files/moved/10", "/files/10"] {
        let seen = server.with(|world| world.seen(path));
        assert_eq!(seen.len(), 1, "{path}");
        assert!(seen[0].key.is_none() && seen[0].version.is_none());
    }
}

#[tokio::test]
async fn a_file_too_large_fails_the_message() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    let large = server.url().join("files/1572865").unwrap();
    let id = server.send(|message| message["attachments"] = json!([large.as_str()]));
    server
        .until("a report", |world| world.has_events(id, 1))
        .await;
    phone.stop().await;
    let events = server.with(|world| world.events(id));
    assert_eq!(events[0]["event_name"], "FAILED");
    assert_eq!(
        events[0]["reason"],
        "Failed to download attachment or file size exceeded 1.5MB."
    );
}

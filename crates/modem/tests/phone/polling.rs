//! Logging in, heartbeats and the long poll.

use std::time::{Duration, Instant};

use modem::simulate::Happening;
use serde_json::json;

use crate::running::{Running, count};
use crate::server::Server;
use crate::{A, B, BEAT, C, POLL};

#[tokio::test]
async fn each_number_is_registered_and_heartbeats_carry_two_at_most() {
    let server = Server::start();
    let phone = Running::start(&server, |options| {
        options.numbers = [A, B, C].map(Into::into).to_vec();
    });
    phone.count(|summary| summary.heartbeats == 3).await;
    let (summary, _) = phone.stop().await;

    let registered = server.with(|world| world.seen("/fcm-token"));
    let token = registered[0].body["fcm_token"].clone();
    assert!(token.as_str().unwrap().starts_with("stream:"));
    for (seen, (number, sim)) in registered
        .iter()
        .zip([(A, "SIM1"), (B, "SIM2"), (C, "SIM1")])
    {
        assert_eq!(
            seen.body,
            json!({ "fcm_token": token, "phone_number": number, "sim": sim })
        );
    }
    let beats = server.with(|world| world.seen(BEAT));
    assert_eq!(
        beats[0].body,
        json!({ "charging": true, "phone_numbers": [A, B] })
    );
    assert_eq!(beats[1].body["phone_numbers"], json!([C]));
    for seen in server.with(|world| world.journal.clone()) {
        assert!(seen.version.unwrap().starts_with("simulated-"));
    }
    assert_eq!((summary.registered, summary.heartbeats), (3, 3));
}

#[tokio::test]
async fn heartbeats_come_regularly_and_when_asked_for() {
    let server = Server::start();
    let phone = Running::start(&server, |_| {});
    server
        .until("the first", |world| world.seen(BEAT).len() == 1)
        .await;
    let id = server.notify(json!({ "KEY_HEARTBEAT_ID": "2026-01-02T03:04:05Z" }));
    server
        .until("the second", |world| world.seen(BEAT).len() == 2)
        .await;
    server
        .until("its acknowledgement", |world| {
            !world.offered.iter().any(|(offered, _)| *offered == id)
        })
        .await;
    phone.stop().await;

    let quick = Running::start(&server, |options| {
        options.heartbeat_every = Duration::from_millis(20);
    });
    server
        .until("more", |world| world.seen(BEAT).len() == 6)
        .await;
    quick.stop().await;
}

#[tokio::test]
async fn a_heartbeat_refused_in_the_first_moment_is_tried_again() {
    let server = Server::start();
    server.fail(BEAT, [401, 401]);
    let phone = Running::start(&server, |_| {});
    phone.count(|summary| summary.heartbeats == 1).await;
    let (summary, _) = phone.stop().await;
    assert_eq!((summary.heartbeats, summary.errors), (1, 2));
}

#[tokio::test]
async fn notifications_are_acknowledged_by_the_next_poll() {
    let server = Server::start();
    let ids = [
        server.notify(json!({ "KEY_SOMETHING": "new" })),
        server.notify(json!({ "KEY_HEARTBEAT_ID": "2026-01-02T03:04:05Z" })),
    ];
    let phone = Running::start(&server, |_| {});
    server
        .until("the next poll", |world| world.offered.is_empty())
        .await;
    phone.stop().await;
    let polls = server.with(|world| world.seen(POLL));
    assert_eq!(polls[0].query, "wait=50");
    assert_eq!(polls[1].query, format!("wait=50&ack={},{}", ids[0], ids[1]));
}

#[tokio::test]
async fn acknowledgements_of_a_failed_poll_go_with_the_next_one() {
    let server = Server::start();
    let id = server.notify(json!({ "KEY_SOMETHING": "new" }));
    let phone = Running::start(&server, |_| {});
    server
        .until("its acknowledgement", |world| world.offered.is_empty())
        .await;
    server.fail(POLL, [503]);
    let second = server.notify(json!({ "KEY_SOMETHING": "new" }));
    server
        .until("both polls after it", |world| {
            let mut acks = world.seen(POLL);
            acks.retain(|seen| seen.query.contains(&second.to_string()));
            acks.len() == 2
        })
        .await;
    phone.stop().await;
    let polls = server.with(|world| world.seen(POLL));
    assert!(polls[1].query.ends_with(&id.to_string()));
    let last = &polls[polls.len() - 1].query;
    assert!(
        last.starts_with("wait=0&ack="),
        "a quick look after a failure: {last}"
    );
}

#[tokio::test]
async fn a_phone_pushed_off_the_line_does_not_spin() {
    let server = Server::start();
    server.with(|world| world.impatient = true);
    let begun = Instant::now();
    let phone = Running::start(&server, |_| {});
    server
        .until("some polls", |world| world.seen(POLL).len() == 5)
        .await;
    // At least half of 0.1, 0.2, 0.4 and 0.8 seconds.
    assert!(begun.elapsed() >= Duration::from_millis(750));
    let (_, happenings) = phone.stop().await;
    let crowded = |it: &Happening| matches!(it, Happening::Crowded);
    assert_eq!(count(&happenings, crowded), 1);
}

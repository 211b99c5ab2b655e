//! Events on their way to webhooks: delivered, retried, given up, kept over restarts.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use courier::{Limits, Options, PrivateNetworks};
use gateway::event::Kind;
use testkit::{Received, Receiver, Respond, until};

use crate::support::{SOON, World, draft, on_each_engine, on_sqlite};

fn contents(requests: &[Received]) -> HashSet<String> {
    let content = |request: &Received| {
        request.json()["data"]["content"]
            .as_str()
            .map(str::to_owned)
    };
    requests.iter().filter_map(content).collect()
}

fn gaps(requests: &[Received]) -> Vec<Duration> {
    requests
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect()
}

#[tokio::test]
async fn an_event_is_delivered_once_and_its_row_is_gone() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::start().await;
        let mut world = world.carrying(Options::default());
        world.phone("").await;
        world.webhook(&receiver.url("/hook")).await;
        world.receive("on my way").await;
        let request = receiver.wait_for(1, SOON).await.remove(0);
        let sent = &world.events(Kind::MessagePhoneReceived).await[0];
        assert_eq!(request.body, sent.body, "byte for byte");
        world.nothing_left().await;
        world.stop().await;
        assert_eq!(receiver.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_error_is_retried_four_times_a_second_apart_and_given_up() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::answering(vec![Respond::text(503, "down for now")]).await;
        let mut world = world.carrying(Options::default());
        world.phone("").await;
        let webhook = world.webhook(&receiver.url("/hook")).await;
        world.receive("on my way").await;
        let requests = receiver.wait_for(5, SOON).await;
        let second = Duration::from_secs(1);
        assert!(
            gaps(&requests).iter().all(|gap| *gap >= second),
            "{:?}",
            gaps(&requests)
        );
        let bodies: HashSet<_> = requests.iter().map(|request| &request.body).collect();
        assert_eq!(bodies.len(), 1);

        let failed = world.payload(Kind::WebhookSendFailed).await;
        assert_eq!(failed["webhook_id"], webhook.id.to_string());
        assert_eq!(failed["http_response_status_code"], 503);
        assert_eq!(failed["error_message"], "down for now");
        world.nothing_left().await;
        assert_eq!((world.stats().retried(), world.stats().failed()), (4, 1));
        world.stop().await;
        assert_eq!(receiver.count(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_final_and_an_error_is_not() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let refusing = Receiver::answering(vec![Respond::status(404)]).await;
            let failing = Receiver::answering(vec![Respond::Reset, Respond::ok()]).await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            world.webhook(&refusing.url("/")).await;
            world.webhook(&failing.url("/")).await;
            world.receive("on my way").await;
            failing.wait_for(2, SOON).await;
            world.nothing_left().await;
            assert_eq!((refusing.count(), failing.count()), (1, 2));
            let failed = world.payload(Kind::WebhookSendFailed).await;
            assert_eq!(failed["error_message"], "Not Found");
        },
    )
    .await;
}

#[tokio::test]
async fn retries_go_on_after_a_restart() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::answering(vec![Respond::status(500)]).await;
        let world = world.carrying(Options::default());
        world.phone("").await;
        world.webhook(&receiver.url("/")).await;
        world.receive("on my way").await;
        receiver.wait_for(2, SOON).await;
        let world = world.reopened().await;
        assert!(receiver.count() <= 3);
        let world = world.carrying(Options::default());
        receiver.wait_for(5, SOON).await;
        world.nothing_left().await;
        let requests = receiver.requests();
        assert_eq!(requests.len(), 5, "the restart is no new beginning");
        assert!(
            gaps(&requests)
                .iter()
                .all(|gap| *gap >= Duration::from_secs(1))
        );
    })
    .await;
}

#[tokio::test]
async fn what_came_while_nobody_carried_is_found_and_more_than_fits_into_memory_waits() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::start().await;
        world.phone("").await;
        world.webhook(&receiver.url("/")).await;
        for index in 0..60 {
            world.receive(&format!("before {index}")).await;
        }
        let small = Options {
            limits: Limits {
                window: 10,
                refill: 5,
                chunk: 7,
                per_webhook: 2,
                ..Limits::default()
            },
            ..Options::default()
        };
        let world = world.carrying(small);
        for index in 0..60 {
            world.receive(&format!("during {index}")).await;
        }
        receiver
            .wait_until(|seen| contents(seen).len() == 120, SOON)
            .await;
        world.nothing_left().await;
        assert_eq!(receiver.count(), 120, "each once");
        assert!(receiver.most_at_once() <= 2);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_hold_up_another() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let hanging = Receiver::answering(vec![Respond::HangBeforeHeaders]).await;
            let quick = Receiver::start().await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            world.webhook(&hanging.url("/")).await;
            world.webhook(&quick.url("/")).await;
            let began = Instant::now();
            for index in 0..100 {
                world.receive(&format!("{index}")).await;
            }
            quick.wait_for(100, SOON).await;
            assert!(
                began.elapsed() < Duration::from_secs(4),
                "{:?}",
                began.elapsed()
            );
            assert!(hanging.most_at_once() <= 8, "{}", hanging.most_at_once());
        },
    )
    .await;
}

#[tokio::test]
async fn a_change_of_the_webhook_counts_at_once() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let old = Receiver::answering(vec![Respond::ok(), Respond::status(500)]).await;
            let new = Receiver::start().await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            let webhook = world.webhook(&old.url("/")).await;
            world.receive("one").await;
            old.wait_for(1, SOON).await;
            world.receive("two").await;
            old.wait_for(2, SOON).await;
            let change = draft(&new.url("/"));
            world
                .gateway
                .put_webhook(&world.user, webhook.id, change)
                .await
                .unwrap();
            world.receive("three").await;
            let requests = new.wait_for(2, SOON).await;
            assert_eq!(
                contents(&requests),
                HashSet::from(["two".to_owned(), "three".to_owned()])
            );

            new.answer(|_| Respond::status(500));
            world.receive("four").await;
            new.wait_for(3, SOON).await;
            world
                .gateway
                .delete_webhook(&world.user, webhook.id)
                .await
                .unwrap();
            world.nothing_left().await;
            assert_eq!(world.events(Kind::WebhookSendFailed).await.len(), 0);
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_in_flight_lands_before_the_end() {
    on_each_engine(async |world: World| {
        let slow = Respond::ok().after(Duration::from_millis(700));
        let receiver = Receiver::answering(vec![slow]).await;
        let mut world = world.carrying(Options::default());
        world.phone("").await;
        world.webhook(&receiver.url("/")).await;
        world.receive("on my way").await;
        receiver.wait_for(1, SOON).await;
        world.stop().await;
        let left = world.gateway.waiting(-1, None, 10).await.unwrap();
        assert!(left.is_empty(), "its end was written down");
    })
    .await;
}

#[tokio::test]
async fn private_networks_can_be_denied() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let receiver = Receiver::start().await;
            let options = Options {
                private_networks: PrivateNetworks::Deny,
                ..Options::default()
            };
            let world = world.carrying(options);
            world.phone("").await;
            world.webhook(&receiver.url("/")).await;
            world.receive("on my way").await;
            let failed = world.payload(Kind::WebhookSendFailed).await;
            let words = "the address of this host is not allowed";
            assert_eq!(failed["error_message"], words);
            assert_eq!(failed["http_response_status_code"], serde_json::Value::Null);
            assert_eq!(receiver.connections(), 0);
        },
    )
    .await;
}

#[tokio::test]
async fn a_burst_is_delivered_whole_and_each_once() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::start().await;
        let world = world.carrying(Options::default());
        world.phone("").await;
        world.webhook(&receiver.url("/")).await;
        let all = (0..8).map(async |lane| {
            for index in 0..50 {
                world.receive(&format!("{lane}-{index}")).await;
            }
        });
        futures(all).await;
        receiver.wait_for(400, SOON).await;
        world.nothing_left().await;
        assert_eq!(contents(&receiver.requests()).len(), 400);
        assert_eq!(receiver.count(), 400);
        let stats = world.stats();
        assert_eq!((stats.attempts(), stats.delivered()), (400, 400));
        until("the figures are at rest", SOON, async || {
            ((stats.in_flight(), stats.held()) == (0, 0)).then_some(())
        })
        .await;
    })
    .await;
}

/// Runs them all, each when it can go on.
async fn futures(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

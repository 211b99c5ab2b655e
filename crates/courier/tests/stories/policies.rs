//! What webhooks can ask for: signatures, forms, headers, rates, pauses; and what is logged of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use courier::Options;
use gateway::delivery::{State, Wanted};
use gateway::event::Kind;
use gateway::webhook::policy::{Mode, Policy, RetrySchedule};
use gateway::webhook::{Draft, Rotation};
use testkit::{Received, Receiver, Respond, until};

use crate::support::{KEY, SOON, World, draft, impatient, on_each_engine, on_sqlite};

/// What a receiver does that follows Standard Webhooks: one of the signatures must be right.
fn is_signed(request: &Received, key: &str) -> bool {
    let header = |name| request.header(name).unwrap();
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    signed.push_str(std::str::from_utf8(&request.body).unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let expected = hmac::sign(&key, signed.as_bytes());
    let expected = format!("v1,{}", BASE64_STANDARD.encode(expected));
    header("webhook-signature")
        .split(' ')
        .any(|one| one == expected)
}

#[tokio::test]
async fn a_new_key_signs_beside_the_old_one() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let receiver = Receiver::start().await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            let webhook = world.webhook(&receiver.url("/")).await;
            world.receive("one").await;
            let first = receiver.wait_for(1, SOON).await.remove(0);
            assert!(is_signed(&first, KEY));
            assert!(!is_signed(&first, "another"));
            assert_eq!(first.json()["id"], first.header("webhook-id").unwrap());
            let rotation = Rotation {
                signing_key: Some("the next one, long enough to be a key".to_owned()),
                ..Rotation::default()
            };
            let rotated = world
                .gateway
                .rotate_signing_key(&world.user, webhook.id, rotation);
            rotated.await.unwrap();
            world.receive("two").await;
            let second = receiver.wait_for(2, SOON).await.remove(1);
            assert!(is_signed(&second, KEY), "the old one still signs");
            assert!(is_signed(&second, "the next one, long enough to be a key"));
        },
    )
    .await;
}

#[tokio::test]
async fn data_alone_with_headers_of_its_own_is_logged_without_secrets() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let receiver = Receiver::answering(vec![Respond::text(200, "thanks")]).await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            let draft = Draft {
                policy: Policy {
                    mode: Mode::Binary,
                    ..Policy::default()
                },
                headers: Some(BTreeMap::from([(
                    "X-Tenant".to_owned(),
                    "seven of nine".to_owned(),
                )])),
                ..draft(&receiver.url("/"))
            };
            let webhook = world.gateway.add_webhook(&world.user, draft).await.unwrap();
            world.receive("on my way").await;
            let request = receiver.wait_for(1, SOON).await.remove(0);
            assert_eq!(request.json()["content"], "on my way");
            assert_eq!(request.header("ce-type"), Some("message.phone.received"));
            assert_eq!(request.header("ce-specversion"), Some("1.0"));
            assert_eq!(request.header("ce-id"), request.header("webhook-id"));
            assert_eq!(request.header("x-tenant"), Some("seven of nine"));
            assert!(is_signed(&request, KEY), "of the data");
            world.nothing_left().await;

            let logged = logged(&world, webhook.id).await;
            assert_eq!(logged.status, Some(200));
            assert_eq!(logged.response_body.as_deref(), Some("thanks"));
            assert_eq!(logged.error, None);
            let headers: serde_json::Value = serde_json::from_str(&logged.request_headers).unwrap();
            for hidden in ["authorization", "x-tenant", "webhook-signature"] {
                assert_eq!(headers[hidden], "[hidden]", "{hidden}");
            }
            assert_eq!(headers["content-type"], "application/json");
        },
    )
    .await;
}

async fn logged(world: &World, webhook: gateway::Uuid) -> gateway::delivery::Attempt {
    let wanted = Wanted {
        limit: 1,
        ..Wanted::default()
    };
    let deliveries = world.gateway.deliveries(&world.user, webhook, wanted).await;
    let id = deliveries.unwrap()[0].id;
    let detail = world.gateway.delivery(&world.user, webhook, id).await;
    detail.unwrap().log.remove(0)
}

#[tokio::test]
async fn a_paused_webhook_gets_nothing_and_then_everything() {
    on_each_engine(async |world: World| {
        let receiver = Receiver::answering(vec![Respond::status(500), Respond::ok()]).await;
        let world = world.carrying(Options::default());
        world.phone("").await;
        let webhook = world.webhook(&receiver.url("/")).await;
        world.receive("before").await;
        receiver.wait_for(1, SOON).await;
        let paused = world.gateway.pause_webhook(&world.user, webhook.id).await;
        paused.unwrap();
        world.receive("meanwhile").await;
        until("what is in memory is parked", SOON, async || {
            (world.stats().held() == 0).then_some(())
        })
        .await;
        assert_eq!(receiver.count(), 1);
        let resumed = world.gateway.resume_webhook(&world.user, webhook.id).await;
        resumed.unwrap();
        world.nothing_left().await;
        assert_eq!(receiver.count(), 3);
        assert_eq!(world.stats().attempts(), 3, "parking is no attempt");
        let wanted = Wanted {
            state: Some(State::Delivered),
            limit: 10,
            ..Wanted::default()
        };
        let deliveries = world
            .gateway
            .deliveries(&world.user, webhook.id, wanted)
            .await;
        let mut attempts: Vec<_> = deliveries.unwrap().iter().map(|one| one.attempts).collect();
        attempts.sort_unstable();
        assert_eq!(attempts, [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_rate_and_a_concurrency_are_kept() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let slow = Respond::ok().after(Duration::from_millis(30));
            let receiver = Receiver::answering(vec![slow]).await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            let policy = Policy {
                max_concurrency: Some(2),
                max_per_second: Some(10),
                ..impatient()
            };
            world.webhook_with(&receiver.url("/"), policy).await;
            let began = Instant::now();
            for index in 0..25 {
                world.receive(&index.to_string()).await;
            }
            receiver.wait_for(25, SOON).await;
            let took = began.elapsed();
            assert!(took > Duration::from_millis(2_200), "{took:?}");
            assert!(receiver.most_at_once() <= 2);
        },
    )
    .await;
}

#[tokio::test]
async fn a_receiver_that_only_fails_is_given_a_rest_and_then_gets_everything() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let receiver = Receiver::answering(vec![Respond::status(500)]).await;
            let world = world.carrying(Options::default());
            world.phone("").await;
            let policy = Policy {
                retry_schedule: RetrySchedule::Delays(vec![3600]),
                ..Policy::default()
            };
            world.webhook_with(&receiver.url("/"), policy).await;
            for index in 0..80 {
                world.receive(&index.to_string()).await;
            }
            until("it is given a rest", SOON, async || {
                (world.stats().resting() == 1).then_some(())
            })
            .await;
            let begun = receiver.count();
            assert!((50..70).contains(&begun), "{begun}");
            receiver.answer(|_| Respond::ok());
            receiver.wait_for(80, SOON).await;
            until("it is back", SOON, async || {
                (world.stats().resting() == 0).then_some(())
            })
            .await;
            assert_eq!(world.events(Kind::WebhookSendFailed).await.len(), 0);
        },
    )
    .await;
}

//! What a webhook's owner can ask for: the log, replays, pauses, order, filters, new keys.

use std::time::Duration;

use gateway::delivery::{Cause, Delivery, Outcome, State, Wanted};
use gateway::event::Kind;
use gateway::replay::{Selection, Stage};
use gateway::webhook::policy::{Ordering, Policy};
use gateway::webhook::{PauseReason, Rotation, Webhook, active, valid};
use gateway::{Error, Time};
use serde_json::json;

use crate::support::{CONTACT, MINUTE, OWNER, World, incoming, on_each_engine};

async fn receive(world: &World, from: &str, content: &str) {
    world
        .gateway
        .receive(&world.user, incoming(world, from, content))
        .await
        .unwrap();
}

async fn fail(world: &World, delivery: &Delivery) {
    let dead = Outcome::Dead {
        status: Some(503),
        error: "down".to_owned(),
    };
    world.settle(delivery, dead).await;
}

async fn list(world: &World, webhook: &Webhook, state: Option<State>) -> Vec<i64> {
    let wanted = Wanted {
        state,
        limit: 100,
        ..Wanted::default()
    };
    let found = world
        .gateway
        .deliveries(&world.user, webhook.id, wanted)
        .await
        .unwrap();
    found.iter().map(|delivery| delivery.id).collect()
}

fn everything(world: &World, failed_only: bool) -> Selection {
    Selection {
        failed_only,
        event_types: Vec::new(),
        since: 0,
        until: (world.now() + MINUTE).micros(),
    }
}

#[tokio::test]
async fn every_attempt_is_in_the_log() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        receive(&world, CONTACT, "hi").await;
        let mut delivery = world.told().remove(0);
        assert_eq!(
            list(&world, &webhook, Some(State::Waiting)).await,
            [delivery.id]
        );

        let due_at = world.now() + Duration::from_secs(1);
        world
            .settle(&delivery, Outcome::Retry { due_at, held: true })
            .await;
        assert_eq!(
            list(&world, &webhook, Some(State::Retrying)).await,
            [delivery.id]
        );
        assert!(
            list(&world, &webhook, Some(State::Waiting))
                .await
                .is_empty()
        );

        delivery.attempt = 2;
        world.settle(&delivery, Outcome::Delivered).await;
        assert_eq!(
            list(&world, &webhook, Some(State::Delivered)).await,
            [delivery.id]
        );
        assert!(
            list(&world, &webhook, Some(State::Retrying))
                .await
                .is_empty()
        );

        let detail = world
            .gateway
            .delivery(&world.user, webhook.id, delivery.id)
            .await
            .unwrap();
        let states: Vec<_> = detail.log.iter().map(|attempt| attempt.state).collect();
        assert_eq!(states, [State::Retrying, State::Delivered]);
        assert_eq!(detail.log[0].next_attempt_at, Some(due_at));
        let shown = serde_json::to_value(&detail).unwrap();
        assert_eq!(shown["event"]["data"]["content"], "hi");
        assert_eq!(
            (&shown["attempts"], &shown["state"]),
            (&json!(2), &json!("delivered"))
        );
        assert_eq!(shown["log"][0]["response_body"], "thanks");

        let health = world
            .gateway
            .webhook_health(&world.user, webhook.id)
            .await
            .unwrap();
        assert_eq!(
            (health.attempts, health.success_rate, health.p99_us),
            (2, Some(0.5), Some(12_000))
        );

        let nobody = world
            .gateway
            .delivery(&world.user, gateway::Uuid::nil(), delivery.id)
            .await;
        assert!(matches!(nobody, Err(Error::NotFound(_))));
        let purged = world
            .gateway
            .purge_attempts(world.now() + MINUTE)
            .await
            .unwrap();
        assert_eq!(purged, 2);
        assert!(list(&world, &webhook, None).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn one_delivery_can_be_replayed() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        receive(&world, CONTACT, "hi").await;
        let first = world.told().remove(0);
        fail(&world, &first).await;
        let again = world
            .gateway
            .replay_delivery(&world.user, webhook.id, first.id)
            .await
            .unwrap();
        let loaded = world.load().await;
        assert_eq!((loaded[0].id, loaded[0].cause), (again, Cause::Replay));
        assert_eq!(
            loaded[0].letter.as_ref().unwrap().body,
            first.letter.unwrap().body
        );
        world.settle(&loaded[0], Outcome::Delivered).await;
        assert_eq!(
            list(&world, &webhook, Some(State::Failed)).await,
            [first.id]
        );
        let unknown = world
            .gateway
            .replay_delivery(&world.user, webhook.id, 999)
            .await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn a_replay_of_many_is_queued_in_parts_with_progress() {
    on_each_engine(async |world: World| {
        world.phone().await;
        for number in 0..620 {
            receive(&world, CONTACT, &number.to_string()).await;
        }
        // The events are older than the webhook.
        let webhook = world.webhook().await;
        let selection = everything(&world, false);
        let replay = world
            .gateway
            .start_replay(&world.user, webhook.id, selection)
            .await
            .unwrap();
        assert_eq!(
            (replay.stage, replay.total, replay.queued),
            (Stage::Running, 620, 0)
        );
        let mut world = world.restarted().await;
        while world.gateway.fire_timers().await.unwrap() > 0 {}
        let progress = world
            .gateway
            .replay(&world.user, webhook.id, replay.id)
            .await
            .unwrap();
        assert_eq!((progress.stage, progress.queued), (Stage::Queued, 620));
        let loaded = world.load().await;
        assert_eq!(loaded.len(), 620);
        world.settle(&loaded[0], Outcome::Delivered).await;
        fail(&world, &loaded[1]).await;
        let progress = world
            .gateway
            .replay(&world.user, webhook.id, replay.id)
            .await
            .unwrap();
        assert_eq!((progress.delivered, progress.failed), (1, 1));

        let cancelled = world
            .gateway
            .cancel_replay(&world.user, webhook.id, replay.id)
            .await
            .unwrap();
        assert_eq!(cancelled.stage, Stage::Cancelled);
        let mut rest = world.load().await;
        rest.extend(world.told());
        assert!(rest.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_replay_brings_only_what_the_webhook_chose() {
    on_each_engine(async |world: World| {
        world.phone().await;
        receive(&world, CONTACT, "your code").await;
        receive(&world, CONTACT, "hello").await;
        let filter = serde_json::from_str(r#"{"content":"code"}"#).unwrap();
        let webhook = world
            .webhook_with(Policy {
                filter,
                ..Policy::default()
            })
            .await;
        let selection = everything(&world, false);
        let replay = world
            .gateway
            .start_replay(&world.user, webhook.id, selection)
            .await
            .unwrap();
        while world.gateway.fire_timers().await.unwrap() > 0 {}
        assert_eq!(world.load().await.len(), 1);
        let progress = world
            .gateway
            .replay(&world.user, webhook.id, replay.id)
            .await
            .unwrap();
        assert_eq!((progress.total, progress.queued), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_replayed_alone() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        for content in ["arrives", "fails", "fails too"] {
            receive(&world, CONTACT, content).await;
        }
        let told = world.told();
        world.settle(&told[0], Outcome::Delivered).await;
        fail(&world, &told[1]).await;
        fail(&world, &told[2]).await;
        let selection = everything(&world, true);
        world
            .gateway
            .start_replay(&world.user, webhook.id, selection)
            .await
            .unwrap();
        while world.gateway.fire_timers().await.unwrap() > 0 {}
        let seqs: Vec<_> = world
            .load()
            .await
            .iter()
            .map(|row| row.letter.as_ref().unwrap().seq)
            .collect();
        let expected: Vec<_> = told[1..]
            .iter()
            .map(|row| row.letter.as_ref().unwrap().seq)
            .collect();
        assert_eq!(seqs, expected);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_it_missed_if_it_wants() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let policy = Policy {
            catch_up: true,
            ..Policy::default()
        };
        let webhook = world.webhook_with(policy).await;
        receive(&world, CONTACT, "missed").await;
        let missed = world.told().remove(0);
        fail(&world, &missed).await;
        world.pass(MINUTE).await;
        receive(&world, CONTACT, "arrives").await;
        let arrives = world.told().remove(0);
        world.settle(&arrives, Outcome::Delivered).await;
        while world.gateway.fire_timers().await.unwrap() > 0 {}
        let loaded = world.load().await;
        assert_eq!(loaded.len(), 1);
        assert_eq!(
            loaded[0].letter.as_ref().unwrap().seq,
            missed.letter.unwrap().seq
        );
        let page = gateway::Page {
            limit: 1,
            ..gateway::Page::default()
        };
        let shown = world
            .gateway
            .webhooks(&world.user, page)
            .await
            .unwrap()
            .remove(0);
        assert_eq!((shown.id, shown.failing_since), (webhook.id, None));
    })
    .await;
}

#[tokio::test]
async fn a_paused_webhook_waits_and_gets_everything_later() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        receive(&world, CONTACT, "held in memory").await;
        let held = world.told().remove(0);
        let paused = world
            .gateway
            .pause_webhook(&world.user, webhook.id)
            .await
            .unwrap();
        assert_eq!(paused.pause_reason, Some(PauseReason::Asked));
        assert!(
            world
                .gateway
                .endpoint(webhook.id)
                .await
                .unwrap()
                .unwrap()
                .paused
        );
        world.settle(&held, Outcome::Parked).await;
        receive(&world, CONTACT, "waits").await;
        assert!(world.told().is_empty());
        assert!(world.load().await.is_empty());
        world
            .gateway
            .resume_webhook(&world.user, webhook.id)
            .await
            .unwrap();
        let ids: Vec<_> = world
            .load()
            .await
            .iter()
            .map(|row| (row.id, row.attempt))
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], (held.id, 1));
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_fails_for_days_is_paused() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        for _ in 0..6 {
            receive(&world, CONTACT, "nobody listens").await;
            for delivery in world
                .told()
                .into_iter()
                .filter(|told| told.letter.is_some())
            {
                fail(&world, &delivery).await;
            }
            world.clock.advance(Duration::from_hours(24));
        }
        assert_eq!(
            world.payload(Kind::WebhookPaused).await["reason"],
            "failing"
        );
        let page = gateway::Page {
            limit: 1,
            ..gateway::Page::default()
        };
        let shown = world
            .gateway
            .webhooks(&world.user, page)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            (shown.id, shown.pause_reason),
            (webhook.id, Some(PauseReason::Failing))
        );
    })
    .await;
}

#[tokio::test]
async fn filters_and_order_are_decided_when_the_event_happens() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let filter = serde_json::from_str(r#"{"contacts":["+18005550100"],"content":"code"}"#);
        let policy = Policy {
            ordering: Ordering::Contact,
            all_phone_numbers: true,
            filter: filter.unwrap(),
            ..Policy::default()
        };
        world.webhook_with(policy).await;
        receive(&world, CONTACT, "hello").await;
        receive(&world, "+18005550101", "your code").await;
        receive(&world, CONTACT, "your code").await;
        receive(&world, CONTACT, "your next code").await;
        let told = world.told();
        assert_eq!(told.len(), 2);
        assert!(told[0].order_key.is_some());
        assert_eq!(told[0].order_key, told[1].order_key);
    })
    .await;
}

#[tokio::test]
async fn a_new_signing_key_takes_over_step_by_step() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        let rotation = Rotation {
            signing_key: Some("the new key".to_owned()),
            ..Rotation::default()
        };
        let rotated = world
            .gateway
            .rotate_signing_key(&world.user, webhook.id, rotation)
            .await
            .unwrap();
        assert_eq!(rotated.signing_key, webhook.signing_key, "not yet");
        assert_eq!(rotated.next_signing_key.as_deref(), Some("the new key"));
        assert_eq!(rotated.signing_keys.len(), 2);
        let keys = world
            .gateway
            .endpoint(webhook.id)
            .await
            .unwrap()
            .unwrap()
            .keys;
        let now = world.now();
        let sign = |at: Time| {
            (
                active(&keys, at).unwrap().secret.clone(),
                valid(&keys, at).count(),
            )
        };
        assert_eq!(sign(now), (webhook.signing_key.clone(), 2));
        assert_eq!(sign(now + MINUTE * 60), ("the new key".to_owned(), 2));
        assert_eq!(sign(now + MINUTE * 60 * 25), ("the new key".to_owned(), 1));
    })
    .await;
}

#[tokio::test]
async fn a_test_event_takes_the_real_road_and_is_marked() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        for kind in Kind::FOR_WEBHOOKS {
            world
                .gateway
                .send_test(&world.user, webhook.id, kind)
                .await
                .unwrap();
        }
        let loaded = world.load().await;
        assert_eq!(loaded.len(), 8);
        assert!(loaded.iter().all(|row| row.cause == Cause::Test));
        let body: serde_json::Value =
            serde_json::from_slice(&loaded[0].letter.as_ref().unwrap().body).unwrap();
        assert_eq!(
            (&body["test"], &body["data"]["owner"]),
            (&json!(true), &json!(OWNER))
        );
        let before = world.types().await.len();
        fail(&world, &loaded[0]).await;
        assert_eq!(
            world.types().await.len(),
            before,
            "nobody is told that a test failed"
        );
        assert!(world.told().is_empty());
    })
    .await;
}

#[tokio::test]
async fn old_attempts_are_purged_wherever_they_are() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.webhook().await;
        let (gateway, user) = (world.gateway.clone(), world.user.clone());
        world.flood(CONTACT, 1010).await;
        let late = world.told();
        assert_eq!(late.len(), 1010);
        gateway
            .receive(&user, incoming(&world, CONTACT, "early"))
            .await
            .unwrap();
        for delivery in world.told() {
            world.settle(&delivery, Outcome::Delivered).await;
        }
        world.clock.advance(Duration::from_hours(1));
        let since = world.now();
        for delivery in &late {
            world.settle(delivery, Outcome::Delivered).await;
        }
        assert_eq!(gateway.purge_attempts(since).await.unwrap(), 1);
        world.clock.advance(Duration::from_hours(1));
        assert_eq!(gateway.purge_attempts(since).await.unwrap(), 0);
        let all = world.now();
        assert_eq!(gateway.purge_attempts(all).await.unwrap(), 1010);
    })
    .await;
}

//! Usage: what counts, in which cycle, and only once.

use std::time::Duration;

use gateway::message::{MissedCall, Reported, SendSms};
use gateway::phone::Sim;
use gateway::usage::Usage;
use gateway::{Page, id};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{CONTACT, MINUTE, OWNER, World, incoming, number, on_each_engine, sms};

const DAY: Duration = Duration::from_hours(24);

async fn counts(world: &World) -> (i64, i64) {
    let usage = world.gateway.usage(&world.user).await.unwrap();
    (usage.sent_messages, usage.received_messages)
}

async fn history(world: &World) -> Vec<Usage> {
    let page = Page {
        limit: 12,
        ..Page::default()
    };
    let history = world.gateway.usage_history(&world.user, page).await;
    history.unwrap()
}

async fn receive(world: &World) {
    let sms = incoming(world, CONTACT, "hello");
    world.gateway.receive(&world.user, sms).await.unwrap();
}

#[tokio::test]
async fn what_is_sent_and_received_counts_once() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        assert_eq!(counts(&world).await, (0, 0));
        let id = world.send("one").await.id;
        world.wake().await;
        world.pass(MINUTE * 10).await;
        world.report(id, Reported::Failed).await;
        receive(&world).await;
        let call = MissedCall {
            to: number(OWNER),
            from: CONTACT.to_owned(),
            sim: Sim::Sim1,
            timestamp: world.now(),
        };
        world.gateway.miss_call(&world.user, call).await.unwrap();
        assert_eq!(
            counts(&world).await,
            (1, 1),
            "retries and missed calls are free"
        );
        world.gateway.delete_message(&world.user, id).await.unwrap();
        assert_eq!(counts(&world).await, (1, 1), "deleting gives nothing back");
        assert!(history(&world).await.is_empty());

        let usage = world.gateway.usage(&world.user).await.unwrap();
        assert_eq!(
            serde_json::to_value(&usage).unwrap(),
            json!({
                "id": usage.id, "user_id": world.user.user_id, "sent_messages": 1,
                "received_messages": 1, "total_cost": 0,
                "start_timestamp": "2026-03-02T00:00:00Z", "end_timestamp": "2026-04-01T23:59:59Z",
                "created_at": "2026-03-02T09:00:00Z", "updated_at": usage.updated_at,
                "message_quota": null,
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_message_for_later_counts_for_the_cycle_of_its_request() {
    on_each_engine(async |world: World| {
        world.phone().await;
        world.pass(DAY * 29).await;
        let later = SendSms {
            send_at: Some(world.now() + DAY * 3),
            ..sms("later")
        };
        world.gateway.send(&world.user, later).await.unwrap();
        assert_eq!(counts(&world).await, (0, 0), "not before it is released");
        world.pass(DAY * 3).await;
        receive(&world).await;
        assert_eq!(counts(&world).await, (0, 1));
        let past = history(&world).await;
        assert_eq!(past.len(), 1);
        assert_eq!((past[0].sent_messages, past[0].received_messages), (1, 0));
        assert_eq!(past[0].end_timestamp.to_string(), "2026-04-01T23:59:59Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counting_while_messages_come_counts_each_once() {
    on_each_engine(async |world: World| {
        let mut tasks = JoinSet::new();
        for writer in 0..6 {
            let (gateway, user) = (world.gateway.clone(), world.user.clone());
            let sms = incoming(&world, &format!("+1800555{writer:04}"), "hello");
            tasks.spawn(async move {
                for _ in 0..25 {
                    let mut sms = sms.clone();
                    sms.id = id::new(gateway.now());
                    gateway.receive(&user, sms).await.unwrap();
                    gateway.usage(&user).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(counts(&world).await, (0, 150));
        let world = world.restarted().await;
        assert_eq!(counts(&world).await, (0, 150));
    })
    .await;
}

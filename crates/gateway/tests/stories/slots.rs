//! A phone's rate: exact spacing, never exceeded, whoever sends at once.

use std::time::Duration;

use gateway::delivery::{Outcome, PushPlan};
use gateway::phone::Changes;
use gateway::{Time, Uuid};

use crate::support::{MINUTE, World, on_each_engine, sms};

fn rate(per_minute: i64) -> Changes {
    Changes {
        messages_per_minute: Some(per_minute),
        ..Changes::default()
    }
}

async fn slots(world: &World, ids: &[Uuid]) -> Vec<Time> {
    let mut slots = Vec::new();
    for id in ids {
        slots.push(world.message(*id).await.scheduled_at.unwrap());
    }
    slots.sort();
    slots
}

#[tokio::test]
async fn slots_are_spaced_exactly() {
    on_each_engine(async |world: World| {
        for (per_minute, micros) in [(10, 6_000_000), (7, 8_571_429), (60, 1_000_000)] {
            world.phone_with(rate(per_minute)).await;
            world.pass(MINUTE * 20).await;
            let mut ids = Vec::new();
            for _ in 0..5 {
                ids.push(world.send("hi").await.id);
            }
            let slots = slots(&world, &ids).await;
            assert_eq!(slots[0], world.now());
            for pair in slots.windows(2) {
                assert_eq!(pair[1].since(pair[0]), Duration::from_micros(micros));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn many_senders_at_once_share_the_rate() {
    on_each_engine(async |world: World| {
        world.phone_with(rate(60)).await;
        let sends = (0..30).map(|n| {
            let (gateway, user) = (world.gateway.clone(), world.user.clone());
            tokio::spawn(async move { gateway.send(&user, sms(&format!("{n}"))).await.unwrap().id })
        });
        let mut ids = Vec::new();
        for send in sends.collect::<Vec<_>>() {
            ids.push(send.await.unwrap());
        }
        let slots = slots(&world, &ids).await;
        for pair in slots.windows(2) {
            assert_eq!(pair[1].since(pair[0]), Duration::from_secs(1));
        }
    })
    .await;
}

#[tokio::test]
async fn pushes_keep_the_rate_also_when_their_slots_have_passed() {
    on_each_engine(async |mut world: World| {
        world.phone_with(rate(10)).await;
        for _ in 0..3 {
            world.send("hi").await;
        }
        // Nothing was carried for a while, so every slot has passed.
        world.clock.advance(MINUTE * 5);
        let pushes = world.told();
        let plan = world.gateway.plan_push(&pushes[0]).await.unwrap();
        assert!(matches!(plan, PushPlan::Offer));
        world
            .settle(&pushes[0], Outcome::Offered { at: world.now() })
            .await;
        let free = world.now() + Duration::from_secs(6);
        let plan = world.gateway.plan_push(&pushes[1]).await.unwrap();
        assert!(
            matches!(plan, PushPlan::Later(at) if at == free),
            "{plan:?}"
        );
        world.clock.advance(Duration::from_secs(6));
        let plan = world.gateway.plan_push(&pushes[1]).await.unwrap();
        assert!(matches!(plan, PushPlan::Offer), "{plan:?}");
    })
    .await;
}

#[tokio::test]
async fn a_phone_without_a_token_fails_with_a_reason() {
    on_each_engine(async |mut world: World| {
        let phone = world
            .phone_with(Changes {
                fcm_token: Some(None),
                ..Changes::default()
            })
            .await;
        world.send("hi").await;
        let push = world.told().remove(0);
        let plan = world.gateway.plan_push(&push).await.unwrap();
        let expected = format!("phone with id [{}] has no FCM token", phone.id);
        assert!(matches!(plan, PushPlan::Fail(text) if text == expected));
    })
    .await;
}

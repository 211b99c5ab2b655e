//! Limits of a phone in segments: never exceeded in any stretch of time, whoever sends at once.

use std::time::Duration;

use gateway::phone::Changes;
use gateway::schedule::{Draft, Window};
use gateway::{Time, Uuid, segment};

use crate::support::{MINUTE, World, on_each_engine, sms};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// No rate, but these limits.
fn limits(minute: Option<i64>, hour: Option<i64>, day: Option<i64>) -> Changes {
    Changes {
        messages_per_minute: Some(0),
        limit_per_minute: Some(minute),
        limit_per_hour: Some(hour),
        limit_per_day: Some(day),
        ..Changes::default()
    }
}

/// When each message is due, and its segments.
async fn slots(world: &World, ids: &[Uuid]) -> Vec<(Time, i64)> {
    let mut slots = Vec::new();
    for id in ids {
        let message = world.message(*id).await;
        let segments = segment::count(&message.content);
        let slot = message.scheduled_at.unwrap();
        slots.push((slot, i64::try_from(segments).unwrap()));
    }
    slots.sort();
    slots
}

/// The most segments in any stretch of this length that ends with a slot.
fn most_within(slots: &[(Time, i64)], length: Duration) -> i64 {
    let within = |end: Time| {
        let near = slots
            .iter()
            .filter(|(slot, _)| *slot <= end && end.since(*slot) < length);
        near.map(|(_, segments)| segments).sum()
    };
    slots.iter().map(|(end, _)| within(*end)).max().unwrap_or(0)
}

#[tokio::test]
async fn slots_wait_until_there_is_room() {
    on_each_engine(async |world: World| {
        world.phone_with(limits(Some(3), None, None)).await;
        let start = world.now();
        let mut ids = Vec::new();
        // The third has two segments, and the fourth seven: more than ever fit.
        for length in [10, 10, 200, 1000, 10] {
            ids.push(world.send(&"a".repeat(length)).await.id);
        }
        let minutes = [0, 0, 1, 2, 3].map(|minutes| start + MINUTE * minutes);
        let found: Vec<Time> = slots(&world, &ids)
            .await
            .iter()
            .map(|slot| slot.0)
            .collect();
        assert_eq!(found, minutes);
    })
    .await;
}

#[tokio::test]
async fn every_limit_holds_at_every_time() {
    on_each_engine(async |world: World| {
        world.phone_with(limits(Some(4), Some(20), Some(60))).await;
        let (mut ids, mut chance) = (Vec::new(), 7_u64);
        for _ in 0..90 {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let length = [20, 20, 170, 310][usize::try_from(chance >> 62).unwrap()];
            ids.push(world.send(&"a".repeat(length)).await.id);
            if chance.is_multiple_of(5) {
                world
                    .clock
                    .advance(Duration::from_secs((chance >> 40) % 900));
            }
        }
        let slots = slots(&world, &ids).await;
        assert_eq!(most_within(&slots, MINUTE), 4);
        assert_eq!(most_within(&slots, HOUR), 20);
        assert!((58..=60).contains(&most_within(&slots, DAY)));
    })
    .await;
}

#[tokio::test]
async fn many_senders_at_once_share_the_limits() {
    on_each_engine(async |world: World| {
        world.phone_with(limits(Some(5), Some(12), None)).await;
        let sends: Vec<_> = (0..30)
            .map(|n| {
                let (gateway, user) = (world.gateway.clone(), world.user.clone());
                tokio::spawn(async move { gateway.send(&user, sms(&format!("{n}"))).await })
            })
            .collect();
        let mut ids = Vec::new();
        for send in sends {
            ids.push(send.await.unwrap().unwrap().id);
        }
        let slots = slots(&world, &ids).await;
        assert_eq!(most_within(&slots, MINUTE), 5);
        assert_eq!(most_within(&slots, HOUR), 12);
    })
    .await;
}

#[tokio::test]
async fn a_day_later_there_is_room_again_and_hours_are_kept() {
    on_each_engine(async |world: World| {
        world.phone_with(limits(None, None, Some(2))).await;
        let start = world.now();
        let ids = [world.send("1").await.id, world.send("2").await.id];
        let third = world.send("3").await.id;
        assert_eq!(slots(&world, &ids).await[1].0, start);
        assert_eq!(slots(&world, &[third]).await[0].0, start + DAY);
        world.pass(DAY * 3).await;
        let later = world.send("later").await.id;
        assert_eq!(slots(&world, &[later]).await[0].0, world.now());
        // Until noon only: what has no room today waits until there is some tomorrow, and that is
        // within the hours.
        let morning = (0..7).map(|day_of_week| Window {
            day_of_week,
            start_minute: 600,
            end_minute: 720,
        });
        let draft = Draft::parse("Mornings", "UTC", morning.collect()).unwrap();
        let schedule = world
            .gateway
            .add_schedule(&world.user, draft)
            .await
            .unwrap();
        let hours = Changes {
            message_send_schedule_id: Some(Some(schedule.id)),
            ..Changes::default()
        };
        world.phone_with(hours).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(world.send("x").await.id);
        }
        let found: Vec<String> = slots(&world, &ids)
            .await
            .iter()
            .map(|slot| slot.0.to_string())
            .collect();
        assert_eq!(
            found,
            [
                "2026-03-05T10:00:00Z",
                "2026-03-06T10:00:00Z",
                "2026-03-06T10:00:00Z",
                "2026-03-07T10:00:00Z",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn limits_can_be_taken_away() {
    on_each_engine(async |world: World| {
        world.phone_with(limits(Some(1), None, None)).await;
        world.send("1").await;
        world.phone_with(limits(None, None, None)).await;
        let second = world.send("2").await.id;
        assert_eq!(slots(&world, &[second]).await[0].0, world.now());
        // An exact time is kept, and counts.
        world.pass(HOUR).await;
        world.phone_with(limits(Some(1), None, None)).await;
        let mut exact = sms("exact");
        exact.send_at = Some(world.now());
        let exact = world.gateway.send(&world.user, exact).await.unwrap().id;
        let next = world.send("next").await.id;
        assert_eq!(slots(&world, &[exact]).await[0].0, world.now());
        assert_eq!(slots(&world, &[next]).await[0].0, world.now() + MINUTE);
    })
    .await;
}

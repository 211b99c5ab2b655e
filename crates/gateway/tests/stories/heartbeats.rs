//! Heartbeats: nudged, offline once, online once, also across restarts.

use std::time::Duration;

use gateway::heartbeat::Beat;

use crate::support::{MINUTE, OWNER, World, number, on_each_engine};

async fn beat(world: &World) {
    let beat = Beat {
        numbers: vec![number(OWNER)],
        charging: true,
        version: "sim-1".to_owned(),
    };
    world.gateway.beat(&world.user, beat).await.unwrap();
}

async fn count(world: &World, name: &str) -> usize {
    world
        .types()
        .await
        .iter()
        .filter(|found| **found == name)
        .count()
}

/// Minute by minute, as the timers' loop does.
async fn minutes(world: &World, minutes: u32) {
    for _ in 0..minutes {
        world.pass(MINUTE).await;
    }
}

#[tokio::test]
async fn a_phone_goes_offline_once_and_online_once() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        beat(&world).await;
        minutes(&world, 59).await;
        assert_eq!(count(&world, "phone.heartbeat.offline").await, 0);
        assert_eq!(
            count(&world, "phone.heartbeat.missed").await,
            3,
            "at 16, 32 and 48 minutes"
        );
        assert_eq!(world.wake().await, 3, "and each nudges the phone");
        minutes(&world, 1).await;
        assert_eq!(count(&world, "phone.heartbeat.offline").await, 1);

        let world = world.restarted().await;
        minutes(&world, 300).await;
        assert_eq!(
            count(&world, "phone.heartbeat.offline").await,
            1,
            "not again"
        );

        beat(&world).await;
        beat(&world).await;
        assert_eq!(count(&world, "phone.heartbeat.online").await, 1);
        minutes(&world, 61).await;
        assert_eq!(count(&world, "phone.heartbeat.offline").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_long_stop_of_the_server_does_not_skip_the_offline_event() {
    on_each_engine(async |world: World| {
        world.phone().await;
        beat(&world).await;
        world.clock.advance(Duration::from_hours(48));
        let world = world.restarted().await;
        world.pass(MINUTE).await;
        assert_eq!(count(&world, "phone.heartbeat.offline").await, 1);
        assert_eq!(count(&world, "phone.heartbeat.missed").await, 0);
    })
    .await;
}

#[tokio::test]
async fn regular_heartbeats_make_no_events() {
    on_each_engine(async |world: World| {
        world.phone().await;
        for _ in 0..20 {
            beat(&world).await;
            minutes(&world, 15).await;
        }
        assert!(world.types().await.is_empty());
        let page = gateway::Page {
            limit: 1,
            ..gateway::Page::default()
        };
        let beats = world
            .gateway
            .heartbeats(&world.user, number(OWNER), page)
            .await
            .unwrap();
        assert_eq!((beats.len(), beats[0].version.as_str()), (1, "sim-1"));
    })
    .await;
}

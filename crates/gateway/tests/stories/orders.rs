//! Reports, claims, pushes and timers in any order leave the same kind of truth.

use std::time::Duration;

use gateway::message::{Reported, Status};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{World, on_each_engine};

#[derive(Debug, Clone, Copy)]
enum Act {
    Wake,
    Claim,
    Report(Reported),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        Just(Act::Wake),
        Just(Act::Claim),
        Just(Act::Report(Reported::Sent)),
        Just(Act::Report(Reported::Delivered)),
        Just(Act::Report(Reported::Failed)),
        (1..700_u64).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 1..25)
}

/// How far a message has come; it never has less.
fn progress(status: Status) -> u8 {
    match status {
        Status::Pending | Status::Scheduled | Status::Sending | Status::Expired => 0,
        Status::Sent => 1,
        Status::Delivered | Status::Failed | Status::Received => 2,
    }
}

async fn act(world: &mut World, id: gateway::Uuid, act: Act) {
    match act {
        Act::Wake => drop(world.wake().await),
        Act::Claim => drop(world.gateway.claim(&world.user, id).await),
        Act::Report(reported) => drop(world.report(id, reported).await),
        Act::Pass(seconds) => world.pass(Duration::from_secs(seconds)).await,
    }
}

#[tokio::test]
async fn any_order_is_monotonic_and_emits_each_end_once() {
    let mut runner = TestRunner::new(Config::default());
    let runs: Vec<Vec<Act>> = (0..24)
        .map(|_| acts().new_tree(&mut runner).unwrap().current())
        .collect();
    on_each_engine(async |mut world: World| {
        world.phone().await;
        for run in &runs {
            let before = world.types().await.len();
            let id = world.send("hi").await.id;
            let mut furthest = 0;
            for step in run {
                act(&mut world, id, *step).await;
                let now = progress(world.message(id).await.status);
                assert!(now >= furthest, "{run:?} went back at {step:?}");
                furthest = now;
            }
            let types = world.types().await.split_off(before);
            let count = |name: &str| types.iter().filter(|found| **found == name).count();
            for end in [
                "message.phone.sent",
                "message.phone.delivered",
                "message.send.failed",
            ] {
                assert!(count(end) <= 1, "{end} twice in {run:?}");
            }
            assert!(
                count("message.phone.delivered") + count("message.send.failed") <= 1,
                "{run:?}"
            );
            let message = world.message(id).await;
            assert_eq!(
                message.sent_at.is_some(),
                count("message.phone.sent") == 1,
                "{run:?}"
            );
            assert!(
                message.send_attempt_count <= message.max_send_attempts,
                "{run:?}"
            );
        }
    })
    .await;
}

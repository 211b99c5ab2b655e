//! Webhooks that want what concerns one contact in order, however often something fails in between.

use std::sync::Mutex;

use courier::{Limits, Options};
use gateway::webhook::policy::{Ordering, Policy};
use testkit::{Received, Receiver, Respond};

use crate::support::{CONTACT, SOON, World, impatient, on_each_engine};

const OTHER: &str = "+37250003333";

fn in_order() -> Policy {
    Policy {
        ordering: Ordering::Contact,
        ..impatient()
    }
}

fn content(request: &Received) -> String {
    request.json()["data"]["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn contact(request: &Received) -> String {
    request.json()["data"]["contact"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Refuses what has this content so many times.
async fn failing_at(failing: &'static str, times: usize) -> Receiver {
    let left = Mutex::new(times);
    Receiver::with(move |request| {
        let mut left = left.lock().unwrap();
        if content(request) == failing && *left > 0 {
            *left -= 1;
            Respond::status(500)
        } else {
            Respond::ok()
        }
    })
    .await
}

/// What arrived about a contact, without repetition.
fn told(receiver: &Receiver, about: &str) -> Vec<String> {
    let requests = receiver.requests();
    let requests = requests.iter().filter(|request| contact(request) == about);
    let mut contents: Vec<_> = requests.map(content).collect();
    contents.dedup();
    contents
}

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn a_failing_event_holds_up_its_contact_alone() {
    on_each_engine(async |world: World| {
        let receiver = failing_at("3", 2).await;
        // Little room, so that most of it waits on disk meanwhile.
        let small = Options {
            limits: Limits {
                window: 8,
                refill: 4,
                chunk: 6,
                ..Limits::default()
            },
            ..Options::default()
        };
        let world = world.carrying(small);
        world.phone("").await;
        world.webhook_with(&receiver.url("/"), in_order()).await;
        for number in 0..30 {
            world.receive(&number.to_string()).await;
            world.receive_from(OTHER, &format!("other {number}")).await;
        }
        let all_others = |seen: &[Received]| {
            let others = seen.iter().filter(|request| contact(request) == OTHER);
            others.count() == 30
        };
        let seen = receiver.wait_until(all_others, SOON).await;
        let held_up = seen.iter().filter(|request| contact(request) == CONTACT);
        assert!(held_up.count() <= 6, "the others did not wait");
        world.nothing_left().await;
        assert_eq!(told(&receiver, CONTACT), numbered(0..30));
        assert_eq!(receiver.count(), 62);
    })
    .await;
}

#[tokio::test]
async fn the_order_outlives_a_restart() {
    on_each_engine(async |world: World| {
        let receiver = failing_at("1", 2).await;
        let world = world.carrying(Options::default());
        world.phone("").await;
        world.webhook_with(&receiver.url("/"), in_order()).await;
        for number in 0..10 {
            world.receive(&number.to_string()).await;
        }
        receiver.wait_for(2, SOON).await;
        let world = world.reopened().await;
        world.receive("10").await;
        let world = world.carrying(Options::default());
        for number in 11..15 {
            world.receive(&number.to_string()).await;
        }
        world.nothing_left().await;
        assert_eq!(told(&receiver, CONTACT), numbered(0..15));
    })
    .await;
}

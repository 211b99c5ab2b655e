//! One slow receiver with much to take does not delay a fast one.

use std::time::{Duration, Instant};

use testkit::{Receiver, Respond};

use crate::stage::{CONTACT, Engine, SOON, Stage, number};

/// Waiting for the slow one while the fast one is measured.
const BACKLOG: usize = 300;
/// Far above what it takes, far below what it would take behind the slow one.
const PROMPT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_delays_nobody_else() {
    let stage = Stage::on(Engine::Sqlite).await;
    let late = Respond::ok().after(Duration::from_millis(4_500));
    let (slow, fast) = (
        Receiver::answering(vec![late]).await,
        Receiver::start().await,
    );
    let events = ["message.phone.received"];
    for (receiver, number) in [(&slow, number(1)), (&fast, number(2))] {
        stage.sign_in(&number).await;
        stage.subscribe(receiver, &events, &[&number]).await;
    }
    for turn in 0..BACKLOG {
        stage
            .phone
            .receive(CONTACT, &number(1), &turn.to_string())
            .await;
    }
    slow.wait_for(1, SOON).await;
    for turn in 0..20 {
        let begun = Instant::now();
        stage.phone.receive(CONTACT, &number(2), "quick").await;
        fast.wait_for(turn + 1, SOON).await;
        assert!(
            begun.elapsed() < PROMPT,
            "event {turn} took {:?}",
            begun.elapsed()
        );
    }
    assert!(slow.count() < BACKLOG, "it was still busy");
}

//! Killed in the midst of work and started again on the same data, several times in a row.
//! What was acknowledged is there, its events reached the webhook, and nothing else did.

mod arrivals;
mod callers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use testkit::until;

use crate::scenes::on_each_engine;
use crate::stage::{Engine, OWNER, SECOND, SOON, Stage, text};
use arrivals::Arrivals;
use callers::Callers;

/// How often it is killed.
const ROUNDS: usize = 6;
/// How long it may work before that; long enough for retries to be under way.
const WORK: std::ops::Range<u64> = 300..2_500;
/// The fewest changes a run must have acknowledged to say anything.
const ENOUGH: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost() {
    on_each_engine(survive).await;
}

async fn survive(engine: Engine) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => rand::rng().next_u64(),
    };
    eprintln!("{engine:?}: SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);

    let mut stage = Stage::on(engine).await;
    stage.sign_in(SECOND).await;
    let arrivals = Arrivals::start().await;
    stage
        .subscribe(&arrivals.receiver, &arrivals::EVENTS, &[OWNER, SECOND])
        .await;

    let callers = Callers::start(&stage, &mut dice);
    for round in 1..=ROUNDS {
        let before = arrivals.count();
        let work = Duration::from_millis(dice.random_range(WORK));
        // Half of the rounds have deliveries under way, however long the server takes to begin.
        if round % 2 == 1 {
            let carries = async || (arrivals.count() > before).then_some(());
            until("something is delivered", SOON, carries).await;
        }
        // Not waiting for a condition: the kill comes when it comes.
        tokio::time::sleep(work).await;
        let down = Instant::now();
        stage.server.restart().await;
        eprintln!(
            "round {round}: killed after {work:?}, back after {:?}; {} acknowledged, {} arrived",
            down.elapsed(),
            callers.count(),
            arrivals.count(),
        );
    }
    let ledger = callers.stop().await;
    assert!(ledger.events.len() > ENOUGH, "only {}", ledger.events.len());

    arrived(&arrivals, &ledger).await;
    stored(&stage, &ledger).await;
    real(&stage, &arrivals).await;
}

/// Every acknowledged change was told to the webhook, which took it. The quicker the machine, the more
/// there are: as long as some arrive, the others may yet.
async fn arrived(arrivals: &Arc<Arrivals>, ledger: &callers::Ledger) {
    let mut before = usize::MAX;
    let all = async || arrivals.missing(&ledger.events).is_empty().then_some(());
    while testkit::within(SOON, all).await.is_none() {
        let missing = arrivals.missing(&ledger.events);
        let some: Vec<_> = missing.iter().take(5).collect();
        let count = missing.len();
        assert!(
            count < before,
            "{count} events are missing, such as {some:?}"
        );
        before = count;
    }
}

/// Every acknowledged message is there as it was acknowledged, or further on.
async fn stored(stage: &Stage, ledger: &callers::Ledger) {
    for (id, known) in &ledger.messages {
        let message = stage.user.message(id).await;
        assert_eq!(message["content"], known.content.as_str(), "{message}");
        let status = text(&message["status"]);
        let (now, then) = (callers::progress(&status), callers::progress(known.status));
        assert!(now >= then, "{} was acknowledged: {message}", known.status);
    }
}

/// No event tells of a message that does not exist, and none was told under two ids.
async fn real(stage: &Stage, arrivals: &Arc<Arrivals>) {
    let events = arrivals.events();
    let mut ids = std::collections::HashMap::new();
    for (id, event) in &events {
        let about = (event.kind.clone(), event.message.clone());
        if let Some(other) = ids.insert(about, id) {
            panic!("{} of {}: {id} and {other}", event.kind, event.message);
        }
        let message = stage.user.message(&event.message).await;
        assert_eq!(message["content"], event.content.as_str(), "{message}");
    }
    let again = arrivals.count() - events.len();
    eprintln!(
        "{} events, {again} attempts more than one each",
        events.len()
    );
    let settled = async || {
        let waiting =
            stage.texts("SELECT CAST(count(*) AS TEXT) FROM delivery WHERE kind = 'webhook'");
        (waiting.await == ["0"]).then_some(())
    };
    until("every delivery is settled", SOON, settled).await;
}

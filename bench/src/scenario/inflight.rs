//! `inflight`: 1,600 webhooks whose receivers hold every request for 4 s, and 12,800 deliveries for them.
//! What the server's memory is with as many requests in flight as it allows itself, which is 10,000.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, megabytes, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::{Meter, watch};
use crate::sink::{Manner, Sink};
use crate::stage::{Phone, Stage};

const ACCOUNTS: usize = 160;
/// As many as an account may have.
const WEBHOOKS: usize = 10;
/// For each webhook: as many as the server sends at once to one of which it knows nothing yet.
const EACH: usize = 8;
const DELIVERIES: usize = ACCOUNTS * WEBHOOKS * EACH;
/// A second less than an attempt gets: so much may pass while all the others are connected, too.
const HOLD: Duration = Duration::from_secs(4);

const MEMORY_GOAL: Goal = Goal::AtMost(300.0);
/// The memory says nothing of 10,000 unless nearly as many were open.
const OPEN_GOAL: Goal = Goal::AtLeast(9_500.0);

/// Files that both processes need to have open, when each delivery has its own connection, and some to spare.
const FILES: usize = DELIVERIES + 1_200;

/// Longer than handing in and delivering takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Queues everything, and looks at the memory until all of it has arrived.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let files = open_files()?;
    ensure!(
        files >= FILES,
        "only {files} files may be open; `ulimit -n {FILES}` allows more"
    );
    let mut stage = Stage::start(args, engine, ACCOUNTS).await?;
    let sinks = (0..WEBHOOKS).map(|_| Sink::start(Manner::Late(HOLD), |_| ()));
    let sinks = sinks.collect::<Result<Vec<Sink>>>()?;
    let phones = subscribe(&mut stage, &sinks).await?;
    let before = testkit::Usage::of(stage.pid())?.rss;
    let meter = Meter::start(stage.pid())?;
    // Requests are open before the last message is accepted.
    let looks = async { Ok(look(&sinks).await) };
    let work = async { tokio::try_join!(hand_in(stage.address, phones), looks) };
    let (peak, done) = watch(stage.pid(), work).await?;
    let ((), (open, arrived)) = done?;
    let used = meter.stop()?;
    let memory = |what: &str, bytes| Figure::new(what, megabytes(bytes), Unit::Megabytes);
    Ok(vec![
        memory("memory before", before),
        memory("peak memory", peak.max(used.peak_rss)).goal(MEMORY_GOAL),
        Figure::new("most requests open at once", real(open), Unit::Count).goal(OPEN_GOAL),
        Figure::new("requests", real(arrived), Unit::Count),
        Figure::new("others", used.others, Unit::Percent),
    ])
}

/// A phone for each account, whose messages go to every receiver.
async fn subscribe(stage: &mut Stage, sinks: &[Sink]) -> Result<Vec<Phone>> {
    let mut phones = Vec::new();
    for account in 0..ACCOUNTS {
        let own = stage.phones(account, 1, 1).await?;
        for sink in sinks {
            let url = sink.url(&format!("/hold/{account}"));
            let events = ["message.phone.received"];
            stage.webhook(account, &url, &events, &own).await?;
        }
        phones.extend(own);
    }
    Ok(phones)
}

/// Each phone hands in as many messages as the others, all at the same time.
async fn hand_in(address: SocketAddr, phones: Vec<Phone>) -> Result<()> {
    let ledger = Arc::new(Ledger::new(phones.len() * EACH));
    let mut floods = JoinSet::new();
    for (nth, phone) in phones.into_iter().enumerate() {
        let ledger = Arc::clone(&ledger);
        let numbers = (nth * EACH, (nth + 1) * EACH);
        floods.spawn(async move { flood(address, &[phone], &ledger, numbers, PATIENCE).await });
    }
    while let Some(flood) = floods.join_next().await {
        flood??;
    }
    Ok(())
}

/// The most requests that were open at a moment, and how many there were, when all have their answers.
async fn look(sinks: &[Sink]) -> (usize, usize) {
    let end = Instant::now() + PATIENCE;
    let mut most = 0;
    loop {
        let open = sinks.iter().map(Sink::open).sum();
        let arrived = sinks.iter().map(Sink::requests).sum();
        most = most.max(open);
        if (arrived >= DELIVERIES && open == 0) || Instant::now() >= end {
            return (most, arrived);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The soft limit of open files, which the server inherits.
fn open_files() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    Ok(soft
        .and_then(|soft| soft.parse().ok())
        .unwrap_or(usize::MAX))
}

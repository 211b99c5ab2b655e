//! `inflight`: 500 webhooks whose receivers hold every request for 4.5 s, and 10,000 deliveries for them.
//! What the server's memory is with as many requests in flight as it allows itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, megabytes, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::{Meter, watch};
use crate::sink::{Manner, Sink};
use crate::stage::Stage;

const ACCOUNTS: usize = 50;
/// As many as an account may have.
const WEBHOOKS: usize = 10;
const DELIVERIES: usize = 10_000;
const HOLD: Duration = Duration::from_millis(4_500);
const GOAL: Goal = Goal::AtMost(300.0);

/// Files that both processes need to have open, and some to spare.
const FILES: usize = 11_000;

/// Queues everything, and looks at the memory until all of it has arrived.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let files = open_files()?;
    ensure!(
        files >= FILES,
        "only {files} files may be open; `ulimit -n {FILES}` allows more"
    );
    let mut stage = Stage::start(args, engine, ACCOUNTS).await?;
    let mut sinks = Vec::new();
    for _ in 0..WEBHOOKS {
        sinks.push(Sink::start(Manner::Late(HOLD), |_| ())?);
    }
    let mut phones = Vec::new();
    for account in 0..ACCOUNTS {
        let own = stage.phones(account, 1, 1).await?;
        for sink in &sinks {
            let url = sink.url(&format!("/hold/{account}"));
            let events = ["message.phone.received"];
            stage.webhook(account, &url, &events, &own).await?;
        }
        phones.extend(own);
    }
    let before = testkit::Usage::of(stage.pid())?.rss;
    let meter = Meter::start(stage.pid())?;
    let ledger = Arc::new(Ledger::new(DELIVERIES / WEBHOOKS));
    let (mut open, mut arrived) = (0, 0);
    let work = async {
        let numbers = (0, DELIVERIES / WEBHOOKS);
        let length = Duration::from_mins(1);
        flood(stage.address, &phones, &ledger, numbers, length).await?;
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            open = open.max(sinks.iter().map(Sink::open).sum());
            arrived = sinks.iter().map(Sink::requests).sum();
            if arrived >= DELIVERIES && sinks.iter().all(|sink| sink.open() == 0) {
                break;
            }
        }
        anyhow::Ok(())
    };
    let (peak, done) = watch(stage.pid(), work).await?;
    done?;
    let used = meter.stop()?;
    let memory = |what: &str, bytes| Figure::new(what, megabytes(bytes), Unit::Megabytes);
    Ok(vec![
        memory("memory before", before),
        memory("peak memory", peak.max(used.peak_rss)).goal(GOAL),
        Figure::new("most requests open at once", real(open), Unit::Count),
        Figure::new("requests", real(arrived), Unit::Count),
        Figure::new("others", used.others, Unit::Percent),
    ])
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

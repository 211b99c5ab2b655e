//! `backlog`: very many deliveries wait for an endpoint that never answers, or that asks to come back later.
//! The server's memory should not follow, and another endpoint should not notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::Usage;

use super::latency::Path;
use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, megabytes, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::Meter;
use crate::sink::{Manner, Sink};
use crate::stage::Stage;

const GOAL: Goal = Goal::AtMost(50.0);

/// Both kinds of dead endpoint, each on a server of its own.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut figures = one(args, engine, Manner::Silent, "never answers").await?;
    figures.extend(one(args, engine, Manner::Busy, "503, later").await?);
    Ok(figures)
}

async fn one(args: &Args, engine: Engine, manner: Manner, name: &str) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let dead_phones = stage.phones(0, args.clients, 1).await?;
    let prompt_phone = stage.phones(0, 1, 1).await?.remove(0);
    let dead = Sink::start(manner, |_| ())?;
    let events = ["message.phone.received"];
    let url = dead.url("/dead");
    stage.webhook(0, &url, &events, &dead_phones).await?;
    let path = Path::open(&stage, 0, &prompt_phone).await?;
    let before = Usage::of(stage.pid())?.rss;

    let meter = Meter::start(stage.pid())?;
    let ledger = Arc::new(Ledger::new(args.waiting));
    let numbers = (0, args.waiting);
    let patience = Duration::from_mins(30);
    let filled = flood(stage.address, &dead_phones, &ledger, numbers, patience).await?;
    ensure!(filled.accepted == args.waiting, "not all were accepted");
    let filling = filled.last - meter.began();
    if manner == Manner::Busy {
        all_heard(&dead, args.waiting).await;
    }
    let waiting = Usage::of(stage.pid())?.rss;
    let mut figures = path.measure(100, args.length() * 2, GOAL).await?;
    let used = meter.stop()?;

    let memory = |what: &str, bytes| Figure::new(what, megabytes(bytes), Unit::Megabytes);
    let rate = real(args.waiting) / filling.as_secs_f64();
    figures.extend([
        memory("memory before", before),
        memory("memory with all waiting", waiting),
        memory("memory 10 s later", Usage::of(stage.pid())?.rss),
        memory("peak memory", used.peak_rss),
        Figure::new("messages accepted while filling", rate, Unit::PerSecond),
        Figure::new(
            "attempts to the dead one",
            real(dead.requests()),
            Unit::Count,
        ),
        Figure::new("others", used.others, Unit::Percent),
    ]);
    let prefix = format!("{} waiting ({name}),", Unit::Count.text(real(args.waiting)));
    for figure in &mut figures {
        figure.what = format!("{prefix} {}", figure.what);
    }
    Ok(figures)
}

/// Waits until each delivery has been attempted once, or nothing happens for ten seconds.
async fn all_heard(dead: &Sink, count: usize) {
    let (mut seen, mut since) = (0, Instant::now());
    while seen < count && since.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if dead.requests() > seen {
            (seen, since) = (dead.requests(), Instant::now());
        }
    }
}

//! `receive`: phones hand in messages as fast as the server takes them; each goes to every webhook.
//! Over when all that was accepted has arrived everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, millis, percentile, real};
use crate::ledger::Ledger;
use crate::load::{Flood, flood};
use crate::meter::{Meter, Used};
use crate::sink::{Manner, Sink};
use crate::stage::{Phone, Stage};

/// Half of the ceiling: a model engine without parsing, routing or limits on the same two cores.
const GOAL: Goal = Goal::AtLeast(14_000.0);
const CPU_GOAL: Goal = Goal::AtMost(0.08);

/// Messages before it counts: connections are open and code is warm.
const WARM_UP: usize = 500;

/// Nothing arriving for so long means that nothing will.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longer than it takes to store messages beforehand.
const FILLING: Duration = Duration::from_hours(2);

/// With one webhook, then with three; on a full database with one only.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut figures = one(args, engine, 1).await?;
    if args.stored == 0 {
        figures.extend(one(args, engine, 3).await?);
    }
    Ok(figures)
}

async fn one(args: &Args, engine: Engine, webhooks: usize) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, args.clients, 1).await?;
    if args.stored > 0 {
        let nowhere = Arc::new(Ledger::new(args.stored));
        let numbers = (0, args.stored);
        flood(stage.address, &phones, &nowhere, numbers, FILLING).await?;
    }
    let receivers = Receivers::start(&stage, &phones, webhooks, args.most + WARM_UP).await?;
    let ledger = &receivers.ledgers[0];
    flood(stage.address, &phones, ledger, (0, WARM_UP), PATIENCE).await?;
    receivers.wait_for(WARM_UP).await;

    let meter = Meter::start(stage.pid())?;
    let numbers = (WARM_UP, usize::MAX);
    let flood = flood(stage.address, &phones, ledger, numbers, args.length()).await?;
    receivers.wait_for(WARM_UP + flood.accepted).await;
    // The server still writes down how the last ones went.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let used = meter.stop()?;

    let mut figures = measured(&meter, &flood, &receivers, &used, engine);
    figures.extend(used.figures("deliveries", flood.accepted * webhooks));
    let prefix = prefix(webhooks, args.stored);
    for figure in &mut figures {
        figure.what = format!("{prefix}, {}", figure.what);
    }
    Ok(figures)
}

fn measured(
    meter: &Meter,
    flood: &Flood,
    receivers: &Receivers,
    used: &Used,
    engine: Engine,
) -> Vec<Figure> {
    let webhooks = receivers.ledgers.len();
    let deliveries = flood.accepted * webhooks;
    let rate = |what: &str, count: usize, end: Instant| {
        let time = end.saturating_duration_since(meter.began()).as_secs_f64();
        Figure::new(what, real(count) / time.max(0.001), Unit::PerSecond)
    };
    let end = receivers.last().unwrap_or(flood.last);
    let mut whole = rate("messages accepted and delivered", flood.accepted, end);
    whole.goal = (engine == Engine::Sqlite && webhooks == 1).then_some(GOAL);
    let cpu = used.per_thousand(deliveries);
    let p99 = millis(percentile(&flood.answers, 99));
    let missing = (WARM_UP * webhooks + deliveries).saturating_sub(receivers.distinct());
    let repeated = receivers.repeated();
    vec![
        whole,
        rate("messages accepted", flood.accepted, flood.last),
        rate("deliveries", deliveries, end),
        Figure::new("CPU per 1,000 deliveries", cpu, Unit::CpuSeconds).goal(CPU_GOAL),
        Figure::new("answer to the phone, p99", p99, Unit::Millis),
        Figure::new("deliveries that never arrived", real(missing), Unit::Count),
        Figure::new("deliveries that arrived twice", real(repeated), Unit::Count),
    ]
}

fn prefix(webhooks: usize, stored: usize) -> String {
    let webhooks = match webhooks {
        1 => "1 webhook".to_owned(),
        more => format!("{more} webhooks"),
    };
    match stored {
        0 => webhooks,
        stored => format!("{webhooks}, {} stored", Unit::Count.text(real(stored))),
    }
}

/// One receiver for each webhook.
struct Receivers {
    ledgers: Vec<Arc<Ledger>>,
    _sinks: Vec<Sink>,
}

impl Receivers {
    async fn start(
        stage: &Stage,
        phones: &[Phone],
        webhooks: usize,
        capacity: usize,
    ) -> Result<Self> {
        let (mut ledgers, mut sinks) = (Vec::new(), Vec::new());
        for _ in 0..webhooks {
            let ledger = Arc::new(Ledger::new(capacity));
            let arrivals = Arc::clone(&ledger);
            let sink = Sink::start(Manner::Prompt, move |number| {
                arrivals.arrive(number);
            })
            .await?;
            let events = ["message.phone.received"];
            stage
                .webhook(0, &sink.url("/hook"), &events, phones)
                .await?;
            ledgers.push(ledger);
            sinks.push(sink);
        }
        Ok(Self {
            ledgers,
            _sinks: sinks,
        })
    }

    /// Waits until so many different messages have arrived at each.
    async fn wait_for(&self, count: usize) {
        for ledger in &self.ledgers {
            ledger.wait_for(count, PATIENCE).await;
        }
    }

    fn last(&self) -> Option<Instant> {
        self.ledgers.iter().map(|ledger| ledger.last()).max()
    }

    fn distinct(&self) -> usize {
        self.ledgers.iter().map(|ledger| ledger.distinct()).sum()
    }

    fn repeated(&self) -> usize {
        self.ledgers.iter().map(|ledger| ledger.repeated()).sum()
    }
}

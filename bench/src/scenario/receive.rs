//! `receive`: phones hand in messages as fast as the server takes them; each goes to every webhook.
//! Over when all that was accepted has arrived everywhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, millis, percentile, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::Meter;
use crate::sink::{Manner, Sink};
use crate::stage::{Phone, Stage};

/// Half of the ceiling: a model engine without parsing, routing or limits on the same two cores.
const GOAL: Goal = Goal::AtLeast(14_000.0);
const CPU_GOAL: Goal = Goal::AtMost(0.08);

/// Messages before it counts: connections are open and code is warm.
const WARM_UP: usize = 500;

/// Nothing arriving for so long means that nothing will.
const PATIENCE: Duration = Duration::from_secs(15);

/// With one webhook, then with three.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut figures = one(args, engine, 1).await?;
    figures.extend(one(args, engine, 3).await?);
    Ok(figures)
}

async fn one(args: &Args, engine: Engine, webhooks: usize) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, args.clients, 1).await?;
    let arrivals = receivers(&stage, &phones, webhooks, args.most + WARM_UP).await?;
    let ledgers: Vec<_> = arrivals.iter().map(|(ledger, _)| ledger).collect();
    let numbers = (0, WARM_UP);
    flood(stage.address, &phones, ledgers[0], numbers, PATIENCE).await?;
    all_arrived(&ledgers, WARM_UP).await;

    let meter = Meter::start(stage.pid())?;
    let numbers = (WARM_UP, usize::MAX);
    let flood = flood(stage.address, &phones, ledgers[0], numbers, args.length()).await?;
    all_arrived(&ledgers, WARM_UP + flood.accepted).await;
    // The server still writes down how the last ones went.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let used = meter.stop()?;

    let last = ledgers.iter().map(|ledger| ledger.last()).max();
    let whole = last.unwrap_or_else(|| meter.began()) - meter.began();
    let accepting = flood.last - meter.began();
    let arrived: usize = ledgers.iter().map(|ledger| ledger.distinct()).sum();
    let repeated: usize = ledgers.iter().map(|ledger| ledger.repeated()).sum();
    let deliveries = flood.accepted * webhooks;
    let missing = (WARM_UP * webhooks + deliveries).saturating_sub(arrived);
    let rate = |count: usize, time: Duration| real(count) / time.as_secs_f64();
    let (goal, cpu_goal) = match (engine, webhooks) {
        (Engine::Sqlite, 1) => (Some(GOAL), Some(CPU_GOAL)),
        _ => (None, Some(CPU_GOAL)),
    };
    let p99 = millis(percentile(&flood.answers, 99));
    let with = match webhooks {
        1 => "1 webhook".to_owned(),
        more => format!("{more} webhooks"),
    };
    let figure = |what: &str, value, unit| Figure::new(format!("{with}, {what}"), value, unit);
    let mut figures = vec![
        Figure {
            goal,
            ..figure(
                "messages accepted and delivered",
                rate(flood.accepted, whole),
                Unit::PerSecond,
            )
        },
        figure(
            "messages accepted",
            rate(flood.accepted, accepting),
            Unit::PerSecond,
        ),
        figure("deliveries", rate(deliveries, whole), Unit::PerSecond),
        Figure {
            goal: cpu_goal,
            ..figure(
                "CPU per 1,000 deliveries",
                used.per_thousand(deliveries),
                Unit::CpuSeconds,
            )
        },
        figure("answer to the phone, p99", p99, Unit::Millis),
        figure("deliveries that never arrived", real(missing), Unit::Count),
        figure("deliveries that arrived twice", real(repeated), Unit::Count),
    ];
    for cost in used.figures("deliveries", deliveries) {
        figures.push(figure(&cost.what, cost.value, cost.unit));
    }
    Ok(figures)
}

async fn receivers(
    stage: &Stage,
    phones: &[Phone],
    webhooks: usize,
    capacity: usize,
) -> Result<Vec<(Arc<Ledger>, Sink)>> {
    let mut receivers = Vec::new();
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
        receivers.push((ledger, sink));
    }
    Ok(receivers)
}

async fn all_arrived(ledgers: &[&Arc<Ledger>], count: usize) {
    for ledger in ledgers {
        ledger.wait_for(count, PATIENCE).await;
    }
}

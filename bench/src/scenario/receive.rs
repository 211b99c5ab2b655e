//! `receive`: phones hand in messages as fast as the server takes them; each goes to every webhook.
//! Over when all that was accepted has arrived everywhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::arrivals::{Arrivals, Receivers};
use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::stage::Stage;

/// Half of the ceiling: a model engine without parsing, routing or limits on the same two cores in a good
/// hour. `ceiling` measures both in the same one.
const GOAL: Goal = Goal::AtLeast(14_000.0);
const CPU_GOAL: Goal = Goal::AtMost(0.08);

/// Longer than it takes to store messages beforehand.
const FILLING: Duration = Duration::from_hours(2);

/// With one webhook, then with three; on a full database with one only.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let one_webhook = one(args, engine, 1, args.stored).await?;
    let mut figures = measured(&one_webhook, engine, 1, args.stored);
    if args.stored == 0 {
        let three = one(args, engine, 3, 0).await?;
        figures.extend(measured(&three, engine, 3, 0));
    }
    Ok(figures)
}

/// Starts a server with so many webhooks and messages, and hands in more.
pub async fn one(args: &Args, engine: Engine, webhooks: usize, stored: usize) -> Result<Arrivals> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, args.clients, 1).await?;
    if stored > 0 {
        let nowhere = Arc::new(Ledger::new(stored));
        flood(stage.address, &phones, &nowhere, (0, stored), FILLING).await?;
    }
    let receivers = Receivers::start(webhooks, args.most)?;
    for sink in receivers.sinks() {
        let (url, events) = (sink.url("/hook"), ["message.phone.received"]);
        stage.webhook(0, &url, &events, &phones).await?;
    }
    let server = (stage.address, stage.pid());
    receivers.flood(server, &phones, args.length()).await
}

fn measured(found: &Arrivals, engine: Engine, webhooks: usize, stored: usize) -> Vec<Figure> {
    let rate = |what: &str, rate| Figure::new(what, rate, Unit::PerSecond);
    let count = |what: &str, count| Figure::new(what, real(count), Unit::Count);
    let mut whole = rate("messages accepted and delivered", found.whole_rate());
    whole.goal = (engine == Engine::Sqlite && webhooks == 1).then_some(GOAL);
    let cpu = Unit::CpuSeconds;
    let p99 = found.answer_p99();
    let mut figures = vec![
        whole,
        rate("messages accepted", found.accepted_rate()),
        rate("deliveries", found.delivery_rate()),
        Figure::new("CPU per 1,000 deliveries", found.cpu(), cpu).goal(CPU_GOAL),
        Figure::new("answer to the phone, p99", p99, Unit::Millis),
        count("deliveries that never arrived", found.missing),
        count("deliveries that arrived twice", found.repeated),
    ];
    figures.extend(found.used.figures("deliveries", found.deliveries()));
    let prefix = prefix(webhooks, stored);
    for figure in &mut figures {
        figure.what = format!("{prefix}, {}", figure.what);
    }
    figures
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

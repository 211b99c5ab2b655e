//! `neighbour`: a receiver that takes 4.5 s for each answer has 10,000 deliveries waiting.
//! Beside it, at 100 messages a second, another receiver should not notice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use testkit::within;

use super::latency::Path;
use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::Meter;
use crate::sink::{Manner, Sink};
use crate::stage::Stage;

const WAITING: usize = 10_000;
const SLOW: Duration = Duration::from_millis(4_500);
const GOAL: Goal = Goal::AtMost(50.0);

/// Fills the slow receiver's queue, then measures the fast one.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let slow_phones = stage.phones(0, 32, 1).await?;
    let fast_phone = stage.phones(0, 1, 1).await?.remove(0);
    let slow = Sink::start(Manner::Late(SLOW), |_| ())?;
    let events = ["message.phone.received"];
    let url = slow.url("/slow");
    stage.webhook(0, &url, &events, &slow_phones).await?;
    let path = Path::open(&stage, 0, &fast_phone).await?;

    let ledger = Arc::new(Ledger::new(WAITING));
    let numbers = (0, WAITING);
    let patience = Duration::from_mins(1);
    let filled = flood(stage.address, &slow_phones, &ledger, numbers, patience).await?;
    ensure!(
        filled.accepted == WAITING,
        "only {} accepted",
        filled.accepted
    );
    let busy = within(patience, async || (slow.open() > 0).then_some(())).await;
    ensure!(busy.is_some(), "the slow receiver hears nothing");

    let meter = Meter::start(stage.pid())?;
    let mut figures = path.measure(100, args.length() * 2, GOAL).await?;
    let used = meter.stop()?;
    let left = WAITING - slow.requests();
    figures.push(Figure::new(
        "still waiting at the end",
        real(left),
        Unit::Count,
    ));
    let most = real(slow.most_open());
    figures.push(Figure::new(
        "most at once at the slow one",
        most,
        Unit::Count,
    ));
    figures.push(Figure::new("others", used.others, Unit::Percent));
    Ok(figures)
}

//! `endless`: a receiver answers `200` and then pours a body without end, as fast as it is read.
//! The server's memory should not follow.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use testkit::Usage;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Unit, megabytes, real};
use crate::ledger::Ledger;
use crate::load::flood;
use crate::meter::{Meter, watch};
use crate::sink::{Manner, Sink};
use crate::stage::Stage;

/// Longer than an attempt may take.
const WATCHED: Duration = Duration::from_secs(8);

/// One endless answer, then a thousand of them.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, 8, 1).await?;
    let sink = Sink::start(Manner::Endless, |_| ())?;
    let events = ["message.phone.received"];
    stage
        .webhook(0, &sink.url("/pour"), &events, &phones)
        .await?;
    let ledger = Arc::new(Ledger::new(1_001));
    let memory = |what: &str, bytes| Figure::new(what, megabytes(bytes), Unit::Megabytes);

    let meter = Meter::start(stage.pid())?;
    let mut figures = vec![memory("memory before", Usage::of(stage.pid())?.rss)];
    for (what, numbers) in [("1 answer", (0, 1)), ("1,000 answers", (1, 1_001))] {
        let work = async {
            let patience = Duration::from_mins(1);
            flood(stage.address, &phones, &ledger, numbers, patience).await?;
            tokio::time::sleep(WATCHED).await;
            anyhow::Ok(())
        };
        let (peak, done) = watch(stage.pid(), work).await?;
        done?;
        figures.push(memory(&format!("most memory with {what}"), peak));
    }
    figures.push(memory("memory after", Usage::of(stage.pid())?.rss));
    figures.push(Figure::new("requests", real(sink.requests()), Unit::Count));
    figures.push(memory("poured into the connections", sink.written()));
    figures.push(Figure::new("others", meter.stop()?.others, Unit::Percent));
    Ok(figures)
}

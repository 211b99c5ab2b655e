//! `soak`: a steady load for a long time, to receivers of every kind. Memory should not grow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::Usage;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Unit, megabytes, real};
use crate::ledger::Ledger;
use crate::load::steady;
use crate::sink::{Manner, Sink};
use crate::stage::Stage;

/// Messages in a second.
const RATE: usize = 500;

/// Points of the memory curve.
const POINTS: u32 = 10;

/// Offers the load for `args.soak` seconds.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, 1, 1).await?;
    let length = Duration::from_secs(args.soak);
    let ledger = Arc::new(Ledger::new(RATE * usize::try_from(args.soak)? + 1));
    let noted = Arc::clone(&ledger);
    let prompt = Sink::start(Manner::Prompt, move |number| {
        noted.arrive(number);
    })?;
    let late = Sink::start(Manner::Late(Duration::from_secs(1)), |_| ())?;
    let busy = Sink::start(Manner::Busy, |_| ())?;
    let events = ["message.phone.received"];
    for sink in [&prompt, &late, &busy] {
        stage.webhook(0, &sink.url("/"), &events, &phones).await?;
    }

    let pid = stage.pid();
    let load = steady(stage.address, &phones[0], &ledger, 0, RATE, length);
    let curve = async {
        let mut curve = Vec::new();
        let began = Instant::now();
        for point in 1..=POINTS {
            let at = began + length * point / POINTS;
            tokio::time::sleep_until(at.into()).await;
            curve.push((length * point / POINTS, Usage::of(pid)?.rss));
        }
        anyhow::Ok(curve)
    };
    let (handed_in, curve) = tokio::join!(load, curve);
    let mut figures = vec![
        Figure::new("messages", real(handed_in?), Unit::Count),
        Figure::new("delivered promptly", real(prompt.requests()), Unit::Count),
    ];
    for (at, rss) in curve? {
        let what = format!("memory after {} s", at.as_secs());
        figures.push(Figure::new(what, megabytes(rss), Unit::Megabytes));
    }
    Ok(figures)
}

//! `latency`: messages come in at a fixed rate; how long until each stands at the webhook.
//! Counted from the first byte of the phone's request to the last byte of the webhook's.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, millis, percentile, real};
use crate::ledger::Ledger;
use crate::load::steady;
use crate::meter::Meter;
use crate::sink::{Manner, Sink};
use crate::stage::{Phone, Stage};

const PATIENCE: Duration = Duration::from_secs(15);

/// Long enough for connections to be open and code to be warm.
const WARM_UP: Duration = Duration::from_millis(500);

/// Messages each second, and the goal for the 99th percentile.
const RATES: [(usize, f64); 2] = [(100, 5.0), (1_000, 10.0)];

/// At each rate in turn, on one server.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, RATES.len(), 1).await?;
    let mut figures = Vec::new();
    let meter = Meter::start(stage.pid())?;
    for ((rate, goal), phone) in RATES.into_iter().zip(&phones) {
        let path = Path::open(&stage, 0, phone).await?;
        figures.extend(
            path.measure(rate, args.length(), Goal::AtMost(goal))
                .await?,
        );
    }
    let others = meter.stop()?.others;
    figures.push(Figure::new("others", others, Unit::Percent));
    Ok(figures)
}

/// From a phone through the server to a receiver of its own.
pub struct Path {
    server: std::net::SocketAddr,
    phone: Phone,
    ledger: Arc<Ledger>,
    _sink: Sink,
}

impl Path {
    /// Subscribes a prompt receiver to the phone.
    pub async fn open(stage: &Stage, account: usize, phone: &Phone) -> Result<Self> {
        let ledger = Arc::new(Ledger::new(200_000));
        let arrivals = Arc::clone(&ledger);
        let sink = Sink::start(Manner::Prompt, move |number| {
            arrivals.arrive(number);
        })?;
        let url = sink.url("/prompt");
        let phones = std::slice::from_ref(phone);
        stage
            .webhook(account, &url, &["message.phone.received"], phones)
            .await?;
        Ok(Self {
            server: stage.address,
            phone: phone.clone(),
            ledger,
            _sink: sink,
        })
    }

    /// Hands messages in at this rate; how long they took, with a goal for the 99th percentile.
    pub async fn measure(&self, rate: usize, length: Duration, goal: Goal) -> Result<Vec<Figure>> {
        let (server, ledger) = (self.server, &self.ledger);
        let first = steady(server, &self.phone, ledger, 0, rate, WARM_UP).await?;
        ledger.wait_for(first, PATIENCE).await;
        let end = steady(server, &self.phone, ledger, first, rate, length).await?;
        ledger.wait_for(end, PATIENCE).await;
        let name = format!("{rate}/s,");
        let mut figures = spread(&name, &ledger.latencies(first), goal);
        let missing = real(end - ledger.distinct());
        let what = format!("{name} messages that never arrived");
        figures.push(Figure::new(what, missing, Unit::Count));
        Ok(figures)
    }
}

/// Median, 99th percentile and maximum; the goal is for the percentile.
fn spread(name: &str, sorted: &[Duration], goal: Goal) -> Vec<Figure> {
    let figure = |what: &str, value| {
        let what = format!("{name} {what}");
        Figure::new(what, millis(value), Unit::Millis)
    };
    vec![
        figure("p50", percentile(sorted, 50)),
        figure("p99", percentile(sorted, 99)).goal(goal),
        figure("max", sorted.last().copied().unwrap_or_default()),
    ]
}

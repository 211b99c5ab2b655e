//! `httpsms phone simulate`: a simulated phone in the terminal, a line for each thing that happens.
//! It is a client like any other: the server may be anywhere.

use anyhow::Result;
use modem::Transport;
use modem::simulate::{Options, Phone};

use crate::cli::Simulate;
use crate::{screen, signals};

/// Runs until a signal, and then hands in what is under way.
pub async fn run(simulate: Simulate) -> Result<()> {
    let stop = signals::stop()?;
    let phone = Phone::new(&Transport::new()?, options(simulate))?
        .on_happening(|happening| screen::line(happening));
    let summary = phone.run(stop).await?;
    screen::line(summary);
    Ok(())
}

fn options(simulate: Simulate) -> Options {
    Options {
        latency: simulate.latency.0.clone(),
        delivery_latency: simulate.latency.0,
        failure_rate: simulate.failure_rate,
        drop_rate: simulate.drop_rate,
        duplicate_rate: simulate.duplicate_rate,
        heartbeat_every: simulate.heartbeat_every.0,
        incoming_every: simulate.incoming_every.map(|period| period.0),
        missed_call_rate: simulate.missed_call_rate,
        replies: simulate.replies,
        seed: simulate.seed,
        ..Options::new(simulate.server, simulate.api_key.reveal(), simulate.numbers)
    }
}

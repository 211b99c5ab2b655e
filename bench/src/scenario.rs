//! The scenarios by their names, and what each is about.

mod arrivals;
mod backlog;
mod ceiling;
mod endless;
mod fault;
mod inflight;
mod latency;
mod life;
mod lives;
mod mixed;
mod neighbour;
mod receive;
mod soak;
mod start;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use crate::args::{Args, Engine};
use crate::figure::Figure;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Messages received as fast as possible, each delivered to one webhook, or to three
    Receive,
    /// The same beside a model engine without parsing, rights, routing, filters or limits: what this machine
    /// could do at most; on SQLite, not part of a run of all
    Ceiling,
    /// From the request of a phone to the arrival at a webhook, at a fixed rate
    Latency,
    /// Whole lives of messages: send, wake, claim, sent, delivered, two webhooks
    Life,
    /// Messages come in while people read and search; on as many messages as `--stored` says
    Mixed,
    /// The same on ten thousand messages and more, up to ten million; not part of a run of all
    Growth,
    /// A fast receiver beside a slow one with 10,000 deliveries waiting
    Neighbour,
    /// Receivers that hold 10,000 requests open
    Inflight,
    /// A receiver that answers with a body without end
    Endless,
    /// Deliveries that wait for a dead endpoint
    Backlog,
    /// Killed again and again in the midst of deliveries; not part of a run of all
    Fault,
    /// A steady load for a long time; not part of a run of all
    Soak,
    /// From start to ready, memory when idle, size of the binary
    Start,
}

impl Scenario {
    /// Runs it once.
    pub async fn run(self, args: &Args, engine: Engine) -> Result<Vec<Figure>> {
        match self {
            Self::Receive => receive::run(args, engine).await,
            Self::Ceiling => ceiling::run(args, engine).await,
            Self::Latency => latency::run(args, engine).await,
            Self::Life => life::run(args, engine).await,
            Self::Mixed => mixed::run(args, engine).await,
            Self::Growth => mixed::growth(args, engine).await,
            Self::Neighbour => neighbour::run(args, engine).await,
            Self::Inflight => inflight::run(args, engine).await,
            Self::Endless => endless::run(args, engine).await,
            Self::Backlog => backlog::run(args, engine).await,
            Self::Fault => fault::run(args, engine).await,
            Self::Soak => soak::run(args, engine).await,
            Self::Start => start::run(args, engine).await,
        }
    }

    /// Whether one run is enough for the time it takes.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Self::Growth
                | Self::Neighbour
                | Self::Inflight
                | Self::Endless
                | Self::Backlog
                | Self::Fault
                | Self::Soak
        )
    }

    /// Whether it is run only when it is asked for.
    pub fn is_extra(self) -> bool {
        matches!(
            self,
            Self::Ceiling | Self::Growth | Self::Fault | Self::Soak
        )
    }

    /// The place of a scenario's lines in a table.
    pub fn order(line: &str) -> usize {
        let named = |scenario: &Self| line.starts_with(&format!("| {scenario}: "));
        let all = Self::value_variants();
        all.iter().position(named).unwrap_or(all.len())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.pad(value.as_ref().map_or("", |value| value.get_name()))
    }
}

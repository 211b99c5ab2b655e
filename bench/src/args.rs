//! What the command line says: which scenarios, on which database, how long and how often.
//! Defaults fit a quick look on a small machine.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::model;
use crate::scenario::Scenario;

/// Measures the release build of `httpsms`.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub part: Option<Part>,
    /// Only these scenarios, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// On these databases
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    pub on: Vec<Engine>,
    /// The binary to measure; `HTTPSMS_BIN` wins, and without both it is the one beside this program
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// How often the short scenarios are repeated
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// How long load is offered
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections that hand in messages
    #[arg(long, default_value_t = 128)]
    pub clients: usize,
    /// No more messages than this in one run
    #[arg(long, default_value_t = 500_000)]
    pub most: usize,
    /// Deliveries that wait in `backlog`
    #[arg(long, default_value_t = 100_000)]
    pub waiting: usize,
    /// How often the server is killed in `fault`
    #[arg(long, default_value_t = 100)]
    pub cycles: usize,
    /// Seconds of `soak`
    #[arg(long, default_value_t = 600)]
    pub soak: u64,
    /// Messages that are stored before `receive` or `mixed` begins
    #[arg(long, default_value_t = 0)]
    pub stored: usize,
    /// Messages that are stored in the steps of `growth`, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000, 10_000_000])]
    pub sizes: Vec<usize>,
    /// Accounts in `life`; each has `keys` phone keys of `numbers` numbers
    #[arg(long, default_value_t = 16)]
    pub accounts: usize,
    /// Phone keys of each account in `life`, each with a poll of its own
    #[arg(long, default_value_t = 8)]
    pub keys: usize,
    /// Numbers of each phone key in `life`
    #[arg(long, default_value_t = 32)]
    pub numbers: usize,
    /// Messages that live at the same time in `life`
    #[arg(long, default_value_t = 512)]
    pub lives: usize,
    /// Wait up to so many seconds for a machine that others leave alone, before each run
    #[arg(long, default_value_t = 60)]
    calm: u64,
    /// Make a run that others disturbed again, so often at most
    #[arg(long, default_value_t = 3)]
    tries: usize,
    /// Further flags of `serve`, separated by blanks
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub serve: String,
    /// The file that keeps the results
    #[arg(long, default_value = "bench/RESULTS.md")]
    pub results: PathBuf,
    /// Show the results, but keep them nowhere
    #[arg(long)]
    pub dry: bool,
}

/// What this program is for itself, in a process of its own.
#[derive(Clone, Debug, Subcommand)]
pub enum Part {
    /// The model engine of `ceiling`, until its input ends
    #[command(hide = true)]
    Model(model::Place),
}

/// The database that the server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The file in its data directory.
    Sqlite,
    /// A temporary server beside it.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl Args {
    /// Those asked for, else all.
    pub fn scenarios(&self) -> Vec<Scenario> {
        match self.only.as_slice() {
            [] => {
                let all = Scenario::value_variants().iter().copied();
                all.filter(|scenario| !scenario.is_extra()).collect()
            }
            only => only.to_vec(),
        }
    }

    /// The long ones are run once.
    pub fn runs_of(&self, scenario: Scenario) -> usize {
        if scenario.is_long() { 1 } else { self.runs }
    }

    /// How long load is offered.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// How often a run is made until it is undisturbed.
    pub fn tries(&self) -> usize {
        self.tries.max(1)
    }

    /// How long to wait for a calm machine.
    pub fn calm(&self) -> Duration {
        Duration::from_secs(self.calm)
    }
}

//! The program `httpsms`: picks the command, and turns its end into an exit code.
//! 0 when it ended in good order, 1 when something failed, 2 when it was asked wrongly.

mod bucket;
mod cli;
mod config;
mod connection;
mod dashboard;
mod demo;
mod duration;
mod entrance;
mod listener;
mod lock;
mod metrics;
mod pace;
mod page;
mod run;
mod screen;
mod signals;
mod simulate;
mod telemetry;
mod user;
mod webhook;
mod welcome;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser as _;

use cli::{Cli, Command, Phone, Serve, User, Webhook};
use config::{Config, Wrong};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What still runs when a command has ended is not waited for any longer.
const LEFTOVERS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match runtime().and_then(|runtime| {
        let ended = runtime.block_on(run(command));
        runtime.shutdown_timeout(LEFTOVERS);
        ended
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Wrong>() { 2 } else { 1 })
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(serve) => {
            let Serve { config, settings } = *serve;
            let config = Config::resolve(settings, config.as_deref())?;
            telemetry::start(&config)?;
            tracing::debug!(?config, "starting");
            run::serve(config).await
        }
        Command::User(User { place, command }) => user::run(place, command).await,
        Command::Phone(Phone::Simulate(options)) => simulate::run(options).await,
        Command::Webhook(Webhook::Listen(options)) => webhook::listen(options).await,
    }
}

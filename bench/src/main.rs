//! Measures the running binary: what it carries, how fast, and what that costs.
//! Runs the scenarios one after the other and hands what they found to the report.

mod args;
mod figure;
mod ledger;
mod load;
mod machine;
mod meter;
mod report;
mod scenario;
mod sink;
mod stage;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::args::Args;
use crate::report::Report;

// One thread: the load program shall leave the cores to the server, and its clock be the same everywhere.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let mut report = Report::new(args)?;
    for scenario in args.scenarios() {
        for engine in args.on.iter().copied() {
            for run in 1..=args.runs_of(scenario) {
                let busy = machine::calm(args.calm()).await?;
                eprintln!("{scenario} on {engine}, run {run} (others before: {busy:.0} %)");
                let figures = scenario.run(args, engine).await;
                match figures {
                    Ok(figures) => report.add(scenario, engine, figures),
                    Err(error) => report.fail(scenario, engine, &error),
                }
            }
            report.print(scenario, engine);
        }
    }
    report.finish()
}

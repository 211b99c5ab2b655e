//! Measures the running binary: what it carries, how fast, and what that costs.
//! Runs the scenarios one after the other and hands what they found to the report.

mod args;
mod figure;
mod fill;
mod ledger;
mod load;
mod machine;
mod meter;
mod model;
mod report;
mod scenario;
mod sink;
mod stage;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::args::{Args, Engine, Part};
use crate::figure::Figure;
use crate::report::Report;
use crate::scenario::Scenario;

/// A run in which others took more of the machine, in percent, is repeated.
const DISTURBED: f64 = 12.0;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.part {
        Some(Part::Model(place)) => model::run(place),
        None => measure(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// One thread: the load program shall leave the cores to the server, and its clock be the same everywhere.
#[tokio::main(flavor = "current_thread")]
async fn measure(args: &Args) -> Result<()> {
    let mut report = Report::new(args)?;
    for scenario in args.scenarios() {
        for engine in args.on.iter().copied() {
            for run in 1..=args.runs_of(scenario) {
                eprintln!("{scenario} on {engine}, run {run}");
                match calm_run(args, scenario, engine).await {
                    Ok(figures) => report.add(scenario, engine, figures),
                    Err(error) => report.fail(scenario, engine, &error),
                }
            }
            report.print(scenario, engine);
        }
    }
    report.finish()
}

/// Runs it in a calm moment, again if others took much of the machine meanwhile; the calmest run counts.
async fn calm_run(args: &Args, scenario: Scenario, engine: Engine) -> Result<Vec<Figure>> {
    let mut calmest: Option<Vec<Figure>> = None;
    for _ in 0..args.tries() {
        machine::calm(args.calm()).await?;
        let figures = scenario.run(args, engine).await?;
        let others = figure::others(&figures);
        if calmest
            .as_ref()
            .is_none_or(|best| others < figure::others(best))
        {
            calmest = Some(figures);
        }
        if others < DISTURBED {
            break;
        }
        eprintln!("  others took {others:.0} % of the machine");
    }
    Ok(calmest.unwrap_or_default())
}

//! `ceiling`: what this machine could do at most, and how much of that the server does. The same clients hand
//! in messages to a model engine, which only stores and delivers, then to the server with one webhook, and
//! both once more: a machine may be twice as quick an hour later, but hardly between two rounds.

use anyhow::Result;

use super::arrivals::{Arrivals, Receivers};
use super::receive;
use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, median, real};
use crate::model;
use crate::stage::Phone;

/// Of the model and of the server, in turn.
const ROUNDS: usize = 2;

/// In percent: so much of what the machine could do at most should be left beside parsing, rights, routing,
/// filters and limits.
const GOAL: Goal = Goal::AtLeast(50.0);

/// On SQLite only; the model engine has no other database.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    if engine != Engine::Sqlite {
        return Ok(Vec::new());
    }
    let (mut model, mut server) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        model.push(flood_model(args).await?);
        server.push(receive::one(args, engine, 1, 0).await?);
    }
    Ok(figures(&model, &server))
}

async fn flood_model(args: &Args) -> Result<Arrivals> {
    let receivers = Receivers::start(1, args.most)?;
    let engine = model::Engine::start(receivers.sinks()[0].address()).await?;
    let process = (engine.address, engine.pid);
    let phones = phones(args.clients);
    let found = receivers.flood(process, &phones, args.length()).await?;
    engine.stop().await?;
    Ok(found)
}

/// The model knows no phones: these make requests of the same length.
fn phones(count: usize) -> Vec<Phone> {
    let phone = |nth| Phone {
        number: format!("+1415{}", 2_000_000 + nth),
        key: format!("pk_{nth:064}").into(),
    };
    (0..count).map(phone).collect()
}

/// The middle of the rounds of each, and what the server's is of the model's.
fn figures(model: &[Arrivals], server: &[Arrivals]) -> Vec<Figure> {
    let mut figures = of("model engine", model);
    figures.extend(of("httpsms", server));
    let share = |of: fn(&Arrivals) -> f64| 100.0 * middle(server, of) / middle(model, of);
    let (rate, cpu) = (share(Arrivals::whole_rate), share(Arrivals::cpu));
    let all = model.iter().chain(server);
    let others = all.map(|found| found.used.others).fold(0.0, f64::max);
    figures.extend([
        Figure::new(
            "httpsms, part of the ceiling's deliveries",
            rate,
            Unit::Share,
        )
        .goal(GOAL),
        Figure::new(
            "httpsms, CPU per 1,000 deliveries, of the model engine's",
            cpu,
            Unit::Share,
        ),
        Figure::new("machine used by others", others, Unit::Percent),
    ]);
    figures
}

fn of(who: &str, rounds: &[Arrivals]) -> Vec<Figure> {
    let figure = |what: &str, value, unit| Figure::new(format!("{who}, {what}"), value, unit);
    let rate = middle(rounds, Arrivals::whole_rate);
    let cpu = middle(rounds, Arrivals::cpu);
    let p99 = middle(rounds, Arrivals::answer_p99);
    let missing = rounds.iter().map(|round| round.missing).sum();
    vec![
        figure("messages accepted and delivered", rate, Unit::PerSecond),
        figure("CPU per 1,000 deliveries", cpu, Unit::CpuSeconds),
        figure("answer to the phone, p99", p99, Unit::Millis),
        figure("deliveries that never arrived", real(missing), Unit::Count),
    ]
}

fn middle(rounds: &[Arrivals], value: fn(&Arrivals) -> f64) -> f64 {
    let values: Vec<f64> = rounds.iter().map(value).collect();
    median(&values)
}

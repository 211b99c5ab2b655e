//! `life`: a client sends, the phone is woken by its poll, claims, and reports SENT and DELIVERED.
//! One webhook hears of SENT and another of DELIVERED; a life is over when both have heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::lives::{Handset, Lives};
use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, millis, percentile, real};
use crate::ledger::content;
use crate::meter::Meter;
use crate::sink::{Manner, Sink};
use crate::stage::{Phone, Stage, key_of};
use crate::wire::{Line, request};

/// Connections of clients that send.
const CLIENTS: usize = 32;

const PATIENCE: Duration = Duration::from_secs(15);

/// Sends for as long as load is offered, and waits until the last life is over.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, args.accounts).await?;
    let lives = Arc::new(Lives::new(args.most, args.lives));
    let (_sinks, phones) = cast(args, &mut stage, &lives).await?;
    let mut handsets = JoinSet::new();
    let mut keys: Vec<_> = phones.iter().map(|(_, phone)| &phone.key).collect();
    keys.dedup();
    for key in &keys {
        let handset = Handset::new(stage.address, Arc::clone(key));
        handsets.spawn(async move { handset.listen().await });
    }

    let meter = Meter::start(stage.pid())?;
    let sending = send(args, &stage, &lives, &phones);
    let sent = tokio::select! {
        sent = sending => sent?,
        Some(ended) = handsets.join_next() => {
            ended??;
            anyhow::bail!("a phone has stopped")
        }
    };
    lives.delivered.wait_for(sent, PATIENCE).await;
    lives.sent.wait_for(sent, PATIENCE).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let used = meter.stop()?;

    let over = lives.over();
    let whole = lives.delivered.last().max(lives.sent.last()) - meter.began();
    let goal = match engine {
        Engine::Sqlite => 2_000.0,
        Engine::Postgres => 1_000.0,
    };
    let took = lives.delivered.latencies(0);
    let rate = real(over) / whole.as_secs_f64();
    let cpu = used.per_thousand(over);
    let mut figures = vec![
        Figure::new("lives", rate, Unit::PerSecond).goal(Goal::AtLeast(goal)),
        Figure::new("CPU per 1,000 lives", cpu, Unit::CpuSeconds),
        Figure::new("a life, p50", millis(percentile(&took, 50)), Unit::Millis),
        Figure::new("a life, p99", millis(percentile(&took, 99)), Unit::Millis),
        Figure::new("lives that never ended", real(sent - over), Unit::Count),
        Figure::new("phones", real(phones.len()), Unit::Count),
        Figure::new(
            "phone keys, each with a poll",
            real(keys.len()),
            Unit::Count,
        ),
    ];
    figures.extend(used.figures("lives", over));
    Ok(figures)
}

/// Two webhooks for each account and all its phones; those of different accounts take turns.
async fn cast(
    args: &Args,
    stage: &mut Stage,
    lives: &Arc<Lives>,
) -> Result<(Vec<Sink>, Vec<(usize, Phone)>)> {
    let mut sinks = Vec::new();
    let mut phones = Vec::new();
    for account in 0..args.accounts {
        let own = stage.phones(account, args.keys, args.numbers).await?;
        phones.extend(own.into_iter().map(|phone| (account, phone)));
    }
    for event in ["message.phone.sent", "message.phone.delivered"] {
        let told = Arc::clone(lives);
        let sink = Sink::start(Manner::Prompt, move |number| told.heard(event, number))?;
        for account in 0..args.accounts {
            let own = phones.iter().filter(|(owner, _)| *owner == account);
            let own: Vec<_> = own.map(|(_, phone)| phone.clone()).collect();
            let url = sink.url(&format!("/{account}"));
            stage.webhook(account, &url, &[event], &own).await?;
        }
        sinks.push(sink);
    }
    Ok((sinks, phones))
}

/// Clients take the phones in turn, with a limit to how many messages live; returns how many were sent.
async fn send(
    args: &Args,
    stage: &Stage,
    lives: &Arc<Lives>,
    phones: &[(usize, Phone)],
) -> Result<usize> {
    let until = Instant::now() + args.length();
    let next = Arc::new(AtomicUsize::new(0));
    let phones: Arc<[_]> = phones.into();
    let most = args.most;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let mut line = Line::open(stage.address).await?;
        let (next, phones, lives) = (Arc::clone(&next), Arc::clone(&phones), Arc::clone(lives));
        clients.spawn(async move {
            let mut sent = 0;
            loop {
                let begun = timeout_at(until, lives.begin()).await;
                let number = next.fetch_add(1, Ordering::Relaxed);
                if begun.is_err() || Instant::now() >= until || number >= most {
                    break anyhow::Ok(sent);
                }
                // One number of each key after the other, so that all polls have something to do.
                let (account, phone) = turn(&phones, number).context("no phones")?;
                lives.delivered.send(number);
                line.ask(&message(*account, phone, number)).await?.ok()?;
                sent += 1;
            }
        });
    }
    let mut sent = 0;
    while let Some(client) = clients.join_next().await {
        sent += client??;
    }
    Ok(sent)
}

/// The phones in an order that jumps from key to key, each once before any comes again.
fn turn<T>(phones: &[T], number: usize) -> Option<&T> {
    let (count, step) = (phones.len(), 509);
    // 509 is a prime: with any count it does not divide, the jumps reach everybody.
    phones.get(number.wrapping_mul(step) % count.max(1))
}

fn message(account: usize, phone: &Phone, number: usize) -> Vec<u8> {
    let body = json!({
        "from": phone.number,
        "to": format!("+1650{}", 2_000_000 + number % 1_000),
        "content": content(number),
    });
    let key = key_of(account);
    request("POST", "/v1/messages/send", &key, &body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phone_has_its_turn() {
        let phones: Vec<usize> = (0..4_096).collect();
        let mut seen: Vec<usize> = (0..4_096)
            .filter_map(|n| turn(&phones, n))
            .copied()
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, phones);
        assert_eq!(turn::<usize>(&[], 1), None);
    }
}

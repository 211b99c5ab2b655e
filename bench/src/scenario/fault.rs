//! `fault`: the server is killed again and again in the midst of deliveries, to a receiver that fails
//! one time in twenty. Nothing acknowledged may be lost, and every attempt must be accounted for.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rand::RngExt as _;
use serde_json::Value;
use testkit::Respond;
use testkit::receiver::{Received, Receiver};

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, real};
use crate::ledger::{content, number_in};
use crate::stage::{Phone, Stage, received};
use crate::wire::Line;

/// How long the server works between two kills, in milliseconds.
const WORK: std::ops::Range<u64> = 5..150;

/// Connections that hand in messages, and how long each rests after one.
const CALLERS: usize = 8;
const REST: Duration = Duration::from_millis(8);

/// How often an event is sent at most.
const ATTEMPTS: usize = 5;

/// One answer in so many is a failure.
const FAILURES: usize = 20;

/// How long everything may take to arrive after the last kill.
const PATIENCE: Duration = Duration::from_mins(3);

/// What was acknowledged, and what arrived.
#[derive(Default)]
struct Book {
    next: AtomicUsize,
    acknowledged: Mutex<Vec<usize>>,
    /// By the event's id.
    arrived: Mutex<HashMap<String, Arrived>>,
    answers: AtomicUsize,
}

#[derive(Default, Clone, Copy)]
struct Arrived {
    number: usize,
    requests: usize,
    taken: usize,
}

impl Book {
    /// Notes a request, and says whether to take it.
    fn note(&self, request: &Received) -> Respond {
        let nth = self.answers.fetch_add(1, Ordering::Relaxed);
        let take = nth % FAILURES != FAILURES - 1;
        let event: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        let mut arrived = lock(&self.arrived);
        let seen = arrived.entry(id).or_default();
        seen.number = number_in(&request.body).unwrap_or_default();
        seen.requests += 1;
        seen.taken += usize::from(take);
        Respond::status(if take { 200 } else { 500 })
    }

    /// What was acknowledged and never taken.
    fn missing(&self) -> Vec<usize> {
        let arrived = lock(&self.arrived);
        let taken = arrived.values().filter(|seen| seen.taken > 0);
        let taken: HashSet<usize> = taken.map(|seen| seen.number).collect();
        let acknowledged = lock(&self.acknowledged);
        let missing = acknowledged.iter().filter(|number| !taken.contains(number));
        missing.copied().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills it `args.cycles` times.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, CALLERS, 1).await?;
    let book = Arc::new(Book::default());
    let noted = Arc::clone(&book);
    let receiver = Receiver::unrecorded(move |request| noted.note(request)).await;
    let events = ["message.phone.received"];
    let webhook = stage
        .webhook(0, &receiver.url("/"), &events, &phones)
        .await?;

    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = phones
        .iter()
        .map(|phone| {
            let (phone, book, over) = (phone.clone(), Arc::clone(&book), Arc::clone(&over));
            let address = stage.address;
            tokio::spawn(async move { hand_in(address, &phone, &book, &over).await })
        })
        .collect();
    for _ in 0..args.cycles {
        let work = Duration::from_millis(rand::rng().random_range(WORK));
        tokio::time::sleep(work).await;
        stage.crash().await;
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await?;
    }
    let arrived = async || book.missing().is_empty().then_some(());
    let _ = testkit::within(PATIENCE, arrived).await;
    figures(args, &stage, &webhook, &book).await
}

/// Hands in messages until told to stop, over a new connection after each kill.
async fn hand_in(address: std::net::SocketAddr, phone: &Phone, book: &Book, over: &AtomicBool) {
    let mut line = None;
    while !over.load(Ordering::Relaxed) {
        if line.is_none() {
            line = Line::open(address).await.ok();
        }
        if let Some(open) = &mut line {
            let number = book.next.fetch_add(1, Ordering::Relaxed);
            let request = received(phone, &content(number), number);
            let taken = match open.ask(&request).await {
                Ok(answer) => answer.ok().is_ok(),
                Err(_) => false,
            };
            if taken {
                lock(&book.acknowledged).push(number);
            } else {
                line = None;
            }
        }
        tokio::time::sleep(REST).await;
    }
}

async fn figures(args: &Args, stage: &Stage, webhook: &str, book: &Book) -> Result<Vec<Figure>> {
    let logged = stage.attempts(webhook).await?;
    let arrived = lock(&book.arrived).clone();
    let requests: usize = arrived.values().map(|seen| seen.requests).sum();
    let repeated: usize = arrived
        .values()
        .map(|seen| seen.taken.saturating_sub(1))
        .sum();
    let invented = logged
        .iter()
        .filter(|(id, attempts)| {
            arrived
                .get(*id)
                .is_none_or(|seen| seen.requests < **attempts)
        })
        .count();
    let too_many = logged
        .values()
        .filter(|attempts| **attempts > ATTEMPTS)
        .count();
    let acknowledged = lock(&book.acknowledged).len();
    // One in three million events fails at every attempt; then no more are due to it.
    let given_up = |number: &usize| {
        let about = |(_, seen): &(&String, &Arrived)| seen.number == *number;
        let event = arrived.iter().find(about).map(|(id, _)| id);
        event.and_then(|id| logged.get(id)) == Some(&ATTEMPTS)
    };
    let (refused, lost): (Vec<_>, Vec<_>) = book.missing().into_iter().partition(given_up);
    for number in &lost {
        let about = arrived.values().filter(|seen| seen.number == *number);
        let requests: usize = about.map(|seen| seen.requests).sum();
        eprintln!("  lost: message {number}, after {requests} requests");
    }
    let none = Goal::AtMost(0.0);
    let count = |what: &str, value: usize| Figure::new(what, real(value), Unit::Count);
    Ok(vec![
        count("kills", args.cycles),
        count("messages acknowledged", acknowledged),
        count("acknowledged but never delivered", lost.len()).goal(none),
        count("given up, as every attempt failed", refused.len()),
        count("requests to the receiver", requests),
        count("events delivered more than once", repeated),
        count(
            "requests cut off by a kill, so not in the log",
            requests.saturating_sub(logged.values().sum()),
        ),
        count(
            "events with more attempts in the log than requests",
            invented,
        )
        .goal(none),
        count("events with more than five attempts", too_many).goal(none),
    ])
}

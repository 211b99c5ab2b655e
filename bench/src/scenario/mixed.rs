//! `mixed`: phones hand in messages while people read: conversations, threads, a search, one message,
//! the log of events. Each client asks for one thing after the other.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, millis, percentile, real};
use crate::ledger::content;
use crate::machine;
use crate::meter::Meter;
use crate::stage::{Phone, Stage, contact, key_of, received};
use crate::wire::{self, Line, find};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Receive,
    Conversation,
    Threads,
    Message,
    Search,
    Events,
}

/// What a client asks, over and over: four writes of ten.
const ROUND: [Ask; 10] = [
    Ask::Receive,
    Ask::Conversation,
    Ask::Receive,
    Ask::Threads,
    Ask::Receive,
    Ask::Message,
    Ask::Receive,
    Ask::Search,
    Ask::Conversation,
    Ask::Events,
];

/// Before it counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// Figures with ten million messages shall be so much of those with the fewest.
const KEPT: f64 = 0.9;

/// On as many messages as are to be stored.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, args.clients, 1).await?;
    stage.fill(&phones, args.stored).await?;
    measure(&stage, &phones, args.length()).await
}

/// On more and more messages, on one server.
pub async fn growth(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let mut stage = Stage::start(args, engine, 1).await?;
    let phones = stage.phones(0, args.clients, 1).await?;
    let (mut figures, mut first) = (Vec::new(), None);
    for size in &args.sizes {
        stage.fill(&phones, *size).await?;
        let stored = Unit::Count.text(real(*size));
        eprintln!("  {stored} stored");
        machine::calm(args.calm()).await?;
        for mut figure in measure(&stage, &phones, args.length()).await? {
            if figure.unit == Unit::PerSecond {
                let least = *first.get_or_insert(figure.value) * KEPT;
                figure.goal = (figure.value < least / KEPT).then_some(Goal::AtLeast(least));
            }
            figure.what = format!("{stored} stored, {}", figure.what);
            figures.push(figure);
        }
    }
    Ok(figures)
}

async fn measure(stage: &Stage, phones: &[Phone], length: Duration) -> Result<Vec<Figure>> {
    round(stage, phones, WARM_UP).await?;
    let meter = Meter::start(stage.pid())?;
    let mut answers = round(stage, phones, length).await?;
    let time = meter.began().elapsed().as_secs_f64();
    let used = meter.stop()?;
    let count = answers.len();
    let mut figures = vec![
        Figure::new("requests", real(count) / time.max(0.001), Unit::PerSecond),
        Figure::new(
            "CPU per 1,000 requests",
            used.per_thousand(count),
            Unit::CpuSeconds,
        ),
    ];
    answers.sort_unstable_by_key(|(_, time)| *time);
    for (ask, name) in [
        (Ask::Receive, "receive a message"),
        (Ask::Conversation, "50 of a conversation"),
        (Ask::Threads, "50 threads"),
        (Ask::Message, "one message"),
        (Ask::Search, "search a text"),
        (Ask::Events, "100 events"),
    ] {
        let of_it = answers.iter().filter(|(asked, _)| *asked == ask);
        let times: Vec<Duration> = of_it.map(|(_, time)| *time).collect();
        for percent in [50, 99] {
            let value = millis(percentile(&times, percent));
            figures.push(Figure::new(
                format!("{name}, p{percent}"),
                value,
                Unit::Millis,
            ));
        }
    }
    figures.extend(used.figures("requests", count));
    Ok(figures)
}

/// Every client goes round for so long; how long each answer took.
async fn round(stage: &Stage, phones: &[Phone], length: Duration) -> Result<Vec<(Ask, Duration)>> {
    let until = Instant::now() + length;
    let mut clients = JoinSet::new();
    for (nth, phone) in phones.iter().enumerate() {
        let mut client = Client::new(stage, phone, nth).await?;
        clients.spawn(async move {
            let mut answers = Vec::new();
            let mut asks = ROUND.iter().cycle().skip(nth);
            while Instant::now() < until {
                let ask = *asks.next().context("a round has no end")?;
                answers.push((ask, client.ask(ask).await?));
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = Vec::new();
    while let Some(client) = clients.join_next().await {
        answers.extend(client??);
    }
    Ok(answers)
}

/// A phone and its owner, on one connection.
struct Client {
    line: Line,
    phone: Phone,
    user: String,
    /// Of the next message.
    number: usize,
    /// A message that was seen.
    message: String,
    /// A place in the log.
    place: u64,
}

impl Client {
    async fn new(stage: &Stage, phone: &Phone, nth: usize) -> Result<Self> {
        let mut line = Line::open(stage.address).await?;
        let request = received(phone, &content(nth), nth);
        let made = line.ask(&request).await?.ok()?.data()?;
        Ok(Self {
            line,
            phone: phone.clone(),
            user: key_of(0),
            number: nth * 1_000,
            message: made["id"].as_str().context("an id")?.to_owned(),
            place: 0,
        })
    }

    /// How long the answer took.
    async fn ask(&mut self, ask: Ask) -> Result<Duration> {
        self.number += 1;
        let request = self.request(ask);
        let asked = Instant::now();
        let answer = self.line.ask(&request).await?.ok();
        let answer = answer.with_context(|| format!("{ask:?}"))?;
        let took = asked.elapsed();
        match ask {
            Ask::Conversation => {
                let id = find(answer.body, b"\"id\":\"").map(|at| &answer.body[at + 6..]);
                let id = id.and_then(|rest| std::str::from_utf8(rest.get(..36)?).ok());
                if let Some(id) = id {
                    id.clone_into(&mut self.message);
                }
            }
            Ask::Events => self.place = answer.data()?["next"].as_u64().context("a place")?,
            _ => {}
        }
        Ok(took)
    }

    fn request(&self, ask: Ask) -> Vec<u8> {
        let owner = self.phone.number.replace('+', "%2B");
        let path = match ask {
            Ask::Receive => return received(&self.phone, &content(self.number), self.number),
            Ask::Conversation => {
                let contact = contact(self.number).replace('+', "%2B");
                format!("/v1/messages?owner={owner}&contact={contact}&limit=50")
            }
            Ask::Threads => format!("/v1/message-threads?owner={owner}&limit=50"),
            Ask::Message => format!("/v1/messages/{}", self.message),
            Ask::Search => {
                let number = self.number % 10_000;
                format!("/v1/messages/search?query={number:09}&limit=20&sort_descending=true")
            }
            Ask::Events => format!("/v1/events?after={}&limit=100", self.place),
        };
        wire::get(&path, &self.user)
    }
}

//! Handing in received messages: as fast as the server takes them, or at a fixed rate whatever it does.
//! What is handed in is noted in the ledger, where the receivers note what arrives.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::ledger::{Ledger, content};
use crate::stage::{Phone, received};
use crate::wire::{Line, find};

/// What a number stands between in a request.
const NUMBER: &[u8] = b"no 000000000";
const CONTACT: &[u8] = b"+16502000000";

/// What a flood came to.
pub struct Flood {
    /// Messages that were accepted.
    pub accepted: usize,
    /// When the last of them was.
    pub last: Instant,
    /// From request to answer, sorted.
    pub answers: Vec<Duration>,
}

/// A request whose number and sender are written over for each message.
struct Template {
    bytes: Vec<u8>,
    number: usize,
    contact: usize,
}

impl Template {
    fn new(phone: &Phone) -> Result<Self> {
        let bytes = received(phone, &content(0), 0);
        let number = find(&bytes, NUMBER).context("no number in the request")? + 3;
        let contact = find(&bytes, CONTACT).context("no sender in the request")? + 5;
        Ok(Self {
            bytes,
            number,
            contact,
        })
    }

    /// The request of this message. A thousand people write.
    fn of(&mut self, number: usize) -> &[u8] {
        write(&mut self.bytes[self.number..][..9], number);
        write(
            &mut self.bytes[self.contact..][..7],
            2_000_000 + number % 1_000,
        );
        &self.bytes
    }
}

/// Writes a number in decimal over these bytes, all of them.
fn write(digits: &mut [u8], mut number: usize) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// One connection for each phone hands in messages, one after the other, for `length` or until the
/// numbers from `first` to before `end` are used up.
pub async fn flood(
    address: SocketAddr,
    phones: &[Phone],
    ledger: &Arc<Ledger>,
    (first, end): (usize, usize),
    length: Duration,
) -> Result<Flood> {
    let until = Instant::now() + length;
    let next = Arc::new(AtomicUsize::new(first));
    let end = end.min(ledger.capacity());
    let mut clients = JoinSet::new();
    for phone in phones {
        let mut line = Line::open(address).await?;
        let mut template = Template::new(phone)?;
        let (ledger, next) = (Arc::clone(ledger), Arc::clone(&next));
        clients.spawn(async move {
            let mut answers = Vec::new();
            let mut last = Instant::now();
            while last < until {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    break;
                }
                ledger.send(number);
                line.ask(template.of(number)).await?.ok()?;
                let now = Instant::now();
                answers.push(now - last);
                last = now;
            }
            anyhow::Ok((last, answers))
        });
    }
    let mut flood = Flood {
        accepted: 0,
        last: Instant::now(),
        answers: Vec::new(),
    };
    while let Some(client) = clients.join_next().await {
        let (last, answers) = client??;
        flood.last = flood.last.max(last);
        flood.answers.extend(answers);
    }
    flood.accepted = flood.answers.len();
    flood.answers.sort_unstable();
    Ok(flood)
}

/// A connection that has rested for longer is not used again: the server closes one that is new and
/// has asked nothing after ten seconds, any other later.
const FRESH: Duration = Duration::from_secs(5);

/// Hands in `rate` messages each second for `length`, each at its time even when earlier ones have no
/// answer yet. Their numbers begin with `first`; returns the one after the last.
pub async fn steady(
    address: SocketAddr,
    phone: &Phone,
    ledger: &Arc<Ledger>,
    first: usize,
    rate: usize,
    length: Duration,
) -> Result<usize> {
    let count = usize::try_from(length.as_millis())? * rate / 1_000;
    let gap = Duration::from_secs(1) / u32::try_from(rate)?;
    let free = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..16 {
        let line = (
            Line::open(address).await?,
            Template::new(phone)?,
            Instant::now(),
        );
        free.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
    let mut sending = JoinSet::new();
    let start = tokio::time::Instant::now();
    for nth in 0..count {
        let number = first + nth;
        let due = gap * u32::try_from(nth)?;
        tokio::time::sleep_until(start + due).await;
        let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let taken = taken.filter(|(_, _, since)| since.elapsed() < FRESH);
        let fresh = Template::new(phone)?;
        let (ledger, free) = (Arc::clone(ledger), Arc::clone(&free));
        sending.spawn(async move {
            let (mut line, mut template) = match taken {
                Some((line, template, _)) => (line, template),
                None => (Line::open(address).await?, fresh),
            };
            let request = template.of(number);
            ledger.send(number);
            line.ask(request).await?.ok()?;
            free.lock().unwrap_or_else(PoisonError::into_inner).push((
                line,
                template,
                Instant::now(),
            ));
            anyhow::Ok(())
        });
        while let Some(sent) = sending.try_join_next() {
            sent??;
        }
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    Ok(first + count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::number_in;

    #[test]
    fn a_template_becomes_each_message() {
        let phone = Phone {
            number: "+14152000000".to_owned(),
            key: "pk_1".into(),
        };
        let mut template = Template::new(&phone).unwrap();
        assert_eq!(number_in(template.of(12_345)), Some(12_345));
        assert!(find(template.of(12_345), b"+16502000345").is_some());
        assert_eq!(number_in(template.of(7)), Some(7));
    }
}

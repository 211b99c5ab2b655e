//! Which message was handed in when, and when each arrived at a receiver.
//! A message carries its number in its text, so that nothing else is needed to match them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::wire::find;

/// What stands before the number in a body of JSON.
const MARK: &[u8] = br#""content":"no "#;
const DIGITS: usize = 9;

/// The text of a message: about as long as most are.
pub fn content(number: usize) -> String {
    format!("no {number:09}: your parcel is at the desk, please come before six")
}

/// The number in a body.
pub fn number_in(body: &[u8]) -> Option<usize> {
    let start = find(body, MARK)? + MARK.len();
    let digits = body.get(start..start + DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Times are nanoseconds since its making; 0 stands for never.
pub struct Ledger {
    made: Instant,
    sent: Vec<AtomicU64>,
    arrived: Vec<AtomicU64>,
    arrivals: AtomicUsize,
    distinct: AtomicUsize,
    last: AtomicU64,
}

impl Ledger {
    /// For messages with numbers below `capacity`.
    pub fn new(capacity: usize) -> Self {
        let never = || (0..capacity).map(|_| AtomicU64::new(0)).collect();
        Self {
            made: Instant::now(),
            sent: never(),
            arrived: never(),
            arrivals: AtomicUsize::new(0),
            distinct: AtomicUsize::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// How many numbers there are.
    pub fn capacity(&self) -> usize {
        self.sent.len()
    }

    /// It is handed in now.
    pub fn send(&self, number: usize) {
        self.sent[number].store(self.now(), Ordering::Relaxed);
    }

    /// It arrives now; true for the first time.
    pub fn arrive(&self, number: usize) -> bool {
        let now = self.now();
        self.last.store(now, Ordering::Relaxed);
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        let Some(slot) = self.arrived.get(number) else {
            return false;
        };
        let first = slot
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if first {
            self.distinct.fetch_add(1, Ordering::Relaxed);
        }
        first
    }

    /// How many different messages have arrived.
    pub fn distinct(&self) -> usize {
        self.distinct.load(Ordering::Relaxed)
    }

    /// How many arrived that had arrived before.
    pub fn repeated(&self) -> usize {
        self.arrivals.load(Ordering::Relaxed) - self.distinct()
    }

    /// When the last one arrived.
    pub fn last(&self) -> Instant {
        self.made + Duration::from_nanos(self.last.load(Ordering::Relaxed))
    }

    /// Waits until so many different ones have arrived, or none has for `patience`.
    pub async fn wait_for(&self, count: usize, patience: Duration) {
        let mut last_look = Instant::now();
        let mut seen = self.distinct();
        while seen < count && last_look.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = self.distinct();
            if now > seen {
                (seen, last_look) = (now, Instant::now());
            }
        }
    }

    /// From handing in to the first arrival, of the numbers from `first` that arrived, sorted.
    pub fn latencies(&self, first: usize) -> Vec<Duration> {
        let pairs = self.sent.iter().zip(&self.arrived).skip(first);
        let mut latencies: Vec<_> = pairs
            .map(|(sent, arrived)| {
                (
                    sent.load(Ordering::Relaxed),
                    arrived.load(Ordering::Relaxed),
                )
            })
            .filter(|(sent, arrived)| *sent > 0 && *arrived > 0)
            .map(|(sent, arrived)| Duration::from_nanos(arrived.saturating_sub(sent)))
            .collect();
        latencies.sort_unstable();
        latencies
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_again_in_the_body() {
        let body = format!(r#"{{"data":{{"content":"{}","sim":"SIM1"}}}}"#, content(42));
        assert_eq!(number_in(body.as_bytes()), Some(42));
        assert_eq!(number_in(br#"{"content":"no 12"}"#), None);
    }

    #[test]
    fn only_what_was_sent_and_arrived_has_a_latency() {
        let ledger = Ledger::new(3);
        ledger.send(0);
        ledger.send(1);
        assert!(ledger.arrive(1));
        assert!(!ledger.arrive(1));
        assert!(ledger.arrive(2));
        assert_eq!((ledger.distinct(), ledger.repeated()), (2, 1));
        assert_eq!(ledger.latencies(0).len(), 1);
        assert_eq!(ledger.latencies(2).len(), 0);
    }
}

//! Figures of the courier, for whoever shows them. Counted by one task, read by anybody.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway::delivery::Outcome;

use crate::carry::Ending;

/// What the courier has done since it started, and what it holds.
#[derive(Debug, Default)]
pub struct Stats {
    attempts: AtomicU64,
    delivered: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
    in_flight: AtomicU64,
    held: AtomicU64,
}

impl Stats {
    /// Attempts that were started.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Relaxed)
    }

    /// Events that webhooks took, and wake-ups that were sent or offered.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Attempts that failed and are followed by another.
    pub fn retried(&self) -> u64 {
        self.retried.load(Relaxed)
    }

    /// Deliveries that were given up.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Attempts under way now.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Rows in memory now.
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    pub(crate) fn started(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    pub(crate) fn ended(&self, ending: &Ending) {
        let counter = match ending {
            Ending::Settled(Outcome::Dead { .. }) => &self.failed,
            Ending::Settled(Outcome::Dropped | Outcome::Retry { .. }) | Ending::NotNow { .. } => {
                return;
            }
            Ending::Settled(_) => &self.delivered,
            Ending::Again(_) => &self.retried,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn now(&self, in_flight: usize, held: usize) {
        self.in_flight.store(in_flight as u64, Relaxed);
        self.held.store(held as u64, Relaxed);
    }
}

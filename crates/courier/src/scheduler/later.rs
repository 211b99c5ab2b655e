//! What has to wait for its time: rows that are due later, and targets to look at again.
//! One heap for all of them, so that there is one next moment.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use gateway::Uuid;
use gateway::delivery::Delivery;

use super::Moment;

/// What waits, earliest first; among equals the one that came first.
#[derive(Debug, Default)]
pub(super) struct Later {
    heap: BinaryHeap<Reverse<Entry>>,
    count: u64,
}

/// Something whose time has come.
#[derive(Debug)]
pub(super) enum What {
    /// A row is due; it was put in as one far ahead, or not.
    Row(Box<Delivery>, bool),
    /// Something of the target may have changed with time.
    Look(Uuid),
}

impl Later {
    /// A row that is due then.
    pub fn row(&mut self, at: Moment, delivery: Delivery, far: bool) {
        self.push(at, What::Row(Box::new(delivery), far));
    }

    /// A target to look at then.
    pub fn look(&mut self, at: Moment, target: Uuid) {
        self.push(at, What::Look(target));
    }

    /// The first thing whose time has come.
    pub fn pop_due(&mut self, now: Moment) -> Option<What> {
        self.first().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse(entry)| entry.what)
    }

    /// The earliest time.
    pub fn first(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    fn push(&mut self, at: Moment, what: What) {
        let order = self.count;
        self.count += 1;
        self.heap.push(Reverse(Entry { at, order, what }));
    }
}

#[derive(Debug)]
struct Entry {
    at: Moment,
    order: u64,
    what: What,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

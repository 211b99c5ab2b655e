//! Rows that must leave one after the other: of those with the same key, one at a time, in the order
//! of their ids. Nothing of a key starts before the row ahead of it is gone for good.
//!
//! A row that waits for its retry stays in memory, so that its key is known to be blocked. What comes
//! after it does not: it is put back on disk, from where no load brings it while such a row exists.
//! So a blocked key takes one place in memory, however much waits behind it.

use std::collections::{BTreeMap, HashMap};

use gateway::delivery::Delivery;

/// The ordered rows of one target.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    keys: HashMap<i64, Key>,
    /// The first rows of keys that nothing holds up, with their keys: new ones and retries.
    first: BTreeMap<i64, i64>,
    again: BTreeMap<i64, i64>,
    /// All new rows up to this id were brought from disk, but for those of blocked keys.
    pub loaded_to: i64,
}

#[derive(Debug, Default)]
struct Key {
    head: Head,
    rows: BTreeMap<i64, Delivery>,
    /// The one of the rows that is offered.
    offered: Option<i64>,
    /// Rows on their way back to the disk.
    leaving: usize,
}

/// The row of a key that holds up the others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Head {
    #[default]
    Nobody,
    /// In flight, or its end is on the way to the disk.
    Busy(i64),
    /// Failed, and waits for its retry.
    Blocked(i64),
}

impl Ordered {
    /// Takes a row that is due; what has to go back to the disk because of it, or itself.
    pub fn queue(&mut self, key_id: i64, row: Delivery) -> Vec<Delivery> {
        let leave = if row.attempt > 1 {
            self.block(key_id, row.id)
        } else {
            Vec::new()
        };
        let key = self.keys.entry(key_id).or_default();
        if matches!(key.head, Head::Blocked(_)) && row.attempt <= 1 {
            key.leaving += 1;
            return vec![row];
        }
        key.rows.insert(row.id, row);
        self.offer(key_id);
        leave
    }

    /// A retry of this key waits in memory; what has to go back to the disk because of it.
    pub fn block(&mut self, key_id: i64, id: i64) -> Vec<Delivery> {
        let key = self.keys.entry(key_id).or_default();
        if matches!(key.head, Head::Busy(head) | Head::Blocked(head) if head != id) {
            return Vec::new();
        }
        key.head = Head::Blocked(id);
        let (stay, leave): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut key.rows)
            .into_iter()
            .partition(|(_, row)| row.attempt > 1);
        key.rows = stay;
        key.leaving += leave.len();
        self.offer(key_id);
        leave.into_values().collect()
    }

    /// The first new row; with `all`, or only among those that are known to have none before them on disk.
    pub fn first(&self, all: bool) -> Option<i64> {
        let id = *self.first.first_key_value()?.0;
        (all || id <= self.loaded_to).then_some(id)
    }

    /// The first retry.
    pub fn again(&self) -> Option<i64> {
        self.again.first_key_value().map(|(id, _)| *id)
    }

    /// Takes a row that was offered.
    pub fn take(&mut self, id: i64) -> Option<Delivery> {
        let key_id = self.first.remove(&id).or_else(|| self.again.remove(&id))?;
        let key = self.keys.get_mut(&key_id)?;
        key.offered = None;
        key.head = Head::Busy(id);
        key.rows.remove(&id)
    }

    /// A row that was taken was not attempted.
    pub fn put_back(&mut self, row: Delivery) {
        let Some(key_id) = row.order_key else { return };
        let key = self.keys.entry(key_id).or_default();
        if key.head == Head::Busy(row.id) {
            key.head = if row.attempt > 1 {
                Head::Blocked(row.id)
            } else {
                Head::Nobody
            };
        }
        key.rows.insert(row.id, row);
        self.offer(key_id);
    }

    /// A row is gone from memory; whether more of its key may be on disk now.
    pub fn gone(&mut self, row: &Delivery, parked: bool) -> bool {
        let Some(key_id) = row.order_key else {
            return false;
        };
        let Some(key) = self.keys.get_mut(&key_id) else {
            return false;
        };
        let was_head = matches!(key.head, Head::Busy(id) | Head::Blocked(id) if id == row.id);
        if was_head {
            key.head = Head::Nobody;
        } else {
            key.leaving = key.leaving.saturating_sub(1);
        }
        let is_free = key.head == Head::Nobody && key.leaving == 0;
        let look = is_free && (parked || row.attempt > 1);
        if look {
            // Until the disk was read again, anything in memory may have something before it there.
            self.loaded_to = i64::MIN;
        }
        self.offer(key_id);
        look
    }

    /// Brings up to date which row of a key may start.
    fn offer(&mut self, key_id: i64) {
        let Some(key) = self.keys.get_mut(&key_id) else {
            return;
        };
        if let Some(old) = key.offered.take() {
            self.first.remove(&old);
            self.again.remove(&old);
        }
        let next = match key.head {
            Head::Busy(_) => None,
            Head::Blocked(id) => key.rows.get(&id),
            Head::Nobody if key.leaving > 0 => None,
            Head::Nobody => key.rows.values().next(),
        };
        if let Some(row) = next {
            key.offered = Some(row.id);
            let offers = if row.attempt > 1 {
                &mut self.again
            } else {
                &mut self.first
            };
            offers.insert(row.id, key_id);
        } else if key.head == Head::Nobody && key.leaving == 0 {
            self.keys.remove(&key_id);
        }
    }
}

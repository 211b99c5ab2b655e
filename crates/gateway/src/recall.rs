//! What seldom changes and is asked for all the time, remembered as long as nothing changes.
//!
//! On SQLite alone: there all changes pass through this process, but for those of a command beside it, which
//! adds accounts and changes their keys; that is not remembered. On PostgreSQL other nodes change things
//! too, so it is asked afresh.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use db::{Engine, Tx};
use rustc_hash::FxHashMap;

use crate::{Gateway, Result, Work};

/// Nothing is remembered for longer.
const FRESH: Duration = Duration::from_secs(1);

/// So much at most; then it begins anew.
const ROOM: usize = 4_096;

/// The tables of the traffic: what is written to them changes nothing that is remembered.
const TRAFFIC: &[&str] = &[
    "message",
    "thread",
    "event",
    "delivery",
    "attempt",
    "delivery_mark",
    "search_text",
    "search_place",
    "search_again",
    "usage_cycle",
    "usage_place",
    "usage_quarter",
    "heartbeat",
    "mail",
    "mail_quiet",
    "notification",
    "phone_slot",
    "idempotency",
    "session",
    "lease",
];

/// How often anything but the traffic has changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    count: AtomicU64,
    /// Transactions that have changed something, and have not been answered.
    under_way: AtomicUsize,
}

impl Changes {
    /// Another number after every change; none while one is under way.
    pub(crate) fn count(&self) -> Option<u64> {
        let calm = self.under_way.load(Ordering::SeqCst) == 0;
        calm.then(|| self.count.load(Ordering::SeqCst))
    }
}

/// A change that is under way, until this is dropped: after its commit, or when it came to nothing.
struct Change(Arc<Changes>);

impl Change {
    fn begin(changes: &Arc<Changes>) -> Self {
        changes.under_way.fetch_add(1, Ordering::SeqCst);
        changes.count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(changes))
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Values by their keys, each as old as the count of changes that it was read at.
#[derive(Debug)]
pub(crate) struct Recall<K, V>(Mutex<FxHashMap<K, Known<V>>>);

#[derive(Debug)]
struct Known<V> {
    count: u64,
    since: Instant,
    value: V,
}

impl<K: Hash + Eq, V: Clone> Recall<K, V> {
    /// The value, if nothing has changed since it was read.
    pub(crate) fn get<Q>(&self, key: &Q, count: Option<u64>) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let count = count?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(key)
            .filter(|known| known.count == count && known.since.elapsed() < FRESH)
            .map(|known| known.value.clone())
    }

    /// Remembers what was read after `count` was.
    pub(crate) fn put(&self, key: K, count: Option<u64>, value: V) {
        let Some(count) = count else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ROOM {
            known.clear();
        }
        let since = Instant::now();
        known.insert(
            key,
            Known {
                count,
                since,
                value,
            },
        );
    }
}

impl<K, V> Default for Recall<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl Gateway {
    /// The count of changes, where that tells of all of them.
    fn changes(&self) -> Option<u64> {
        match self.0.db.engine() {
            Engine::Sqlite => self.0.changes.count(),
            Engine::Postgres => None,
        }
    }

    /// A point read whose answer is remembered, if there is one.
    pub(crate) async fn recalled<K, V>(
        &self,
        recall: impl Fn(&Self) -> &Recall<K, V>,
        key: K,
        read: impl FnMut(&mut Tx<'_>) -> Result<Option<V>> + Send + 'static,
    ) -> Result<Option<V>>
    where
        K: Hash + Eq,
        V: Clone + Send + 'static,
    {
        let count = self.changes();
        if let Some(known) = recall(self).get(&key, count) {
            return Ok(Some(known));
        }
        let found = self.lookup(read).await?;
        if let Some(found) = &found {
            recall(self).put(key, count, found.clone());
        }
        Ok(found)
    }
}

impl Work<'_, '_> {
    /// Begins to look for changes.
    pub(crate) fn watch_changes(&mut self) {
        self.tx.watch(TRAFFIC);
    }

    /// Makes a change known, if this transaction was one: from now on, until it is answered, nobody
    /// trusts their memory, and afterwards they read anew.
    pub(crate) fn note_change(&mut self) {
        if self.tx.wrote_elsewhere() {
            let change = Change::begin(&self.gateway.changes);
            self.tx.on_commit(move || drop(change));
        }
    }

    /// The count of changes, if what is read now will be true after this transaction too.
    pub(crate) fn changes(&self) -> Option<u64> {
        let own = self.tx.wrote_elsewhere() || self.tx.engine() == Engine::Postgres;
        if own {
            None
        } else {
            self.gateway.changes.count()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_makes_all_forget_from_its_beginning_to_its_end() {
        let changes = Arc::new(Changes::default());
        let recall = Recall::default();
        recall.put("key", changes.count(), 1);
        assert_eq!(recall.get("key", changes.count()), Some(1));
        assert_eq!(recall.get("other", changes.count()), None);

        let change = Change::begin(&changes);
        assert_eq!(recall.get("key", changes.count()), None);
        recall.put("key", changes.count(), 2);
        drop(change);
        assert_eq!(recall.get("key", changes.count()), None);

        recall.put("key", changes.count(), 3);
        assert_eq!(recall.get("key", changes.count()), Some(3));
    }

    #[test]
    fn what_was_read_while_a_change_began_is_not_believed_after_it() {
        let changes = Arc::new(Changes::default());
        let recall = Recall::default();
        let before = changes.count();
        let change = Change::begin(&changes);
        recall.put("key", before, 1);
        drop(change);
        assert_eq!(recall.get("key", changes.count()), None);
    }

    #[test]
    fn nothing_is_remembered_for_long() {
        let changes = Changes::default();
        let recall = Recall::default();
        recall.put("key", changes.count(), 1);
        let Some(known) = recall.0.lock().unwrap().get_mut("key").map(|known| {
            known.since -= FRESH;
            known.value
        }) else {
            panic!("it was put there");
        };
        assert_eq!(known, 1);
        assert_eq!(recall.get("key", changes.count()), None);
    }
}

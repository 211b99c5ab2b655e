//! The way from commits to the courier of this process.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{News, ON_DISK};
use crate::Gateway;

/// The way from commits to the courier in this process.
#[derive(Debug)]
pub(crate) struct Handoff {
    news: mpsc::UnboundedSender<News>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<News>>>,
    /// The courier's epoch; [`ON_DISK`] while none works here.
    epoch: AtomicI64,
    /// Targets whose new rows stay on disk, because the courier has enough of them in memory.
    full: Mutex<HashSet<Uuid>>,
}

impl Handoff {
    pub(crate) fn new() -> Arc<Self> {
        let (news, receiver) = mpsc::unbounded_channel();
        Arc::new(Self {
            news,
            receiver: Mutex::new(Some(receiver)),
            epoch: AtomicI64::new(ON_DISK),
            full: Mutex::default(),
        })
    }

    /// The epoch of the courier in this process; [`ON_DISK`] while none works here.
    pub(super) fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// From now on, new rows are born in this epoch.
    pub(super) fn work_in(&self, epoch: i64) {
        if self.epoch.swap(epoch, Ordering::AcqRel) != epoch {
            lock(&self.full).clear();
        }
    }

    /// The epoch that a new row for this target is born with.
    pub(super) fn epoch_for(&self, target: Uuid) -> i64 {
        let epoch = self.epoch();
        if epoch != ON_DISK && lock(&self.full).contains(&target) {
            return ON_DISK;
        }
        epoch
    }

    pub(crate) fn tell(&self, news: News) {
        // Without a courier in this process nobody listens, and the rows wait on disk.
        let _ = self.news.send(news);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gateway {
    /// The news for the courier of this process, once.
    pub fn news(&self) -> Option<mpsc::UnboundedReceiver<News>> {
        lock(&self.0.handoff.receiver).take()
    }

    /// Says whether new rows of a target stay on disk, because memory holds enough of them.
    pub fn set_full(&self, target: Uuid, full: bool) {
        let mut targets = lock(&self.0.handoff.full);
        if full {
            targets.insert(target);
        } else {
            targets.remove(&target);
        }
    }
}

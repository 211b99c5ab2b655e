//! Who follows an account's events: streams of this process, and nodes that said so lately.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Time;

/// How long another node is told of events after it has asked to be.
const INTEREST: Duration = Duration::from_secs(15);

/// The followers of all accounts.
#[derive(Default)]
pub(crate) struct Followers {
    here: Mutex<HashMap<String, watch::Sender<()>>>,
    elsewhere: Mutex<HashMap<String, Time>>,
}

impl Followers {
    /// Is told of the account's events from now on.
    pub(crate) fn follow(&self, user_id: &str) -> watch::Receiver<()> {
        let mut here = lock(&self.here);
        // A stream that ended leaves its sender without receivers: forget those now and then.
        if here.len().is_power_of_two() {
            here.retain(|_, sender| sender.receiver_count() > 0);
        }
        here.entry(user_id.to_owned()).or_default().subscribe()
    }

    /// Whether a stream of this process follows the account.
    pub(crate) fn are_here(&self, user_id: &str) -> bool {
        lock(&self.here)
            .get(user_id)
            .is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// Whether another node wants to be told.
    pub(crate) fn are_elsewhere(&self, user_id: &str, now: Time) -> bool {
        lock(&self.elsewhere)
            .get(user_id)
            .is_some_and(|until| *until > now)
    }

    /// Another node follows the account.
    pub(crate) fn heard_of(&self, user_id: &str, now: Time) {
        let mut elsewhere = lock(&self.elsewhere);
        elsewhere.retain(|_, until| *until > now);
        elsewhere.insert(user_id.to_owned(), now + INTEREST);
    }

    /// The account has a new event.
    pub(crate) fn tell(&self, user_id: &str) {
        if let Some(sender) = lock(&self.here).get(user_id) {
            sender.send_replace(());
        }
    }
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

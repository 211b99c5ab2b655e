//! Nudges inside the process: a commit tells whoever waits that there is something to do.
//!
//! Only a short cut. Everything that can be waited for is also a row with a due time, and every
//! waiting loop looks again by itself.

mod followers;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::clock::Time;
use crate::phone::Phone;

use followers::Followers;

/// Who can wait in this process.
#[derive(Default)]
pub(crate) struct Wake {
    /// The timers' loop.
    timers: Timers,
    mailboxes: Mutex<HashMap<Mailbox, watch::Sender<State>>>,
    followers: Followers,
}

/// Whose wake-ups an open poll waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Mailbox {
    /// Those of the numbers of a phone key.
    Key(Uuid),
    /// Those of all phones of an account.
    Account(String),
}

/// The earliest due time that the timers' loop has not been told of yet.
#[derive(Default)]
pub(crate) struct Timers {
    earliest: Mutex<Option<Time>>,
    nudge: Notify,
}

impl Timers {
    /// There is a row due then.
    fn due(&self, at: Time) {
        let mut earliest = self.earliest.lock().unwrap_or_else(PoisonError::into_inner);
        if earliest.is_none_or(|known| at < known) {
            *earliest = Some(at);
            self.nudge.notify_one();
        }
    }

    /// Waits for news, and takes it.
    pub(crate) async fn news(&self) -> Option<Time> {
        self.nudge.notified().await;
        self.earliest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Wake {
    pub(crate) fn timers(&self) -> &Timers {
        &self.timers
    }

    /// Who follows the event log.
    pub(crate) fn followers(&self) -> &Followers {
        &self.followers
    }

    /// There is a timer due then.
    pub(crate) fn timer(&self, at: Time) {
        self.timers.due(at);
    }

    /// Opens a poll; an older one of the same mailbox ends.
    pub(crate) fn open(&self, mailbox: Mailbox) -> Poll {
        let mut mailboxes = self.lock();
        // A poll that ended leaves its sender without receivers: forget those now and then.
        if mailboxes.len().is_power_of_two() {
            mailboxes.retain(|_, sender| sender.receiver_count() > 0);
        }
        let sender = mailboxes.entry(mailbox).or_default();
        sender.send_modify(|state| state.polls += 1);
        let receiver = sender.subscribe();
        let own = receiver.borrow().polls;
        Poll { receiver, own }
    }

    /// Something was put in, or the key is gone.
    pub(crate) fn mailbox(&self, mailbox: &Mailbox) {
        if let Some(sender) = self.lock().get(mailbox) {
            sender.send_modify(|state| state.news += 1);
        }
    }

    /// Something was put in for a phone: its key's poll and its account's are told.
    pub(crate) fn mailboxes_of(&self, phone: &Phone) {
        if let Some(key) = phone.phone_key_id {
            self.mailbox(&Mailbox::Key(key));
        }
        self.mailbox(&Mailbox::Account(phone.user_id.clone()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Mailbox, watch::Sender<State>>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has happened to a mailbox so far.
#[derive(Default)]
struct State {
    polls: u64,
    news: u64,
}

/// An open poll of a mailbox.
pub(crate) struct Poll {
    receiver: watch::Receiver<State>,
    own: u64,
}

impl Poll {
    /// Waits for news; `false` when a newer poll has taken over.
    pub(crate) async fn news(&mut self) -> bool {
        self.receiver.changed().await.is_ok() && self.receiver.borrow().polls == self.own
    }
}

//! Callers that were found a moment ago, so that a phone that hands in many messages is not looked
//! for in the database with each of them.
//!
//! A commit of this process that changes keys forgets them all at once, before whoever asked for it
//! is answered. What another process changes is seen after [`FRESH`] at the latest.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Work;
use crate::caller::Caller;
use crate::clock::Time;

/// How long a caller is remembered.
pub(crate) const FRESH: Duration = Duration::from_secs(1);

/// How many are.
const MOST: usize = 10_000;

/// As what a key is looked for: one that opens something as a phone's opens nothing as a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum As {
    User,
    Phone,
}

/// A key, as what it was looked for.
type Shown = (As, Vec<u8>);

/// The callers, by the hashes of their keys.
#[derive(Default)]
pub(crate) struct Known(Mutex<State>);

#[derive(Default)]
struct State {
    /// Counts changes of keys.
    changes: u64,
    callers: HashMap<Shown, (Time, Caller)>,
}

/// What was known of changes when a caller was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before(u64);

impl Known {
    /// The caller, or what to remember one with that is looked for now.
    pub(crate) fn get(&self, shown: &Shown, now: Time) -> Result<Caller, Before> {
        let state = self.state();
        match state.callers.get(shown) {
            Some((found, caller)) if *found <= now && now < *found + FRESH => Ok(caller.clone()),
            _ => Err(Before(state.changes)),
        }
    }

    /// Remembers a caller, unless keys have changed since it was looked for.
    pub(crate) fn put(&self, shown: Shown, caller: &Caller, now: Time, before: Before) {
        let mut state = self.state();
        if state.changes != before.0 {
            return;
        }
        if state.callers.len() >= MOST {
            state.callers.clear();
        }
        state.callers.insert(shown, (now, caller.clone()));
    }

    fn forget(&self) {
        let mut state = self.state();
        state.changes += 1;
        state.callers.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work<'_, '_> {
    /// Keys, or what they open, are changed by this transaction.
    pub(crate) fn keys_changed(&mut self) {
        self.on_commit(|gateway| gateway.known.forget());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Key;

    const NOW: Time = Time::from_micros(1_772_442_000_000_000);

    fn key(name: &str) -> Shown {
        (As::User, name.as_bytes().to_vec())
    }

    fn caller() -> Caller {
        Caller {
            user_id: "u".to_owned(),
            key: Key::User,
        }
    }

    #[test]
    fn a_caller_is_remembered_for_a_moment() {
        let known = Known::default();
        let before = known.get(&key("k"), NOW).unwrap_err();
        known.put(key("k"), &caller(), NOW, before);
        assert_eq!(known.get(&key("k"), NOW).unwrap().user_id, "u");
        assert!(known.get(&key("other"), NOW).is_err());
        assert!(known.get(&(As::Phone, b"k".to_vec()), NOW).is_err());
        assert!(known.get(&key("k"), NOW + FRESH).is_err());
    }

    #[test]
    fn a_change_of_keys_forgets_also_who_is_being_looked_for() {
        let known = Known::default();
        let before = known.get(&key("k"), NOW).unwrap_err();
        known.forget();
        known.put(key("k"), &caller(), NOW, before);
        assert!(known.get(&key("k"), NOW).is_err());
    }
}

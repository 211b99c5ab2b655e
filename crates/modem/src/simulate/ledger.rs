//! Which messages the phone has in hand, and what became of the last ones.
//! A message that is pushed again after its report got lost is answered, not sent again.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::Stamp;

/// How many results a phone remembers: far more than one expires within the server's retries.
const REMEMBERED: usize = 1_024;

/// What became of a message on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent { at: Stamp, delivered: Option<Stamp> },
    Failed { at: Stamp, reason: &'static str },
}

/// What to do about a push.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// Never seen: claim and send it.
    New,
    /// On its way already: leave it alone.
    InHand,
    /// Done before: claim it and answer with this.
    Done(Outcome),
}

#[derive(Default)]
pub(super) struct Ledger {
    entries: HashMap<Uuid, Entry>,
    /// Those with an outcome, oldest first.
    done: VecDeque<Uuid>,
}

#[derive(Default)]
struct Entry {
    in_hand: bool,
    outcome: Option<Outcome>,
}

impl Ledger {
    /// Takes a pushed message in hand, unless it is.
    pub fn take(&mut self, id: Uuid) -> Push {
        let entry = self.entries.entry(id).or_default();
        if std::mem::replace(&mut entry.in_hand, true) {
            return Push::InHand;
        }
        entry.outcome.map_or(Push::New, Push::Done)
    }

    /// Remembers what became of it, over what was known before.
    pub fn note(&mut self, id: Uuid, outcome: Outcome) {
        let entry = self.entries.entry(id).or_default();
        if entry.outcome.replace(outcome).is_none() {
            self.done.push_back(id);
        }
        while self.done.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    /// Nothing more is to be done about it for now.
    pub fn put_down(&mut self, id: Uuid) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.in_hand = false;
        if entry.outcome.is_none() {
            self.entries.remove(&id);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(id) = self.done.pop_front() else {
            return;
        };
        match self.entries.get_mut(&id) {
            Some(entry) if entry.in_hand => entry.outcome = None,
            _ => drop(self.entries.remove(&id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn refused() -> Outcome {
        Outcome::Failed {
            at: Timestamp::UNIX_EPOCH.into(),
            reason: "NO_SERVICE",
        }
    }

    #[test]
    fn a_message_in_hand_is_not_taken_twice() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        assert_eq!(ledger.take(id), Push::New);
        assert_eq!(ledger.take(id), Push::InHand);
        ledger.put_down(id);
        assert_eq!(ledger.take(id), Push::New, "it could not be claimed then");
    }

    #[test]
    fn a_result_is_remembered() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        ledger.take(id);
        ledger.note(id, refused());
        assert_eq!(ledger.take(id), Push::InHand);
        ledger.put_down(id);
        assert_eq!(ledger.take(id), Push::Done(refused()));
    }

    #[test]
    fn the_oldest_results_are_forgotten() {
        let mut ledger = Ledger::default();
        for number in 0..REMEMBERED as u128 + 10 {
            let id = Uuid::from_u128(number);
            ledger.take(id);
            ledger.note(id, refused());
            ledger.put_down(id);
        }
        assert_eq!(ledger.entries.len(), REMEMBERED);
        assert_eq!(ledger.take(Uuid::from_u128(9)), Push::New);
        assert_eq!(ledger.take(Uuid::from_u128(10)), Push::Done(refused()));
    }

    #[test]
    fn a_result_noted_again_takes_no_second_place() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        ledger.take(id);
        for _ in 0..5 {
            ledger.note(id, refused());
        }
        assert_eq!(ledger.done.len(), 1);
    }

    #[test]
    fn forgetting_what_is_in_hand_keeps_it_in_hand() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(u128::MAX));
        ledger.take(id);
        ledger.note(id, refused());
        for number in 0..REMEMBERED as u128 {
            ledger.note(Uuid::from_u128(number), refused());
        }
        assert_eq!(ledger.take(id), Push::InHand);
        ledger.put_down(id);
        assert_eq!(ledger.take(id), Push::New);
    }
}

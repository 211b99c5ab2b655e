//! Slowing down whoever guesses passwords, by account and by address.
//!
//! Some attempts are free; after that each has to wait twice as long as the one before, up to a
//! minute. So a guesser gets one attempt a minute, and an owner whose account is under attack waits a
//! minute at most. The counts are of this process and of the last quarter of an hour.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Time;

/// Attempts at an account before one has to wait.
const OF_ACCOUNT: u32 = 5;
/// Attempts from an address: an office has only one.
const OF_ADDRESS: u32 = 20;
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);
/// Counts that nobody added to for so long, or for twice that, are forgotten.
const MEMORY: Duration = Duration::from_mins(15);
/// Counts at most, of each of the two generations.
const MOST: usize = 10_000;

/// The counts.
#[derive(Default)]
pub(crate) struct Guesses {
    hasher: RandomState,
    book: Mutex<Book>,
}

/// Two generations: what is used moves to the newer one, and the older one is dropped in time.
#[derive(Default)]
struct Book {
    recent: HashMap<u64, Tries>,
    older: HashMap<u64, Tries>,
    turned_at: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    /// No attempt before.
    next_at: Time,
}

/// An attempt that was let through, counted as a failure until it is known to be none.
pub(crate) struct Attempt {
    account: u64,
    address: Option<u64>,
}

impl Guesses {
    /// Lets an attempt at an account through, or says how long to wait.
    pub(crate) fn attempt(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Time,
    ) -> Result<Attempt, Duration> {
        let attempt = Attempt {
            account: self.hash(account.to_lowercase()),
            address: address.map(|address| self.hash(network(address))),
        };
        let mut book = self.book();
        book.turn(now);
        for key in std::iter::once(attempt.account).chain(attempt.address) {
            let wait = book.find(key).map(|tries| tries.next_at.since(now));
            if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                return Err(wait);
            }
        }
        book.count(attempt.account, OF_ACCOUNT, now);
        if let Some(address) = attempt.address {
            book.count(address, OF_ADDRESS, now);
        }
        Ok(attempt)
    }

    /// It was no guess: the account's count is over, and the address gets its attempt back.
    pub(crate) fn was_right(&self, attempt: &Attempt, now: Time) {
        let mut book = self.book();
        book.recent.remove(&attempt.account);
        book.older.remove(&attempt.account);
        if let Some(tries) = attempt.address.and_then(|key| book.recent.get_mut(&key)) {
            tries.count = tries.count.saturating_sub(1);
            tries.next_at = now;
        }
    }

    fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn turn(&mut self, now: Time) {
        let turned_at = *self.turned_at.get_or_insert(now);
        if self.recent.len() >= MOST || turned_at + MEMORY <= now {
            self.older = std::mem::take(&mut self.recent);
            self.turned_at = Some(now);
        }
    }

    fn find(&self, key: u64) -> Option<Tries> {
        self.recent.get(&key).or(self.older.get(&key)).copied()
    }

    fn count(&mut self, key: u64, free: u32, now: Time) {
        let count = self.find(key).map_or(1, |tries| tries.count + 1);
        let wait = match count.checked_sub(free) {
            None => Duration::ZERO,
            Some(beyond) => LONGEST.min(Duration::from_secs(1 << beyond.min(10))),
        };
        let next_at = now + wait;
        self.recent.insert(key, Tries { count, next_at });
    }
}

/// Whoever has an IPv6 address has at least 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(0);

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_account_under_attack_is_slow_but_never_shut() {
        let guesses = Guesses::default();
        let mut now = NOW;
        let mut waits = Vec::new();
        for nth in 0..30 {
            let from = address(&format!("10.0.0.{nth}"));
            while let Err(wait) = guesses.attempt("Ann@example.org", from, now) {
                waits.push(wait.as_secs());
                now = now + wait;
            }
        }
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits.len(), 30 - OF_ACCOUNT as usize);
        assert!(guesses.attempt("ann@EXAMPLE.org", None, now).is_err());
        let owner = guesses.attempt("ann@example.org", None, now + LONGEST);
        guesses.was_right(&owner.unwrap(), now);
        assert!(guesses.attempt("ann@example.org", None, now).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_down() {
        let guesses = Guesses::default();
        let from = |nth: u32| address(&format!("2001:db8:0:1::{nth:x}"));
        for nth in 0..OF_ADDRESS {
            let tried = guesses.attempt(&format!("{nth}@example.org"), from(nth), NOW);
            assert!(tried.is_ok(), "{nth}");
        }
        assert!(guesses.attempt("x@example.org", from(999), NOW).is_err());
        let elsewhere = address("2001:db8:0:2::1");
        assert!(guesses.attempt("x@example.org", elsewhere, NOW).is_ok());
    }

    #[test]
    fn an_address_where_people_sign_in_is_not() {
        let guesses = Guesses::default();
        for nth in 0..3 * OF_ADDRESS {
            let tried = guesses.attempt(&format!("{nth}@x"), address("10.0.0.1"), NOW);
            guesses.was_right(&tried.ok().unwrap(), NOW);
        }
    }

    #[test]
    fn counts_are_bounded_and_forgotten() {
        let guesses = Guesses::default();
        for nth in 0..3 * MOST {
            assert!(guesses.attempt(&format!("{nth}@x"), None, NOW).is_ok());
        }
        let kept = {
            let book = guesses.book();
            book.recent.len() + book.older.len()
        };
        assert!(kept <= 2 * MOST, "{kept}");
        for _ in 0..OF_ACCOUNT {
            assert!(guesses.attempt("ann", None, NOW).is_ok());
        }
        assert!(guesses.attempt("ann", None, NOW).is_err());
        let later = NOW + MEMORY;
        assert!(guesses.attempt("bob", None, later).is_ok());
        assert!(guesses.attempt("bob", None, later + MEMORY).is_ok());
        let ann = guesses.hash("ann".to_owned());
        assert!(guesses.book().find(ann).is_none());
    }
}

//! Passwords, kept as argon2id hashes.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::{Error, Fields, Result};

/// The fewest characters of a new password.
const MIN: usize = 8;
/// The most bytes of a password: hashing takes longer with it.
const MAX: usize = 1024;

/// Hashes at a time: each takes 19 MiB and a processor, and anybody can ask for one by signing in.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Hashes that are made or wait for their turn. A queue that is longer than a few seconds helps nobody.
static QUEUE: Semaphore = Semaphore::const_new(64);

/// When to come again if the queue is full.
const BUSY: Duration = Duration::from_secs(2);

/// Refuses a new password that is too short or far too long.
pub(crate) fn check(field: &str, password: &str, wrong: &mut Fields) {
    if password.chars().count() < MIN {
        wrong.add(
            field,
            format!("The {field} field must be minimum {MIN} char"),
        );
    }
    if password.len() > MAX {
        wrong.add(
            field,
            format!("The {field} field must be maximum {MAX} char"),
        );
    }
}

/// Hashes a password with a salt of its own.
pub(crate) async fn hash(password: String) -> Result<Option<String>> {
    elsewhere(move || hash_now(&password)).await
}

/// Whether a password is the one with this hash. Without a hash it is not, after the same work.
pub(crate) async fn is_right(password: String, hash: Option<String>) -> Result<bool> {
    if password.len() > MAX {
        return Ok(false);
    }
    elsewhere(move || {
        let Some(hash) = hash else {
            let _ = hash_now(&password);
            return false;
        };
        Argon2::default()
            .verify_password(password.as_bytes(), hash.as_str())
            .is_ok()
    })
    .await
}

fn hash_now(password: &str) -> Option<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Takes tens of milliseconds on purpose: not for an async thread.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let place = QUEUE.try_acquire().map_err(|_| Error::TooMany(BUSY))?;
    // Nobody closes it.
    let turn = TURNS.acquire().await;
    let task = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even if nobody waits for it any more.
        let _held = (place, turn);
        work()
    });
    task.await.map_err(|_| Error::Db(db::Error::Panicked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_few_are_hashed_at_a_time_and_a_long_queue_is_refused() {
        let hashes = (0..100).map(|_| tokio::spawn(hash("correct horse".to_owned())));
        let hashes: Vec<_> = hashes.collect();
        let (mut made, mut refused) = (0, 0);
        for hash in hashes {
            match hash.await.unwrap() {
                Ok(hash) => made += usize::from(hash.is_some()),
                Err(Error::TooMany(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(
            made >= 64 && refused > 0 && made + refused == 100,
            "{made} {refused}"
        );
    }
}

//! Passwords, kept as argon2id hashes.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::{Error, Fields, Result};

/// The fewest characters of a new password.
const MIN: usize = 8;
/// The most bytes of a password: hashing takes longer with it.
const MAX: usize = 1024;

/// Hashes at a time: each takes 19 MiB and a processor, and anybody can ask for one by signing in.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// Refuses a new password that is too short or far too long.
pub(crate) fn check(password: &str, wrong: &mut Fields) {
    if password.chars().count() < MIN {
        wrong.add(
            "password",
            format!("The password field must be minimum {MIN} char"),
        );
    }
    if password.len() > MAX {
        wrong.add(
            "password",
            format!("The password field must be maximum {MAX} char"),
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
    // Nobody closes it.
    let _turn = TURNS.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Db(db::Error::Panicked))
}

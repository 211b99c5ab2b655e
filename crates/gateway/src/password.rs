//! Passwords, kept as argon2id hashes.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;

/// Hashes a password with a salt of its own. Takes tens of milliseconds on purpose: not for an async thread.
pub(crate) fn hash(password: &str) -> Option<String> {
    Some(
        Argon2::default()
            .hash_password(password.as_bytes())
            .ok()?
            .to_string(),
    )
}

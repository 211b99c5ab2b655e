//! Signing keys of webhooks: which one signs when, and how one takes over from another.

use std::time::Duration;

use db::Tx;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::delivery::News;
use crate::{Gateway, Inner, Result, Work, id, secret};

use super::Webhook;

/// A signing key, without the secret.
#[derive(Debug, Clone, Serialize)]
pub struct KeyInfo {
    /// Its id.
    pub id: Uuid,
    /// From then on it signs the token, until a later one does.
    pub active_from: Time,
    /// From then on it signs nothing.
    pub retired_at: Option<Time>,
}

/// A signing key.
#[derive(Clone)]
pub struct SigningKey {
    /// The secret, as typed.
    pub secret: String,
    /// From then on it signs the token, until a later one does.
    pub active_from: Time,
    /// From then on it signs nothing.
    pub retired_at: Option<Time>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("active_from", &self.active_from)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

/// How a new key takes over.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The new key; made if absent.
    pub signing_key: Option<String>,
    /// When it begins to sign the token. Until then receivers can learn it.
    pub activate_in: Duration,
    /// How long after that the old keys still sign beside it, where several signatures can stand.
    pub overlap: Duration,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            signing_key: None,
            activate_in: Duration::from_hours(1),
            overlap: Duration::from_hours(24),
        }
    }
}

/// The key of these, in the order they become active, that signs the token now.
pub fn active(keys: &[SigningKey], now: Time) -> Option<&SigningKey> {
    keys.iter()
        .rev()
        .find(|key| key.active_from <= now)
        .or_else(|| keys.first())
}

/// The keys that sign side by side now.
pub fn valid(keys: &[SigningKey], now: Time) -> impl Iterator<Item = &SigningKey> {
    keys.iter()
        .filter(move |key| key.retired_at.is_none_or(|retired| retired > now))
}

db::row! {
    struct Row { id: Uuid, key_sealed: Vec<u8>, active_from: Time, retired_at: Option<Time> }
}

impl Gateway {
    /// Gives a webhook a new signing key that takes over step by step.
    pub async fn rotate_signing_key(
        &self,
        caller: &Caller,
        webhook: Uuid,
        rotation: Rotation,
    ) -> Result<Webhook> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.webhook_row(&user_id, webhook)?;
            let active_from = work.now + rotation.activate_in;
            let retired_at = active_from + rotation.overlap;
            work.tx.execute(
                "UPDATE webhook_key SET retired_at = $2
                  WHERE webhook_id = $1 AND (retired_at IS NULL OR retired_at > $2)",
                &[&webhook, &retired_at],
            )?;
            let key = rotation
                .signing_key
                .clone()
                .unwrap_or_else(|| secret::new_key(""));
            work.add_signing_key(webhook, &key, active_from)?;
            work.tx.execute(
                "UPDATE webhook SET version = version + 1, updated_at = $2 WHERE id = $1",
                &[&webhook, &work.now],
            )?;
            work.on_commit(move |gateway| gateway.handoff.tell(News::Changed(webhook)));
            let row = work.webhook_row(&user_id, webhook)?;
            work.gateway.reveal_webhook(work.tx, row, work.now)
        })
        .await
    }
}

impl Work<'_, '_> {
    pub(super) fn add_signing_key(
        &mut self,
        webhook: Uuid,
        key: &str,
        active_from: Time,
    ) -> Result<()> {
        self.tx.execute(
            "INSERT INTO webhook_key (id, webhook_id, key_sealed, active_from)
             VALUES ($1, $2, $3, $4)",
            &[
                &id::new(self.now),
                &webhook,
                &self.gateway.keys.seal(key),
                &active_from,
            ],
        )?;
        Ok(())
    }

    /// Puts a key in place of all others, at once.
    pub(super) fn replace_signing_key(&mut self, webhook: Uuid, key: &str) -> Result<()> {
        self.tx
            .execute("DELETE FROM webhook_key WHERE webhook_id = $1", &[&webhook])?;
        self.add_signing_key(webhook, key, self.now)
    }
}

impl Inner {
    /// The keys of a webhook in the order they become active.
    pub(super) fn signing_keys(
        &self,
        tx: &mut Tx<'_>,
        webhook: Uuid,
    ) -> Result<Vec<(KeyInfo, SigningKey)>> {
        let rows: Vec<Row> = tx.all(
            "SELECT id, key_sealed, active_from, retired_at FROM webhook_key
              WHERE webhook_id = $1 ORDER BY active_from, id",
            &[&webhook],
        )?;
        rows.into_iter()
            .map(|row| {
                let (active_from, retired_at) = (row.active_from, row.retired_at);
                let secret = self.keys.open_sealed(&row.key_sealed)?;
                Ok((
                    KeyInfo {
                        id: row.id,
                        active_from,
                        retired_at,
                    },
                    SigningKey {
                        secret,
                        active_from,
                        retired_at,
                    },
                ))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_takes_over_step_by_step() {
        let at = |second: i64| Time::from_micros(second * 1_000_000);
        let key = |secret: &str, from, retired| SigningKey {
            secret: secret.to_owned(),
            active_from: at(from),
            retired_at: retired,
        };
        let keys = [key("old", 0, Some(at(300))), key("new", 100, None)];
        let names = |now| {
            let valid: Vec<_> = valid(&keys, at(now))
                .map(|key| key.secret.as_str())
                .collect();
            (active(&keys, at(now)).unwrap().secret.as_str(), valid)
        };
        assert_eq!(names(50), ("old", vec!["old", "new"]));
        assert_eq!(names(100), ("new", vec!["old", "new"]));
        assert_eq!(names(300), ("new", vec!["new"]));
    }
}

//! Named keys: for one program each, for some purposes only, revoked one by one.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::caller::{Caller, Key};
use crate::clock::Time;
use crate::names::names;
use crate::{Error, Fields, Gateway, Page, Result, id, secret};

/// How every named key begins, and no other key.
pub const PREFIX: &str = "ak_";

/// How much of a key is shown again.
const HINT: usize = PREFIX.len() + 6;

/// How often at most the use of a key is written down.
const USED_EVERY: Duration = Duration::from_mins(1);

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Send and cancel messages.
    Send,
    /// Read whatever the account has, secrets aside.
    Read,
    /// Change phones, phone keys and schedules, and act as a phone.
    Phones,
    /// Change webhooks.
    Webhooks,
    /// Everything.
    Admin,
}

names!(Scope {
    Send => "send",
    Read => "read",
    Phones => "phones",
    Webhooks => "webhooks",
    Admin => "admin",
});

/// What a client asks for, checked.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    name: String,
    scopes: Vec<Scope>,
    expires_at: Option<Time>,
}

impl NewApiKey {
    /// Checks name, scopes, and when the key is to expire, if ever.
    ///
    /// # Errors
    /// What is wrong, under `name`, `scopes` and `expires_at`.
    pub fn parse(
        name: &str,
        scopes: &[String],
        expires_at: Option<Time>,
        now: Time,
    ) -> Result<Self, Fields> {
        let (name, mut wrong) = (name.trim(), Fields::default());
        if name.is_empty() {
            wrong.add("name", "The name field is required");
        }
        if name.len() > 60 {
            wrong.add("name", "The name field must be maximum 60 char");
        }
        if scopes.is_empty() {
            wrong.add("scopes", "The scopes field is required");
        }
        let mut known = Vec::new();
        for scope in scopes {
            match scope.parse() {
                Ok(scope) => known.push(scope),
                Err(_) => wrong.add(
                    "scopes",
                    format!("The scopes field has an invalid scope with name [{scope}]"),
                ),
            }
        }
        if expires_at.is_some_and(|at| at <= now) {
            wrong.add("expires_at", "The expires_at field must lie in the future");
        }
        wrong.check()?;
        known.sort();
        known.dedup();
        Ok(Self {
            name: name.to_owned(),
            scopes: known,
            expires_at,
        })
    }
}

/// A named key as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// 1 to 60 bytes.
    pub name: String,
    /// How the key begins.
    pub hint: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// When it was last used, within the minute.
    pub last_used_at: Option<Time>,
    /// From then on it is good for nothing.
    pub expires_at: Option<Time>,
    /// Since when it is good for nothing.
    pub revoked_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
}

db::row! {
    struct Row {
        id: Uuid,
        name: String,
        hint: String,
        scopes: String,
        last_used_at: Option<Time>,
        expires_at: Option<Time>,
        revoked_at: Option<Time>,
        created_at: Time,
    }

    struct Shown {
        id: Uuid,
        user_id: String,
        scopes: String,
        last_used_at: Option<Time>,
    }
}

const COLUMNS: &str = "id, name, hint, scopes, last_used_at, expires_at, revoked_at, created_at";

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            hint: row.hint,
            scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
        }
    }
}

impl Gateway {
    /// Makes a named key: the key itself, which nobody can show again, and how it is listed.
    pub async fn add_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<(String, ApiKey)> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let key = secret::new_key(PREFIX);
            let scopes = serde_json::to_string(&new.scopes).unwrap_or_default();
            let row: Row = work.tx.one(
                &format!(
                    "INSERT INTO api_key
                         (id, user_id, name, hint, scopes, key_hash, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {COLUMNS}"
                ),
                &[
                    &id::new(work.now),
                    &user_id,
                    &new.name,
                    &&key[..HINT],
                    &scopes,
                    &work.gateway.keys.hash(&key),
                    &work.now,
                    &new.expires_at,
                ],
            )?;
            Ok((key, row.into()))
        })
        .await
    }

    /// The caller's named keys whose names contain the query, newest first, revoked ones too.
    pub async fn api_keys(&self, caller: &Caller, page: Page) -> Result<Vec<ApiKey>> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            let rows: Vec<Row> = tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM api_key WHERE user_id = $1 AND LOWER(name) LIKE $2
                      ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
                ),
                &[&user_id, &page.pattern(), &page.limit(), &page.skip()],
            )?;
            Ok(rows.into_iter().map(ApiKey::from).collect())
        })
        .await
    }

    /// Revokes a named key: from this commit on it opens nothing.
    pub async fn revoke_api_key(&self, caller: &Caller, id: Uuid) -> Result<ApiKey> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let row: Option<Row> = work.tx.optional(
                &format!(
                    "UPDATE api_key SET revoked_at = COALESCE(revoked_at, $3)
                      WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"
                ),
                &[&id, &user_id, &work.now],
            )?;
            row.map(ApiKey::from)
                .ok_or_else(|| Error::not_found(format!("cannot find API key with ID [{id}]")))
        })
        .await
    }

    /// The account and scopes of a named key that is neither revoked nor expired.
    pub async fn named_caller(&self, key: &str) -> Result<Option<Caller>> {
        let (hash, now) = (self.0.keys.hash(key), self.now());
        let shown: Option<Shown> = self
            .lookup(move |tx| {
                Ok(tx.optional(
                    "SELECT id, user_id, scopes, last_used_at FROM api_key
                      WHERE key_hash = $1 AND revoked_at IS NULL
                        AND (expires_at IS NULL OR expires_at > $2)
                        AND EXISTS (SELECT 1 FROM account
                                     WHERE account.id = api_key.user_id AND disabled_at IS NULL)",
                    &[&hash, &now],
                )?)
            })
            .await?;
        let Some(shown) = shown else { return Ok(None) };
        if shown
            .last_used_at
            .is_none_or(|used| used + USED_EVERY <= now)
        {
            self.api_key_used(shown.id).await;
        }
        Ok(Some(Caller {
            user_id: shown.user_id,
            key: Key::Named {
                id: shown.id,
                scopes: serde_json::from_str(&shown.scopes).unwrap_or_default(),
            },
        }))
    }

    /// A note that cannot be made refuses nobody.
    async fn api_key_used(&self, id: Uuid) {
        let noted = self
            .write(move |work| {
                work.tx.execute(
                    "UPDATE api_key SET last_used_at = $2 WHERE id = $1",
                    &[&id, &work.now],
                )?;
                Ok(())
            })
            .await;
        if let Err(error) = noted {
            tracing::debug!(%error, "the use of a key could not be noted");
        }
    }
}

//! Who is asking: found by the hash of the key they show.
//!
//! A phone is remembered for a moment, but not past any change of this process (see `recall`); accounts, whose
//! keys a command beside the server may change, are not. So a key works from the moment it is made until the
//! moment it is revoked.

use uuid::Uuid;

use crate::api_key::Scope;
use crate::recall::Recall;
use crate::{Error, Gateway, Result};

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub user_id: String,
    /// With which key.
    pub key: Key,
}

/// The kind of key a caller showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The account's own key: everything of the account.
    User,
    /// A phone's key: the phone routes, for the numbers bound to it.
    Phone {
        /// The key's id.
        id: Uuid,
        /// The numbers bound to it, in the order they were bound.
        numbers: Vec<String>,
    },
    /// A named key: some purposes.
    Named {
        /// The key's id.
        id: Uuid,
        /// What it is good for.
        scopes: Vec<Scope>,
    },
    /// No key, but a session of the dashboard: everything of the account.
    Session {
        /// The session's id.
        id: Uuid,
    },
}

impl Caller {
    /// Refuses a phone key that does not hold the number. A user key may act for every number.
    pub fn may_act_for(&self, number: &str) -> Result<()> {
        match &self.key {
            Key::Phone { numbers, .. } if !numbers.iter().any(|held| held == number) => {
                Err(Error::NotBound {
                    number: number.to_owned(),
                    held: numbers.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The phone key's id, if it is one.
    pub fn phone_key(&self) -> Option<Uuid> {
        match &self.key {
            Key::Phone { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The session's id, if it is one.
    pub fn session(&self) -> Option<Uuid> {
        match &self.key {
            Key::Session { id } => Some(*id),
            _ => None,
        }
    }

    /// Refuses a named key without this scope, and a phone key.
    ///
    /// # Errors
    /// [`Error::Unauthorized`].
    pub fn may(&self, scope: Scope) -> Result<()> {
        match &self.key {
            Key::User | Key::Session { .. } => Ok(()),
            Key::Named { scopes, .. }
                if scopes.contains(&scope) || scopes.contains(&Scope::Admin) =>
            {
                Ok(())
            }
            Key::Named { .. } | Key::Phone { .. } => Err(Error::Unauthorized),
        }
    }
}

db::row! {
    struct Account { id: String, email: String }

    struct PhoneKey { id: Uuid, user_id: String, phone_number: Option<String> }
}

impl Gateway {
    /// The account that a user key belongs to.
    pub async fn user(&self, key: &str) -> Result<Option<Caller>> {
        let hash = self.0.keys.hash(key);
        self.lookup(move |tx| {
            let account: Option<Account> = tx.optional(
                "SELECT id, email FROM account WHERE key_hash = $1 AND disabled_at IS NULL",
                &[&hash],
            )?;
            // Contract: a principal without an e-mail address is nobody.
            Ok(account
                .filter(|account| !account.email.is_empty())
                .map(|account| Caller {
                    user_id: account.id,
                    key: Key::User,
                }))
        })
        .await
    }

    /// The account and numbers that a phone key speaks for.
    pub async fn phone_caller(&self, key: &str) -> Result<Option<Caller>> {
        let hash = self.0.keys.hash(key);
        self.recalled(phones, hash.clone(), move |tx| {
            // A row for each number, in the order they were bound.
            let rows: Vec<PhoneKey> = tx.all(
                "SELECT phone_key.id AS id, phone_key.user_id AS user_id, phone_number
                   FROM phone_key LEFT JOIN phone ON phone.phone_key_id = phone_key.id
                  WHERE key_hash = $1
                    AND EXISTS (SELECT 1 FROM account
                                 WHERE account.id = phone_key.user_id AND disabled_at IS NULL)
                  ORDER BY bound_at, phone.id",
                &[&hash],
            )?;
            let Some(PhoneKey { id, user_id, .. }) = rows.first() else {
                return Ok(None);
            };
            let (id, user_id) = (*id, user_id.clone());
            let numbers = rows.into_iter().filter_map(|row| row.phone_number);
            let numbers = numbers.collect();
            let key = Key::Phone { id, numbers };
            Ok(Some(Caller { user_id, key }))
        })
        .await
    }
}

fn phones(gateway: &Gateway) -> &Recall<Vec<u8>, Caller> {
    &gateway.0.phones
}

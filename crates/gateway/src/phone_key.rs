//! Phone keys: what a phone shows instead of the account's own key, and the numbers it speaks for.

use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::wake::Mailbox;
use crate::{Error, Gateway, Page, Result, Work, id, secret};

/// A phone key, with the members of the wire's `PhoneAPIKey`.
#[derive(Debug, Clone, Serialize)]
pub struct PhoneKey {
    /// Its id.
    pub id: Uuid,
    /// 1 to 60 bytes.
    pub name: String,
    /// The account.
    pub user_id: String,
    /// The account's e-mail address.
    pub user_email: String,
    /// The numbers bound to it, in the order they were bound.
    pub phone_numbers: Vec<String>,
    /// Their phones, in the same order.
    pub phone_ids: Vec<Uuid>,
    /// The key, in clear.
    pub api_key: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

db::row! {
    struct Row {
        id: Uuid,
        name: String,
        user_id: String,
        user_email: String,
        key_sealed: Vec<u8>,
        created_at: Time,
        updated_at: Time,
    }

    struct Bound { id: Uuid, phone_number: String }
}

const SELECT: &str = "SELECT phone_key.id, name, user_id, email AS user_email,
    phone_key.key_sealed, phone_key.created_at, phone_key.updated_at
    FROM phone_key JOIN account ON account.id = user_id";

impl Gateway {
    /// Makes a phone key without numbers: it gets them when a phone signs in with it.
    pub async fn add_phone_key(&self, caller: &Caller, name: String) -> Result<PhoneKey> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let (id, key) = (id::new(work.now), secret::new_key("pk_"));
            let keys = &work.gateway.keys;
            work.tx.execute(
                "INSERT INTO phone_key (id, user_id, name, key_hash, key_sealed, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)",
                &[&id, &user_id, &name, &keys.hash(&key), &keys.seal(&key), &work.now],
            )?;
            let row = work.tx.one(&format!("{SELECT} WHERE phone_key.id = $1"), &[&id])?;
            work.gateway.reveal_phone_key(work.tx, row)
        })
        .await
    }

    /// The caller's phone keys whose name contains the query, newest first.
    pub async fn phone_keys(&self, caller: &Caller, page: Page) -> Result<Vec<PhoneKey>> {
        let (gateway, user_id) = (self.clone(), caller.user_id.clone());
        self.read(move |tx| {
            let rows: Vec<Row> = tx.all(
                &format!(
                    "{SELECT} WHERE user_id = $1 AND LOWER(name) LIKE $2
                     ORDER BY phone_key.created_at DESC, phone_key.id DESC LIMIT $3 OFFSET $4"
                ),
                &[&user_id, &page.pattern(), &page.limit(), &page.skip()],
            )?;
            rows.into_iter()
                .map(|row| gateway.0.reveal_phone_key(tx, row))
                .collect()
        })
        .await
    }

    /// Revokes a phone key.
    pub async fn delete_phone_key(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let deleted = work.tx.execute(
                "DELETE FROM phone_key WHERE id = $1 AND user_id = $2",
                &[&id, &user_id],
            )?;
            if deleted == 0 {
                return Err(Error::not_found(format!(
                    "cannot find phone API key with ID [{id}]"
                )));
            }
            // An open poll ends, and finds that its key is gone.
            work.on_commit(move |gateway| gateway.wake.mailbox(&Mailbox::Key(id)));
            Ok(())
        })
        .await
    }

    /// Takes a phone away from a key. Both must be the caller's; they need not belong together.
    pub async fn detach_phone(&self, caller: &Caller, key: Uuid, phone: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let Scalar(known): Scalar<i64> = work.tx.one(
                "SELECT (SELECT count(*) FROM phone WHERE id = $1 AND user_id = $3)
                      + (SELECT count(*) FROM phone_key WHERE id = $2 AND user_id = $3)",
                &[&phone, &key, &user_id],
            )?;
            if known < 2 {
                return Err(Error::not_found(format!(
                    "cannot find phone with ID [{phone}] which is associated with phone API key with ID [{key}]"
                )));
            }
            work.tx.execute(
                "UPDATE phone SET phone_key_id = NULL, bound_at = NULL
                  WHERE id = $1 AND phone_key_id = $2",
                &[&phone, &key],
            )?;
            Ok(())
        })
        .await
    }
}

impl crate::Inner {
    fn reveal_phone_key(&self, tx: &mut db::Tx<'_>, row: Row) -> Result<PhoneKey> {
        let bound: Vec<Bound> = tx.all(
            "SELECT id, phone_number FROM phone WHERE phone_key_id = $1 ORDER BY bound_at, id",
            &[&row.id],
        )?;
        Ok(PhoneKey {
            api_key: self.keys.open_sealed(&row.key_sealed)?,
            id: row.id,
            name: row.name,
            user_id: row.user_id,
            user_email: row.user_email,
            phone_ids: bound.iter().map(|phone| phone.id).collect(),
            phone_numbers: bound.into_iter().map(|phone| phone.phone_number).collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Work<'_, '_> {
    /// Binds a phone to a key. A phone belongs to one key at most, so it leaves the one it had.
    pub(crate) fn bind(&mut self, phone: Uuid, phone_key: Uuid) -> Result<()> {
        self.tx.execute(
            "UPDATE phone SET phone_key_id = $2, bound_at = $3
              WHERE id = $1 AND (phone_key_id IS NULL OR phone_key_id <> $2)",
            &[&phone, &phone_key, &self.now],
        )?;
        self.tx.execute(
            "UPDATE phone_key SET updated_at = $2 WHERE id = $1",
            &[&phone_key, &self.now],
        )?;
        Ok(())
    }
}

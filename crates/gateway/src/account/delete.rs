//! Deleting an account: rows and files of it are gone when the call returns.
//!
//! What acts for the account goes first: webhooks, phones and their keys. Then come the long tables,
//! part by part, so that no transaction holds up the others; the account itself goes last, so that
//! its owner can repeat a deletion that was interrupted. Nothing is delivered any more, not even
//! what waited. One event stays in the log, that an account with this id was deleted.

use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Time;
use crate::delivery::News;
use crate::event::{About, Kind};
use crate::mail::Topic;
use crate::wake::Mailbox;
use crate::{Gateway, Result, Work};

/// Rows that one transaction deletes.
const PART: i64 = 2000;

/// The long tables with their keys. What belongs to a message or an event goes with it or before.
const LONG: [(&str, &str); 5] = [
    ("delivery", "id"),
    ("message", "id"),
    ("thread", "id"),
    ("heartbeat", "id"),
    ("event", "seq"),
];

#[derive(Serialize)]
struct Deleted<'a> {
    user_id: &'a str,
    user_email: &'a str,
    timestamp: Time,
}

impl Gateway {
    /// Deletes an account with everything of it.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] for an unknown account; [`crate::Error::Files`] if its files
    /// cannot be removed. After any other, call it again.
    pub async fn delete_user(&self, user_id: &str) -> Result<()> {
        let user = user_id.to_owned();
        let webhooks = self.write(move |work| work.silence(&user)).await?;
        for (table, key) in LONG {
            while self.delete_part(user_id, table, key).await? > 0 {}
        }
        let user = user_id.to_owned();
        self.write(move |work| work.forget(&user, &webhooks))
            .await?;
        self.remove_account_files(user_id).await
    }

    async fn delete_part(
        &self,
        user_id: &str,
        table: &'static str,
        key: &'static str,
    ) -> Result<u64> {
        let user_id = user_id.to_owned();
        self.write(move |work| {
            Ok(work.tx.execute(
                &format!(
                    "DELETE FROM {table} WHERE {key} IN
                         (SELECT {key} FROM {table} WHERE user_id = $1 LIMIT {PART})"
                ),
                &[&user_id],
            )?)
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Nobody acts for the account any more, but its owner.
    fn silence(&mut self, user_id: &str) -> Result<Vec<Scalar<Uuid>>> {
        super::one(self.tx, user_id)?;
        let webhooks: Vec<Scalar<Uuid>> = self.tx.all(
            "DELETE FROM webhook WHERE user_id = $1 RETURNING id",
            &[&user_id],
        )?;
        for Scalar(id) in webhooks.iter().copied() {
            self.forget_attempts(id)?;
            self.on_commit(move |gateway| gateway.handoff.tell(News::Changed(id)));
        }
        let keys: Vec<Scalar<Uuid>> = self.tx.all(
            "DELETE FROM phone_key WHERE user_id = $1 RETURNING id",
            &[&user_id],
        )?;
        for Scalar(id) in keys {
            self.on_commit(move |gateway| gateway.wake.mailbox(&Mailbox::Key(id)));
        }
        for table in ["phone", "api_key", "discord"] {
            self.tx.execute(
                &format!("DELETE FROM {table} WHERE user_id = $1"),
                &[&user_id],
            )?;
        }
        Ok(webhooks)
    }

    /// The account itself, and what came in meanwhile: attempts at its `webhooks` that were under
    /// way, for example.
    fn forget(&mut self, user_id: &str, webhooks: &[Scalar<Uuid>]) -> Result<()> {
        let account = super::one(self.tx, user_id)?;
        for Scalar(id) in webhooks {
            self.forget_attempts(*id)?;
        }
        for table in ["delivery", "message", "thread", "event", "replay"] {
            self.tx.execute(
                &format!("DELETE FROM {table} WHERE user_id = $1"),
                &[&user_id],
            )?;
        }
        for topic in Topic::ALL {
            let prefix = format!("{}/{user_id}/", topic.name());
            self.tx.execute(
                "DELETE FROM mail_quiet WHERE substr(key, 1, length($1)) = $1",
                &[&prefix],
            )?;
        }
        // All other tables refer to the account, and their rows go with it.
        self.tx
            .execute("DELETE FROM account WHERE id = $1", &[&user_id])?;
        let about = About {
            user_id,
            owner: None,
            source: "/v1/users/me",
            message: None,
        };
        let deleted = Deleted {
            user_id,
            user_email: &account.email,
            timestamp: self.now,
        };
        self.append(Kind::UserAccountDeleted, about, &deleted)
    }
}

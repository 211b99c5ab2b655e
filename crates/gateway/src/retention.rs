//! How long an account keeps what it has, and the purge of what is older.
//!
//! The purge takes small bites, and rests after each for longer than the bite took: others that
//! write wait for one bite at most, and have most of the time for themselves.

use std::time::Duration;

use db::Scalar;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::caller::{Caller, Key};
use crate::clock::Time;
use crate::message::{COLUMNS, Kind, Message};
use crate::{Gateway, Result, Work};

/// Rows of a bite at most.
const BITE: i64 = 500;
/// Messages of a bite at most: each takes several statements.
const BITE_OF_MESSAGES: i64 = 100;
/// How much longer a rest is than the bite before it.
const REST: u32 = 3;
/// Messages that a phone is still to send, or sends.
const UNDER_WAY: &str = "('pending', 'scheduled', 'sending')";
/// Between two rounds.
const AGAIN: Duration = Duration::from_hours(1);
/// Events stay where more deliveries than that wait: they would have to be looked through each time.
const WAITING: i64 = 10_000;

/// The most days that can be asked for: a hundred years.
pub const MOST_DAYS: i64 = 36_500;

db::row! {
    /// Days after which things are purged; 0: never.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
    pub struct Retention {
        /// Messages with their files. What is still to be sent stays.
        pub messages_days: i64,
        /// Events in the log. What is still to be delivered stays.
        pub events_days: i64,
        /// Attempts at webhooks; with 0 as long as the server keeps them.
        pub deliveries_days: i64,
        /// Heartbeats of phones.
        pub heartbeats_days: i64,
    }

    struct Account {
        user_id: String,
        messages_days: i64,
        events_days: i64,
        deliveries_days: i64,
        heartbeats_days: i64,
    }

    struct Ahead { first: Option<i64>, waiting: i64 }
}

/// What an account changes; the rest stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct PutRetention {
    /// As in [`Retention`].
    pub messages_days: Option<i64>,
    /// As in [`Retention`].
    pub events_days: Option<i64>,
    /// As in [`Retention`].
    pub deliveries_days: Option<i64>,
    /// As in [`Retention`].
    pub heartbeats_days: Option<i64>,
}

/// What has an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noun {
    Messages,
    Events,
    Deliveries,
    Heartbeats,
}

impl Gateway {
    /// How long the caller's account keeps what.
    pub async fn retention(&self, caller: &Caller) -> Result<Retention> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            Ok(tx.one(
                "SELECT messages_days, events_days, deliveries_days, heartbeats_days
                   FROM account WHERE id = $1",
                &[&user_id],
            )?)
        })
        .await
    }

    /// Sets what is there; what is too old then goes within the hour.
    pub async fn set_retention(&self, caller: &Caller, wanted: PutRetention) -> Result<Retention> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            Ok(work.tx.one(
                "UPDATE account SET messages_days = COALESCE($2, messages_days),
                     events_days = COALESCE($3, events_days),
                     deliveries_days = COALESCE($4, deliveries_days),
                     heartbeats_days = COALESCE($5, heartbeats_days), updated_at = $6
                  WHERE id = $1
                  RETURNING messages_days, events_days, deliveries_days, heartbeats_days",
                &[
                    &user_id,
                    &wanted.messages_days,
                    &wanted.events_days,
                    &wanted.deliveries_days,
                    &wanted.heartbeats_days,
                    &work.now,
                ],
            )?)
        })
        .await
    }

    /// Purges now and every hour, until cancelled.
    pub(crate) async fn run_retention(&self, stop: &CancellationToken) {
        loop {
            let round = stop.run_until_cancelled(self.purge_accounts());
            match round.await {
                Some(Ok(0)) => {}
                Some(Ok(count)) => tracing::info!(count, "rows that nobody keeps are purged"),
                Some(Err(error)) => tracing::warn!(%error, "the purge failed; again in an hour"),
                None => return,
            }
            if stop.run_until_cancelled(sleep(AGAIN)).await.is_none() {
                return;
            }
        }
    }

    /// Purges what accounts do not keep any more; how many rows.
    ///
    /// # Errors
    /// Of the database, and of files that cannot be removed; call it again.
    pub async fn purge_accounts(&self) -> Result<u64> {
        let accounts: Vec<Account> = self
            .read(|tx| {
                Ok(tx.all(
                    "SELECT id AS user_id, messages_days, events_days, deliveries_days,
                         heartbeats_days FROM account
                      WHERE messages_days + events_days + deliveries_days + heartbeats_days > 0",
                    &[],
                )?)
            })
            .await?;
        let mut all = 0;
        for account in accounts {
            for (noun, days) in [
                (Noun::Messages, account.messages_days),
                (Noun::Events, account.events_days),
                (Noun::Deliveries, account.deliveries_days),
                (Noun::Heartbeats, account.heartbeats_days),
            ] {
                if days > 0 {
                    all += self.purge(&account.user_id, noun, days).await?;
                }
            }
        }
        Ok(all)
    }

    async fn purge(&self, user_id: &str, noun: Noun, days: i64) -> Result<u64> {
        const DAY: i64 = 24 * 3600 * 1_000_000;
        let oldest = Time::from_micros(self.now().micros() - days * DAY);
        let mut all = 0;
        loop {
            let begun = Instant::now();
            let count = self.bite(user_id, noun, oldest).await?;
            all += count;
            if count == 0 {
                return Ok(all);
            }
            sleep(begun.elapsed() * REST).await;
        }
    }

    async fn bite(&self, user_id: &str, noun: Noun, oldest: Time) -> Result<u64> {
        let user = user_id.to_owned();
        match noun {
            Noun::Messages => self.bite_messages(user, oldest).await,
            Noun::Events => {
                self.write(move |work| work.bite_events(&user, oldest))
                    .await
            }
            // It takes its own bites and rests.
            Noun::Deliveries => self.purge_attempts_of(&user, oldest).await,
            Noun::Heartbeats => {
                self.write(move |work| work.bite_heartbeats(&user, oldest))
                    .await
            }
        }
    }

    async fn bite_messages(&self, user_id: String, oldest: Time) -> Result<u64> {
        let user = user_id.clone();
        let deleted = self
            .write(move |work| work.bite_messages(&user, oldest))
            .await?;
        let caller = Caller {
            user_id,
            key: Key::User,
        };
        for message in deleted.iter().filter(|message| has_files(message)) {
            self.remove_attachments(&caller, message.id).await?;
        }
        Ok(deleted.len() as u64)
    }
}

/// Files of outgoing messages lie elsewhere.
fn has_files(message: &Message) -> bool {
    message.kind == Kind::MobileOriginated
        && message
            .attachments
            .as_ref()
            .is_some_and(|urls| !urls.is_empty())
}

impl Work<'_, '_> {
    /// The oldest messages of an account that nothing more is done about, and what refers to them.
    fn bite_messages(&mut self, user_id: &str, oldest: Time) -> Result<Vec<Message>> {
        let ids: Vec<Scalar<Uuid>> = self.tx.all(
            &format!("SELECT id FROM message
              WHERE user_id = $1 AND created_at < $2 AND due_at IS NULL AND status NOT IN {UNDER_WAY}
              ORDER BY created_at LIMIT $3"),
            &[&user_id, &oldest, &BITE_OF_MESSAGES],
        )?;
        let mut deleted = Vec::with_capacity(ids.len());
        for Scalar(id) in ids {
            // It may be under way again since.
            let message: Option<Message> = self.tx.optional(
                &format!(
                    "DELETE FROM message WHERE id = $1 AND due_at IS NULL
                        AND status NOT IN {UNDER_WAY} RETURNING {COLUMNS}"
                ),
                &[&id],
            )?;
            if let Some(message) = message {
                self.forget_wakeups(id)?;
                deleted.push(message);
            }
        }
        for message in &deleted {
            self.leave_thread(message)?;
        }
        Ok(deleted)
    }

    /// Of most threads it was not the last message.
    fn leave_thread(&mut self, message: &Message) -> Result<()> {
        let shown: Option<Scalar<Uuid>> = self.tx.optional(
            "SELECT id FROM thread
              WHERE user_id = $1 AND owner = $2 AND contact = $3 AND last_message_id = $4",
            &[
                &message.user_id,
                &message.owner,
                &message.contact,
                &message.id,
            ],
        )?;
        if shown.is_some() {
            self.hold_thread(message)?;
            let previous = self.newest_between(message)?;
            self.thread_lost(message, previous.as_ref())?;
        }
        Ok(())
    }

    /// The oldest events of an account, up to the first that a webhook still waits for.
    fn bite_events(&mut self, user_id: &str, oldest: Time) -> Result<u64> {
        let ahead: Ahead = self.tx.one(
            "SELECT MIN(event_seq) AS first, COUNT(*) AS waiting FROM (
                 SELECT event_seq FROM delivery
                  WHERE target IN (SELECT id FROM webhook WHERE user_id = $1) LIMIT $2) AS queue",
            &[&user_id, &(WAITING + 1)],
        )?;
        let Scalar(replays): Scalar<i64> = self.tx.one(
            "SELECT COUNT(*) FROM replay WHERE user_id = $1 AND stage = 'running'",
            &[&user_id],
        )?;
        if ahead.waiting > WAITING || replays > 0 {
            return Ok(0);
        }
        Ok(self.tx.execute(
            "DELETE FROM event WHERE seq IN (
                 SELECT seq FROM event WHERE user_id = $1 AND seq < $2 ORDER BY seq LIMIT $3)
                AND time < $4",
            &[&user_id, &ahead.first.unwrap_or(i64::MAX), &BITE, &oldest],
        )?)
    }

    fn bite_heartbeats(&mut self, user_id: &str, oldest: Time) -> Result<u64> {
        Ok(self.tx.execute(
            "DELETE FROM heartbeat WHERE id IN (
                 SELECT id FROM heartbeat WHERE user_id = $1 AND timestamp < $2 LIMIT $3)",
            &[&user_id, &oldest, &BITE],
        )?)
    }
}

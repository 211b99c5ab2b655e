//! The bulk sends of an account so far, with what became of their messages.

use db::Tx;
use serde::Serialize;

use crate::caller::Caller;
use crate::clock::Time;
use crate::message::{self, CANCELLED, Message};
use crate::names::names;
use crate::{Error, Gateway, Page, Result};

/// Where a bulk send stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Messages of it are on their way.
    Running,
    /// Those that no phone has yet are held back.
    Paused,
    /// Nothing of it is on its way.
    Finished,
}

names!(State {
    Running => "running",
    Paused => "paused",
    Finished => "finished",
});

db::row! {
    /// Messages with the same request id, counted by where they stand. The first six counts add up;
    /// the later ones are parts of them.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct BulkMessage {
        /// Begins with `bulk-`.
        pub request_id: String,
        /// All of them.
        pub total: i64,
        /// Those that have a slot, or that the phone has.
        pub scheduled_count: i64,
        /// Those that wait for theirs.
        pub pending_count: i64,
        /// Those that failed.
        pub failed_count: i64,
        /// Those that the phone did not report in time.
        pub expired_count: i64,
        /// Those that were sent.
        pub sent_count: i64,
        /// Those that arrived.
        pub delivered_count: i64,
        /// Of those with a slot: the phone has them.
        pub sending_count: i64,
        /// Of those that failed: they were cancelled.
        pub cancelled_count: i64,
        /// Of all: they are held back.
        pub paused_count: i64,
        /// Where it stands.
        pub status: State,
        /// When the first was accepted.
        pub created_at: Time,
    }
}

/// The columns of [`BulkMessage`], over the rows of `message` with the same request id.
fn counts() -> String {
    format!(
        "message.request_id AS request_id, count(*) AS total,
         count(CASE WHEN status IN ('scheduled','sending') THEN 1 END) AS scheduled_count,
         count(CASE WHEN status = 'pending' THEN 1 END) AS pending_count,
         count(CASE WHEN status = 'failed' THEN 1 END) AS failed_count,
         count(CASE WHEN status = 'expired' THEN 1 END) AS expired_count,
         count(CASE WHEN status = 'sent' THEN 1 END) AS sent_count,
         count(CASE WHEN status = 'delivered' THEN 1 END) AS delivered_count,
         count(CASE WHEN status = 'sending' THEN 1 END) AS sending_count,
         count(CASE WHEN failure_reason = '{CANCELLED}' THEN 1 END) AS cancelled_count,
         count(CASE WHEN {HELD} THEN 1 END) AS paused_count,
         CASE WHEN count(CASE WHEN {HELD} THEN 1 END) > 0 THEN 'paused'
              WHEN count(CASE WHEN status IN ('pending','scheduled','sending') THEN 1 END) > 0
              THEN 'running' ELSE 'finished' END AS status,
         MIN(message.created_at) AS created_at"
    )
}

/// A message that goes on when its bulk send is resumed.
pub(super) const HELD: &str = "held_from IS NOT NULL AND (status IN ('pending','scheduled')
    OR (status = 'expired' AND send_attempt_count < max_send_attempts))";

/// The messages of the account `$1` with the request id `$2`, by the index of bulk sends.
pub(super) const OF_BULK: &str =
    "user_id = $1 AND request_id = $2 AND substr(request_id, 1, 5) = 'bulk-'";

/// A bulk send with some of its messages.
#[derive(Debug, Clone)]
pub struct Messages {
    /// The bulk send.
    pub bulk: BulkMessage,
    /// A part of its messages, in the order of its file.
    pub messages: Vec<Message>,
}

impl Gateway {
    /// The caller's bulk sends, by files or by request ids that look like theirs, newest first; only
    /// those in this state, if one is given.
    pub async fn bulk_messages(
        &self,
        caller: &Caller,
        state: Option<State>,
        page: Page,
    ) -> Result<Vec<BulkMessage>> {
        let user_id = caller.user_id.clone();
        self.list(&page.clone(), move |tx| match state {
            None => newest(tx, &user_id, &page),
            Some(state) => in_state(tx, &user_id, state, &page),
        })
        .await
    }

    /// A bulk send, and those of its messages that have this status, if one is given.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn bulk_message(
        &self,
        caller: &Caller,
        request_id: String,
        status: Option<message::Status>,
        page: Page,
    ) -> Result<Messages> {
        let user_id = caller.user_id.clone();
        self.list(&page.clone(), move |tx| {
            let bulk = one(tx, &user_id, &request_id)?;
            let columns = message::COLUMNS;
            let status = status.map_or("", message::Status::as_str);
            let messages = tx.all(
                &format!(
                    "SELECT {columns} FROM message WHERE {OF_BULK} AND ($3 = '' OR status = $3)
                      ORDER BY created_at, id LIMIT $4 OFFSET $5"
                ),
                &[&user_id, &request_id, &status, &page.limit(), &page.skip()],
            )?;
            Ok(Messages { bulk, messages })
        })
        .await
    }
}

/// The newest are chosen by an index that has no status, and only those are counted.
fn newest(tx: &mut Tx<'_>, user_id: &str, page: &Page) -> Result<Vec<BulkMessage>> {
    let counts = counts();
    Ok(tx.all(
        &format!(
            "WITH newest AS (
                 SELECT request_id, MIN(created_at) AS begun FROM message
                  WHERE user_id = $1 AND substr(request_id, 1, 5) = 'bulk-'
                  GROUP BY request_id ORDER BY begun DESC, request_id DESC LIMIT $2 OFFSET $3)
             SELECT {counts} FROM newest JOIN message ON message.request_id = newest.request_id
              WHERE message.user_id = $1 AND substr(message.request_id, 1, 5) = 'bulk-'
              GROUP BY message.request_id ORDER BY created_at DESC, request_id DESC"
        ),
        &[&user_id, &page.limit(), &page.skip()],
    )?)
}

fn in_state(tx: &mut Tx<'_>, user_id: &str, state: State, page: &Page) -> Result<Vec<BulkMessage>> {
    let counts = counts();
    Ok(tx.all(
        &format!(
            "SELECT * FROM (
                 SELECT {counts} FROM message
                  WHERE user_id = $1 AND substr(request_id, 1, 5) = 'bulk-'
                  GROUP BY message.request_id) AS bulk
              WHERE status = $2 ORDER BY created_at DESC, request_id DESC LIMIT $3 OFFSET $4"
        ),
        &[&user_id, &state, &page.limit(), &page.skip()],
    )?)
}

/// The account's bulk send with this request id.
pub(super) fn one(tx: &mut Tx<'_>, user_id: &str, request_id: &str) -> Result<BulkMessage> {
    let counts = counts();
    tx.optional(
        &format!("SELECT {counts} FROM message WHERE {OF_BULK} GROUP BY message.request_id"),
        &[&user_id, &request_id],
    )?
    .ok_or_else(|| Error::not_found(format!("cannot find bulk message with ID [{request_id}]")))
}

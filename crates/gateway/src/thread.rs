//! Threads: a projection of the messages between a number and a contact, for lists of conversations.
//!
//! The transaction that changes a message changes its thread too.

mod delete;
mod keep;
mod list;

use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::message::Status;
use crate::{Error, Fields, Gateway, Result};

pub use list::{Counts, Unread, Wanted};

/// The colours a thread can have, by the names of the dashboard's palette.
pub const COLORS: [&str; 17] = [
    "deep-purple",
    "indigo",
    "blue",
    "red",
    "pink",
    "purple",
    "light-blue",
    "cyan",
    "teal",
    "green",
    "light-green",
    "lime",
    "yellow",
    "amber",
    "orange",
    "deep-orange",
    "brown",
];

db::row! {
    /// A thread, with the members of the wire's MessageThread in its order (contract: API, §3.2).
    #[derive(Debug, Clone, Serialize)]
    pub struct Thread {
        /// Its id.
        pub id: Uuid,
        /// The account's phone number.
        pub owner: String,
        /// The other side.
        pub contact: String,
        /// Whether it was put away.
        pub is_archived: bool,
        /// Whether what came in was read.
        pub is_read: bool,
        /// The account.
        pub user_id: String,
        /// One of [`COLORS`].
        pub color: String,
        /// Where its newest message stands.
        pub status: Status,
        /// The text of its newest message, or words for a missed call.
        pub last_message_content: String,
        /// Its newest message.
        pub last_message_id: Uuid,
        /// When its first message came.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// What lists are sorted by; only moves forward.
        pub order_timestamp: Time,
    }
}

/// The columns of [`Thread`], in its order.
const COLUMNS: &str = "id, owner, contact, is_archived, is_read, user_id, color, status,
    last_message_content, last_message_id, created_at, updated_at, order_timestamp";

/// Changes to a thread: only what is present is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Puts it away, or takes it out again.
    pub is_archived: Option<bool>,
    /// Says that it was read, now; or was not.
    pub is_read: Option<bool>,
}

impl Gateway {
    /// Changes a thread.
    ///
    /// # Errors
    /// [`Error::Invalid`] under `payload` if nothing is to change, [`Error::NotFound`].
    pub async fn update_thread(
        &self,
        caller: &Caller,
        id: Uuid,
        changes: Changes,
    ) -> Result<Thread> {
        if changes == Changes::default() {
            let why = "at least one of is_archived or is_read is required";
            return Err(Error::Invalid(Fields::one("payload", why)));
        }
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let thread: Option<Thread> = work.tx.optional(
                &format!(
                    "UPDATE thread SET is_archived = COALESCE($3, is_archived),
                         is_read = COALESCE($4, is_read),
                         last_read_at = CASE WHEN $4 THEN $5 ELSE last_read_at END, updated_at = $5
                      WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"
                ),
                &[
                    &id,
                    &user_id,
                    &changes.is_archived,
                    &changes.is_read,
                    &work.now,
                ],
            )?;
            thread.ok_or_else(|| list::unknown(id))
        })
        .await
    }
}

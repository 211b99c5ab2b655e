//! Keeping threads: what each change of a message does to the thread it belongs to.

use std::sync::LazyLock;

use uuid::Uuid;

use super::COLORS;
use crate::clock::Time;
use crate::message::{Kind, Message};
use crate::{Result, Work, id};

/// Whether a stored thread gives way to the message of an upsert: to its own newest message, and
/// to any that came later.
const GIVES_WAY: &str = "(excluded.last_message_id = thread.last_message_id
        OR excluded.last_message_at >= thread.last_message_at)";

/// Makes a thread, or brings it up to date.
static SHOW: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO thread (id, user_id, owner, contact, is_archived, is_read,
             last_read_at, color, status, last_message_id, last_message_content,
             last_message_at, order_timestamp, created_at, updated_at)
         VALUES ($1, $2, $3, $4, FALSE, NOT $5, $6, $7, $8, $9, $10, $11, $12, $6, $6)
         ON CONFLICT (user_id, owner, contact) DO UPDATE SET
             is_read = thread.is_read AND (excluded.is_read
                 OR thread.last_read_at > excluded.updated_at),
             is_archived = thread.is_archived AND (excluded.is_read OR NOT EXISTS (
                 SELECT 1 FROM phone WHERE user_id = $2 AND phone_number = $3
                                       AND unarchive_thread)),
             status = CASE WHEN {GIVES_WAY} THEN excluded.status ELSE thread.status END,
             last_message_content = CASE WHEN {GIVES_WAY}
                 THEN excluded.last_message_content ELSE thread.last_message_content END,
             order_timestamp = CASE WHEN thread.order_timestamp < excluded.order_timestamp
                 THEN excluded.order_timestamp ELSE thread.order_timestamp END,
             last_message_id = CASE WHEN {GIVES_WAY}
                 THEN excluded.last_message_id ELSE thread.last_message_id END,
             last_message_at = CASE WHEN excluded.last_message_at >= thread.last_message_at
                 THEN excluded.last_message_at ELSE thread.last_message_at END,
             updated_at = excluded.updated_at"
    )
});

impl Work<'_, '_> {
    /// A message came into its conversation: it was released, received or missed.
    pub(crate) fn thread_joined(&mut self, message: &Message) -> Result<()> {
        let at = match message.kind {
            Kind::MobileTerminated => self.now,
            // By the phone's clock, for an SMS that comes late; but that may be ahead.
            Kind::MobileOriginated | Kind::MissedCall => message.request_received_at.min(self.now),
        };
        self.show(message, at)
    }

    /// A message took a step: its thread shows it, if it is the newest there.
    pub(crate) fn thread_moved(&mut self, message: &Message) -> Result<()> {
        if message.kind == Kind::MobileTerminated && message.scheduled_at.is_none() {
            // Fetched, or failed, without ever having been released.
            return self.show(message, came_at(message).min(self.now));
        }
        self.tx.send(
            "UPDATE thread SET status = $5, updated_at = $7,
                 order_timestamp = CASE WHEN order_timestamp < $6 THEN $6 ELSE order_timestamp END
              WHERE user_id = $1 AND owner = $2 AND contact = $3 AND last_message_id = $4",
            &[
                &message.user_id,
                &message.owner,
                &message.contact,
                &message.id,
                &message.status,
                &message.order_timestamp.min(self.now),
                &self.now,
            ],
        )?;
        Ok(())
    }

    /// A message was deleted: the thread goes back to the one before, or goes.
    pub(crate) fn thread_lost(
        &mut self,
        deleted: &Message,
        previous: Option<&Message>,
    ) -> Result<()> {
        let Some(previous) = previous else {
            self.tx.execute(
                "DELETE FROM thread WHERE user_id = $1 AND owner = $2 AND contact = $3",
                &[&deleted.user_id, &deleted.owner, &deleted.contact],
            )?;
            return Ok(());
        };
        self.tx.execute(
            "UPDATE thread SET status = $5, last_message_id = $6, last_message_content = $7,
                 last_message_at = $8, updated_at = $9
              WHERE user_id = $1 AND owner = $2 AND contact = $3 AND last_message_id = $4",
            &[
                &deleted.user_id,
                &deleted.owner,
                &deleted.contact,
                &deleted.id,
                &previous.status,
                &previous.id,
                &preview(previous),
                &came_at(previous).min(self.now),
                &self.now,
            ],
        )?;
        Ok(())
    }

    /// Holds the thread of a message until the transaction ends, so that nobody adds to it while
    /// it is decided what is left of it. On SQLite there is one writer anyway.
    pub(crate) fn hold_thread(&mut self, message: &Message) -> Result<()> {
        let lock = crate::for_update(self.tx);
        let _held: Option<db::Scalar<Uuid>> = self.tx.optional(
            &format!(
                "SELECT id FROM thread WHERE user_id = $1 AND owner = $2 AND contact = $3 {lock}"
            ),
            &[&message.user_id, &message.owner, &message.contact],
        )?;
        Ok(())
    }

    /// Makes the thread, or brings it up to date. What comes in makes it unread, and takes it out
    /// of the archive if its phone wants that, even when it is too late to be shown.
    fn show(&mut self, message: &Message, at: Time) -> Result<()> {
        let id = id::new(self.now);
        let unread = message.kind != Kind::MobileTerminated;
        self.tx.send(
            &SHOW,
            &[
                &id,
                &message.user_id,
                &message.owner,
                &message.contact,
                &unread,
                &self.now,
                &color(id),
                &message.status,
                &message.id,
                &preview(message),
                &at,
                &message.order_timestamp.min(self.now),
            ],
        )?;
        Ok(())
    }
}

/// When a stored message came into its conversation, as nearly as it can be told.
fn came_at(message: &Message) -> Time {
    let asked = message.scheduled_send_time;
    asked.map_or(message.request_received_at, |send_at| {
        send_at.max(message.request_received_at)
    })
}

/// What a list shows of a message.
fn preview(message: &Message) -> &str {
    match message.kind {
        Kind::MissedCall => "Missed phone call",
        Kind::MobileTerminated | Kind::MobileOriginated => &message.content,
    }
}

/// By the id's last byte, which is random.
fn color(id: Uuid) -> &'static str {
    COLORS[usize::from(id.as_bytes()[15]) % COLORS.len()]
}

//! Deleting a message: it is gone, and the phone is not woken for it any more.

use uuid::Uuid;

use super::payload::ApiDeleted;
use super::{COLUMNS, Message, unknown};
use crate::caller::Caller;
use crate::{Gateway, Result, Work, event};

impl Gateway {
    /// Deletes a message. One that the phone has not fetched yet is thereby cancelled.
    pub async fn delete_message(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let deleted: Option<Message> = work.tx.optional(
                &format!("DELETE FROM message WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"),
                &[&id, &user_id],
            )?;
            let message = deleted.ok_or_else(|| unknown(id))?;
            work.forget_wakeups(id)?;
            work.hold_thread(&message)?;
            let previous = work.newest_between(&message)?;
            work.thread_lost(&message, previous.as_ref())?;
            let source = format!("/v1/messages/{id}");
            let payload = ApiDeleted {
                message_id: id,
                user_id: &user_id,
                owner: &message.owner,
                request_id: message.request_id.as_deref(),
                contact: &message.contact,
                timestamp: work.now,
                content: &message.content,
                encrypted: message.encrypted,
                previous_message_id: previous.as_ref().map(|message| message.id),
                previous_message_status: previous.as_ref().map(|message| message.status),
                previous_message_content: previous.as_ref().map(|message| message.content.as_str()),
                sim: message.sim,
            };
            work.append(
                event::Kind::MessageApiDeleted,
                message.about(&source),
                &payload,
            )
        })
        .await
    }
}

impl Work<'_, '_> {
    /// The newest message of the same conversation; those whose time is to come are not in it yet.
    fn newest_between(&mut self, message: &Message) -> Result<Option<Message>> {
        Ok(self.tx.optional(
            &format!(
                "SELECT {COLUMNS} FROM message WHERE user_id = $1 AND owner = $2 AND contact = $3
                    AND status <> 'pending'
                  ORDER BY order_timestamp DESC, id DESC LIMIT 1"
            ),
            &[&message.user_id, &message.owner, &message.contact],
        )?)
    }
}

//! A message's timer has run out: it is released, or it expires.

use db::Scalar;
use uuid::Uuid;

use super::payload::SendExpired;
use super::report::facts;
use super::{COLUMNS, Message, Status, Step};
use crate::clock::Time;
use crate::mail::{Letter, Topic, readable};
use crate::phone::{self, Phone};
use crate::{Result, Work, event, for_update};

impl Work<'_, '_> {
    /// Does what is due for a message. Nothing, if another node or a report was quicker.
    pub(crate) fn message_due(&mut self, id: Uuid) -> Result<()> {
        let lock = for_update(self.tx);
        let due: Option<Message> = self.tx.optional(
            &format!("SELECT {COLUMNS} FROM message WHERE id = $1 AND due_at <= $2 {lock}"),
            &[&id, &self.now],
        )?;
        let Some(message) = due else { return Ok(()) };
        let Some(mut phone) = phone::owned(self.tx, &message.user_id, &message.owner)? else {
            let reason = format!("the phone [{}] was deleted", message.owner);
            return self
                .failed(&message.user_id, id, self.now, &reason, None)
                .map(drop);
        };
        match message.status {
            Status::Pending => self.release(message, &mut phone),
            _ => self.expire(message.id, &mut phone),
        }
    }

    fn expire(&mut self, id: Uuid, phone: &mut Phone) -> Result<()> {
        let expired: Option<Message> = self.tx.optional(
            &format!(
                "UPDATE message SET status = $2, expired_at = $3, due_at = NULL, updated_at = $3,
                     order_timestamp = CASE WHEN order_timestamp < $3 THEN $3 ELSE order_timestamp END
                  WHERE id = $1 AND status IN ({}) RETURNING {COLUMNS}",
                Step::Expire.sources_sql()
            ),
            &[&id, &Step::Expire.to(), &self.now],
        )?;
        let Some(message) = expired else {
            return Ok(());
        };
        let is_final = message.send_attempt_count >= message.max_send_attempts;
        let payload = SendExpired::new(&message, is_final, self.now);
        let about = message.about(&message.source);
        self.append(event::Kind::MessageSendExpired, about, &payload)?;
        self.forget_wakeups(message.id)?;
        self.thread_moved(&message)?;
        if is_final {
            let facts = facts(&message, None);
            return self.mail(
                Topic::MessageExpired,
                &message.user_id,
                &message.owner,
                |_| Letter {
                    subject: format!("An SMS to {} expired", readable(&message.contact)),
                    opening: "Your phone did not send one of your messages in time. Is it on, and \
                          connected to the internet?"
                        .to_owned(),
                    facts,
                },
            );
        }
        if self.is_held(&message)? {
            return Ok(());
        }
        self.retry_message(message, phone)
    }

    /// Whether the message's bulk send is paused: it gets another slot when that is resumed.
    fn is_held(&mut self, message: &Message) -> Result<bool> {
        let request_id = message.request_id.as_deref().unwrap_or_default();
        if !request_id.starts_with("bulk-") {
            return Ok(false);
        }
        let Scalar(held): Scalar<Option<Time>> = self.tx.one(
            "SELECT held_from FROM message WHERE id = $1",
            &[&message.id],
        )?;
        Ok(held.is_some())
    }
}

//! What follows from a wake-up: the message expects a report, or has failed.

use std::time::Duration;

use uuid::Uuid;

use super::payload::{NotificationFailed, NotificationSent};
use super::{COLUMNS, Message, Step};
use crate::clock::Time;
use crate::phone::Phone;
use crate::{Result, Work, event};

impl Work<'_, '_> {
    /// A wake-up for a message left: one attempt more, and time runs until the phone reports.
    /// `None` if the message is gone.
    pub(crate) fn message_woken(
        &mut self,
        id: Uuid,
        phone: &Phone,
        push_id: &str,
        notification: Uuid,
    ) -> Result<Option<Message>> {
        let expiration = phone.expiration();
        let due = self.now + expiration;
        let woken: Option<Message> = self.tx.optional(
            &format!(
                "UPDATE message SET send_attempt_count = send_attempt_count + 1, updated_at = $2,
                     due_at = CASE WHEN status IN ({}) THEN $3 ELSE due_at END
                  WHERE id = $1 RETURNING {COLUMNS}",
                Step::Expire.sources_sql()
            ),
            &[&id, &self.now, &due],
        )?;
        let Some(message) = woken else {
            return Ok(None);
        };
        if let Some(due) = message.due_at {
            self.timer(due);
        }
        let sent = NotificationSent {
            message_id: message.id,
            user_id: &message.user_id,
            phone_id: phone.id,
            scheduled_at: message.scheduled_at.unwrap_or(self.now),
            fcm_message_id: push_id,
            message_expiration_duration: nanoseconds(expiration),
            notification_sent_at: self.now,
            notification_id: notification,
        };
        let about = message.about(&message.source);
        self.append(event::Kind::MessageNotificationSent, about, &sent)?;
        Ok(Some(message))
    }

    /// The phone cannot be woken for a message: it has failed.
    pub(crate) fn message_unwakeable(
        &mut self,
        user_id: &str,
        id: Uuid,
        phone: Uuid,
        notification: Uuid,
        error: &str,
    ) -> Result<()> {
        let Some(message) = self.failed(user_id, id, self.now, error, None)? else {
            return Ok(());
        };
        let failed = NotificationFailed {
            message_id: id,
            user_id,
            notification_id: notification,
            phone_id: phone,
            error_message: error,
            notification_failed_at: self.now,
        };
        let about = message.about(&message.source);
        self.append(event::Kind::MessageNotificationFailed, about, &failed)
    }

    /// Sets a message's timer.
    pub(crate) fn set_due(&mut self, id: Uuid, due: Time) -> Result<()> {
        self.tx
            .send("UPDATE message SET due_at = $2 WHERE id = $1", &[&id, &due])?;
        self.timer(due);
        Ok(())
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

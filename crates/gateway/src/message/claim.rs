//! Claiming: a phone that was woken fetches one message, and has it then.

use uuid::Uuid;

use super::payload::PhoneSending;
use super::{COLUMNS, Message, Step};
use crate::caller::{Caller, Key};
use crate::phone;
use crate::{Error, Gateway, Result, Work, event};

impl Gateway {
    /// Hands a message to the phone that asks for it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is unknown, not to be sent (any more), or of a number that the
    /// caller's phone key does not hold.
    pub async fn claim(&self, caller: &Caller, id: Uuid) -> Result<Message> {
        let caller = caller.clone();
        self.write(move |work| {
            let claimed: Option<Message> = work.tx.optional(
                &format!(
                    "UPDATE message SET status = $3, last_attempted_at = $4, updated_at = $4,
                         order_timestamp = CASE WHEN order_timestamp < $4 THEN $4 ELSE order_timestamp END
                      WHERE id = $1 AND user_id = $2 AND status IN ({}) RETURNING {COLUMNS}",
                    Step::Claim.sources_sql()
                ),
                &[&id, &caller.user_id, &Step::Claim.to(), &work.now],
            )?;
            // A claim that the key may not make is undone with the transaction.
            let message = claimed
                .filter(|message| holds(&caller, &message.owner))
                .ok_or_else(|| unclaimable(id))?;
            work.claimed(message)
        })
        .await
    }
}

fn holds(caller: &Caller, owner: &str) -> bool {
    match &caller.key {
        Key::Phone { numbers, .. } => numbers.iter().any(|number| number == owner),
        _ => true,
    }
}

fn unclaimable(id: Uuid) -> Error {
    Error::not_found(format!("Cannot find outstanding message with ID [{id}]"))
}

impl Work<'_, '_> {
    fn claimed(&mut self, mut message: Message) -> Result<Message> {
        self.forget_wakeups(message.id)?;
        if message.due_at.is_none() {
            self.expect_report(&mut message)?;
        }
        self.thread_moved(&message)?;
        let source = "/v1/messages/outstanding";
        let sending = PhoneSending::new(&message, self.now);
        self.append(
            event::Kind::MessagePhoneSending,
            message.about(source),
            &sending,
        )?;
        Ok(message)
    }

    /// Claimed before its wake-up left, so nothing has set its timer yet.
    fn expect_report(&mut self, message: &mut Message) -> Result<()> {
        if let Some(phone) = phone::owned(self.tx, &message.user_id, &message.owner)? {
            let due = self.now + phone.expiration();
            self.set_due(message.id, due)?;
            message.due_at = Some(due);
        }
        Ok(())
    }
}

//! Cancelling: a message that no phone has fetched yet is not sent.

use uuid::Uuid;

use super::{COLUMNS, Message, Status, unknown};
use crate::caller::Caller;
use crate::{Error, Gateway, Result, Work, for_update};

/// Why a cancelled message failed: the wire has no status of its own for it.
pub(crate) const CANCELLED: &str = "cancelled by the client";

impl Gateway {
    /// Cancels a message: it is `failed` now, and the phone is not woken for it any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown message; [`Error::Conflict`] if the phone has it already,
    /// or it is over.
    pub async fn cancel_message(&self, caller: &Caller, id: Uuid) -> Result<Message> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let status = work.status_of(&user_id, id)?;
            if !matches!(
                status,
                Status::Pending | Status::Scheduled | Status::Expired
            ) {
                return Err(Error::Conflict(format!(
                    "cannot cancel message with ID [{id}] any more, it is [{status}]"
                )));
            }
            let source = format!("/v1/messages/{id}/cancel");
            work.failed(&user_id, id, work.now, CANCELLED, Some(&source))?
                .ok_or_else(|| unknown(id))
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Where the account's message stands; it stays so until the transaction ends.
    fn status_of(&mut self, user_id: &str, id: Uuid) -> Result<Status> {
        let lock = for_update(self.tx);
        let message: Option<Message> = self.tx.optional(
            &format!("SELECT {COLUMNS} FROM message WHERE id = $1 AND user_id = $2 {lock}"),
            &[&id, &user_id],
        )?;
        message
            .map(|message| message.status)
            .ok_or_else(|| unknown(id))
    }
}

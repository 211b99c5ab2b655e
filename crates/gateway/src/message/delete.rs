//! Deleting a message: it is gone, and the phone is not woken for it any more.

use uuid::Uuid;

use super::payload::ApiDeleted;
use super::{COLUMNS, Kind, Message, Urls, between, unknown};
use crate::caller::Caller;
use crate::{Gateway, Result, Work, event};

impl Gateway {
    /// Deletes a message. One that the phone has not fetched yet is thereby cancelled.
    pub async fn delete_message(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let source = format!("/v1/messages/{id}");
            let deleted = work.delete_message(&user_id, id, &source)?;
            deleted.map(drop).ok_or_else(|| unknown(id))
        })
        .await
    }

    /// Deletes those of these messages that the account has, some at a time.
    pub async fn delete_messages(&self, caller: &Caller, mut ids: Vec<Uuid>) -> Result<Deleted> {
        // In one order, so that two who delete at once do not wait for each other.
        ids.sort_unstable();
        ids.dedup();
        let mut all = Deleted::default();
        for part in ids.chunks(AT_ONCE) {
            let (user_id, part) = (caller.user_id.clone(), part.to_vec());
            let deleted = self.write(move |work| work.delete_several(&user_id, &part));
            let deleted = deleted.await?;
            all.count += deleted.count;
            all.with_files.extend(deleted.with_files);
        }
        Ok(all)
    }
}

/// Messages that one transaction deletes: others need not wait long for it.
const AT_ONCE: usize = 100;

/// What became of a request to delete several.
#[derive(Debug, Default)]
pub struct Deleted {
    /// How many are gone.
    pub count: usize,
    /// Those of them whose files are still to be removed.
    pub with_files: Vec<Uuid>,
}

impl Work<'_, '_> {
    fn delete_several(&mut self, user_id: &str, ids: &[Uuid]) -> Result<Deleted> {
        let mut deleted = Deleted::default();
        for id in ids {
            let source = "/v1/messages/bulk-delete";
            let Some(message) = self.delete_message(user_id, *id, source)? else {
                continue;
            };
            deleted.count += 1;
            let urls = message.attachments.as_ref().map(Urls::list);
            if message.kind == Kind::MobileOriginated && urls.is_some_and(|urls| !urls.is_empty()) {
                deleted.with_files.push(*id);
            }
        }
        Ok(deleted)
    }

    /// Deletes a message with its wake-ups, and brings its thread up to date. `None` if the account
    /// has none.
    fn delete_message(&mut self, user_id: &str, id: Uuid, source: &str) -> Result<Option<Message>> {
        let deleted: Option<Message> = self.tx.optional(
            &format!("DELETE FROM message WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"),
            &[&id, &user_id],
        )?;
        let Some(message) = deleted else {
            return Ok(None);
        };
        self.forget_wakeups(id)?;
        self.hold_thread(&message)?;
        let previous = self.newest_between(&message)?;
        self.thread_lost(&message, previous.as_ref())?;
        let payload = ApiDeleted {
            message_id: id,
            user_id,
            owner: &message.owner,
            request_id: message.request_id.as_deref(),
            contact: &message.contact,
            timestamp: self.now,
            content: &message.content,
            encrypted: message.encrypted,
            previous_message_id: previous.as_ref().map(|message| message.id),
            previous_message_status: previous.as_ref().map(|message| message.status),
            previous_message_content: previous.as_ref().map(|message| message.content.as_str()),
            sim: message.sim,
        };
        let about = message.about(source);
        self.append(event::Kind::MessageApiDeleted, about, &payload)?;
        Ok(Some(message))
    }

    /// The newest message of the same conversation; those whose time is to come are not in it yet.
    pub(crate) fn newest_between(&mut self, message: &Message) -> Result<Option<Message>> {
        let newest = "ORDER BY order_timestamp DESC, id DESC LIMIT 1";
        Ok(self.tx.optional(
            &format!(
                "SELECT {COLUMNS} FROM message WHERE id IN ({}) {newest}",
                between(self.tx.engine(), "status <> 'pending'", newest)
            ),
            &[&message.user_id, &message.owner, &message.contact],
        )?)
    }
}

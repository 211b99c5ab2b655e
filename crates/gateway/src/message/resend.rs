//! Sending again: messages like those that were sent before, all or none.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Kind, Message, owned};
use crate::caller::Caller;
use crate::clock::Time;
use crate::phone::{self, Phone};
use crate::{Error, Fields, Gateway, Result, Work};

const SOURCE: &str = "/v1/messages/bulk-resend";

/// The phones of a request, each with the time at which its next message is released.
type Phones = BTreeMap<String, (Phone, Time)>;

impl Gateway {
    /// Sends these messages once more, as new ones in the same order. Each keeps its text, its
    /// attachments and its `request_id`; without one it gets `resend-of-` and the id of the old one.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Invalid`] under `ids` for a message that was not sent by
    /// the account, or whose phone is gone; [`Error::Limit`] if they would pass the account's quota.
    /// Nothing is sent then.
    pub async fn resend_messages(&self, caller: &Caller, ids: Vec<Uuid>) -> Result<Vec<Message>> {
        let user_id = caller.user_id.clone();
        self.write_within_quota(&caller.user_id, move |work| {
            let mut phones = Phones::new();
            let mut sent = Vec::with_capacity(ids.len());
            for (index, id) in ids.iter().enumerate() {
                let old = owned(work.tx, &user_id, *id)?;
                sent.push(work.resend(&old, &mut phones, index)?);
            }
            // They count by now.
            work.spend_quota(&user_id, 0)?;
            Ok(sent)
        })
        .await
    }
}

impl Work<'_, '_> {
    fn resend(&mut self, old: &Message, phones: &mut Phones, index: usize) -> Result<Message> {
        if old.kind != Kind::MobileTerminated {
            let why = "is of a message that was not sent by the account";
            return Err(refused(index, why));
        }
        if !phones.contains_key(&old.owner) {
            let phone = phone::owned(self.tx, &old.user_id, &old.owner)?
                .ok_or_else(|| refused(index, "is of a message whose phone is gone"))?;
            phones.insert(old.owner.clone(), (phone, self.now));
        }
        let Some((phone, release)) = phones.get_mut(&old.owner) else {
            return Err(refused(index, "is of a message whose phone is gone"));
        };
        let mut message = self.draft(phone, SOURCE);
        message.contact.clone_from(&old.contact);
        message.content.clone_from(&old.content);
        message.attachments.clone_from(&old.attachments);
        message.encrypted = old.encrypted;
        let request_id = old.request_id.clone();
        message.request_id = request_id.or_else(|| Some(format!("resend-of-{}", old.id)));
        let now = *release;
        *release = now + phone.spacing();
        self.accept(message, phone, now)
    }
}

fn refused(index: usize, why: &str) -> Error {
    let text = format!("The ids field in index [{index}] {why}");
    Error::Invalid(Fields::one("ids", text))
}

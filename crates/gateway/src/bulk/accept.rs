//! Accepting the messages of a file: the part that is one transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::invalid;
use super::record::Sms;
use crate::clock::Time;
use crate::message::urls;
use crate::phone::{self, Phone};
use crate::{Result, Work};

/// What the request's path is in events.
pub(super) const SOURCE: &str = "/v1/bulk-messages";

/// Messages that were accepted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// What they have in common.
    pub request_id: String,
    /// How many they are.
    pub count: usize,
}

/// A phone that sends messages of a file, and when its next one is released.
pub(super) struct Sender {
    pub(super) phone: Phone,
    release: Time,
}

impl Sender {
    /// Goes on after the one released last, if any.
    pub(super) fn after(phone: Phone, last: Option<Time>, now: Time) -> Self {
        let release = last.map_or(now, |last| now.max(last + phone.spacing()));
        Self { phone, release }
    }

    /// When the next one is released.
    pub(super) fn next(&mut self) -> Time {
        let release = self.release;
        self.release = release + self.phone.spacing();
        release
    }
}

impl Work<'_, '_> {
    pub(super) fn accept_file(
        &mut self,
        user_id: &str,
        messages: &[Sms],
        request_id: &str,
    ) -> Result<Accepted> {
        let mut senders = self.senders(user_id, messages)?;
        self.spend_quota(user_id, messages.len())?;
        for (sms, nth) in messages.iter().zip(0..) {
            let Some(sender) = senders.get_mut(sms.from.as_str()) else {
                return Err(db::Error::NoRow.into());
            };
            let mut message = self.draft(&sender.phone, SOURCE);
            message.contact.clone_from(&sms.to);
            message.content.clone_from(&sms.content);
            message.attachments = urls(&sms.attachments);
            message.request_id = Some(request_id.to_owned());
            message.scheduled_send_time = sms.send_at;
            message.order_timestamp = sms.send_at.unwrap_or(self.now);
            // In the order of the file, whatever is sorted by it.
            message.created_at = self.now + Duration::from_micros(nth);
            let release = sms.send_at.unwrap_or_else(|| sender.next());
            self.accept(message, &mut sender.phone, release)?;
        }
        Ok(Accepted {
            request_id: request_id.to_owned(),
            count: messages.len(),
        })
    }

    /// The phones that the messages are from, locked in the order of their numbers.
    fn senders(&mut self, user_id: &str, messages: &[Sms]) -> Result<BTreeMap<String, Sender>> {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for sms in messages {
            rows.entry(sms.from.as_str()).or_default().push(sms.row);
        }
        let (mut senders, mut wrong) = (BTreeMap::new(), Vec::new());
        for (from, rows) in rows {
            if let Some(phone) = phone::owned(self.tx, user_id, from)? {
                let sender = Sender::after(phone, None, self.now);
                senders.insert(from.to_owned(), sender);
            } else {
                wrong.push(unknown_sender(from, &rows));
            }
        }
        if wrong.is_empty() {
            Ok(senders)
        } else {
            Err(invalid(wrong))
        }
    }
}

/// That rows are from a number that is no phone of the account.
pub(super) fn unknown_sender(from: &str, rows: &[usize]) -> String {
    let rows: Vec<String> = rows.iter().map(usize::to_string).collect();
    let rows = rows.join(", ");
    format!("Rows [{rows}]: The FromPhoneNumber [{from}] is not registered on your account")
}

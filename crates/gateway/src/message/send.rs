//! Sending: a client's SMS is accepted, and released to its phone when its time has come.

use std::time::Duration;

use super::payload::{ApiSent, NotificationScheduled, SendRetry};
use super::{Kind, Message, Status, Step, Urls};
use crate::caller::Caller;
use crate::clock::Time;
use crate::event;
use crate::phone::{self, Phone};
use crate::{Error, Fields, Gateway, PhoneNumber, Result, Work, id};

/// How far ahead an exact send time may lie.
pub const SEND_AT_LIMIT: Duration = Duration::from_hours(480);

/// An SMS to send, its texts checked.
#[derive(Debug, Clone)]
pub struct SendSms {
    /// A phone of the account.
    pub from: PhoneNumber,
    /// A number or short code.
    pub to: String,
    /// The text, or cipher text.
    pub content: String,
    /// http or https URLs.
    pub attachments: Vec<String>,
    /// Whether `content` is cipher text.
    pub encrypted: bool,
    /// The client's own name for it.
    pub request_id: Option<String>,
    /// Send then, regardless of the phone's rate.
    pub send_at: Option<Time>,
}

/// One text for many recipients.
#[derive(Debug, Clone)]
pub struct BulkSms {
    /// A phone of the account.
    pub from: PhoneNumber,
    /// Numbers and short codes, in the order of the answer.
    pub to: Vec<String>,
    /// See [`SendSms::content`].
    pub content: String,
    /// See [`SendSms::attachments`].
    pub attachments: Vec<String>,
    /// See [`SendSms::encrypted`].
    pub encrypted: bool,
    /// The same for all of them.
    pub request_id: Option<String>,
}

impl Gateway {
    /// Accepts an SMS. The answer shows it as it was accepted, `pending`; by then it has its slot.
    ///
    /// # Errors
    /// [`Error::Invalid`] under `from` if that is no phone of the account; [`Error::Limit`] if the
    /// account's quota is spent.
    pub async fn send(&self, caller: &Caller, sms: SendSms) -> Result<Message> {
        self.send_by(caller, sms, "/v1/messages/send").await
    }

    /// The same for a request to another path.
    pub async fn send_by(
        &self,
        caller: &Caller,
        sms: SendSms,
        source: &'static str,
    ) -> Result<Message> {
        let user_id = caller.user_id.clone();
        self.write_within_quota(&caller.user_id, move |work| {
            let mut phone = work.sender(&user_id, &sms.from, "install")?;
            work.spend_quota(&user_id, 1)?;
            let mut message = work.draft(&phone, source);
            message.contact.clone_from(&sms.to);
            message.content.clone_from(&sms.content);
            message.attachments = urls(&sms.attachments);
            message.encrypted = sms.encrypted;
            message.request_id.clone_from(&sms.request_id);
            message.scheduled_send_time = sms.send_at;
            message.order_timestamp = sms.send_at.unwrap_or(work.now);
            work.accept(message, &mut phone, sms.send_at.unwrap_or(work.now))
        })
        .await
    }

    /// Accepts one SMS for each recipient, all or none. They are released one after the other at the
    /// phone's rate, so that an SMS sent meanwhile need not wait for all of them.
    ///
    /// # Errors
    /// Those of [`Gateway::send`].
    pub async fn send_bulk(&self, caller: &Caller, sms: BulkSms) -> Result<Vec<Message>> {
        const SOURCE: &str = "/v1/messages/bulk-send";
        let user_id = caller.user_id.clone();
        self.write_within_quota(&caller.user_id, move |work| {
            let mut phone = work.sender(&user_id, &sms.from, "Install")?;
            work.spend_quota(&user_id, sms.to.len())?;
            let mut release = work.now;
            let mut accepted = Vec::with_capacity(sms.to.len());
            for to in &sms.to {
                let mut message = work.draft(&phone, SOURCE);
                message.contact.clone_from(to);
                message.content.clone_from(&sms.content);
                message.attachments = urls(&sms.attachments);
                message.encrypted = sms.encrypted;
                message.request_id.clone_from(&sms.request_id);
                accepted.push(work.accept(message, &mut phone, release)?);
                release = release + phone.spacing();
            }
            Ok(accepted)
        })
        .await
    }
}

pub(crate) fn urls(attachments: &[String]) -> Option<Urls> {
    (!attachments.is_empty()).then(|| Urls::new(attachments))
}

impl Work<'_, '_> {
    /// The account's phone that is to send. The wire's two routes spell the first word differently.
    fn sender(&mut self, user_id: &str, from: &PhoneNumber, install: &str) -> Result<Phone> {
        phone::owned(self.tx, user_id, from.as_str())?.ok_or_else(|| {
            let mut wrong = Fields::default();
            wrong.add("from", format!("no phone found with with 'from' number [{from}]. {install} the android app on your phone to start sending messages"));
            wrong.add("from", format!("could not validate 'from' number [{from}], please try again later"));
            Error::Invalid(wrong)
        })
    }

    /// An outgoing message of the phone, still without recipient and text.
    pub(crate) fn draft(&self, phone: &Phone, source: &str) -> Message {
        Message {
            kind: Kind::MobileTerminated,
            status: Status::Pending,
            sim: phone.sim,
            max_send_attempts: phone.attempts(),
            ..Message::blank(self.now, &phone.user_id, &phone.phone_number, source)
        }
    }

    /// Stores a message; releases it at once, or sets its timer to do so.
    pub(crate) fn accept(
        &mut self,
        mut message: Message,
        phone: &mut Phone,
        release: Time,
    ) -> Result<Message> {
        let accepted = message.clone();
        if release > self.now {
            message.due_at = Some(release);
            message.insert_apart(self.tx)?;
            self.timer(release);
            self.accepted_for_later(&message)?;
        } else {
            let slot = self.slot(&message, phone)?;
            schedule(&mut message, slot);
            self.thread_joined(&message)?;
            message.insert_into_thread(self.tx)?;
            self.released(&message, phone, slot)?;
        }
        self.use_uploads(&accepted)?;
        Ok(accepted)
    }

    /// Sends a text to somebody who called in vain.
    pub(super) fn auto_reply(
        &mut self,
        call: &Message,
        phone: &mut Phone,
        text: &str,
    ) -> Result<()> {
        let mut message = self.draft(phone, &call.source);
        message.contact.clone_from(&call.contact);
        text.clone_into(&mut message.content);
        message.request_id = Some(format!("missed-call-{}", call.id));
        self.accept(message, phone, self.now).map(drop)
    }

    /// Releases a message whose time has come.
    pub(crate) fn release(&mut self, mut message: Message, phone: &mut Phone) -> Result<()> {
        let slot = self.slot(&message, phone)?;
        schedule(&mut message, slot);
        self.save_schedule(&message)?;
        self.thread_joined(&message)?;
        self.released(&message, phone, slot)
    }

    /// Gives an expired message another slot, by the phone's rate even if the first was exact.
    pub(crate) fn retry_message(&mut self, mut message: Message, phone: &mut Phone) -> Result<()> {
        let retry = SendRetry::new(&message, self.now);
        self.append(
            event::Kind::MessageSendRetry,
            message.about(&message.source),
            &retry,
        )?;
        let slot = self.take_slot(phone, &message)?;
        schedule(&mut message, slot);
        self.save_schedule(&message)?;
        self.thread_moved(&message)?;
        self.scheduled(&message, phone, slot, false)
    }

    /// Gives a message another slot that has lost its own before its phone was woken.
    pub(crate) fn reschedule(&mut self, mut message: Message, phone: &mut Phone) -> Result<()> {
        let slot = self.slot(&message, phone)?;
        message.scheduled_at = Some(slot);
        message.order_timestamp = message.order_timestamp.max(slot);
        self.save_schedule(&message)?;
        self.thread_moved(&message)?;
        let exact = message.scheduled_send_time.is_some();
        self.scheduled(&message, phone, slot, exact)
    }

    fn slot(&mut self, message: &Message, phone: &mut Phone) -> Result<Time> {
        match message.scheduled_send_time {
            None => self.take_slot(phone, message),
            Some(exact) => {
                let slot = exact.max(self.now);
                self.keep_slot(phone, slot, message)?;
                Ok(slot)
            }
        }
    }

    fn save_schedule(&mut self, message: &Message) -> Result<()> {
        self.tx.send(
            "UPDATE message SET status = $2, scheduled_at = $3, order_timestamp = $4,
                 due_at = NULL, updated_at = $5
              WHERE id = $1",
            &[
                &message.id,
                &message.status,
                &message.scheduled_at,
                &message.order_timestamp,
                &self.now,
            ],
        )?;
        Ok(())
    }

    fn released(&mut self, message: &Message, phone: &Phone, slot: Time) -> Result<()> {
        let sent = ApiSent::new(message);
        self.append(
            event::Kind::MessageApiSent,
            message.about(&message.source),
            &sent,
        )?;
        self.scheduled(message, phone, slot, message.scheduled_send_time.is_some())
    }

    /// Tells of a message that its client wants to be sent later: until then nothing else happens to it.
    fn accepted_for_later(&mut self, message: &Message) -> Result<()> {
        if message.scheduled_send_time.is_none() {
            return Ok(());
        }
        let kind = event::Kind::MessageApiScheduled;
        self.append(kind, message.about(&message.source), &ApiSent::new(message))
    }

    fn scheduled(
        &mut self,
        message: &Message,
        phone: &Phone,
        slot: Time,
        exact: bool,
    ) -> Result<()> {
        let notification = id::new(self.now);
        let scheduled = NotificationScheduled::new(message, phone.id, slot, notification);
        let about = message.about(&message.source);
        self.append(event::Kind::MessageNotificationScheduled, about, &scheduled)?;
        self.queue_push(phone, message.id, notification, slot, exact)
    }
}

/// Moves a message to its slot.
fn schedule(message: &mut Message, slot: Time) {
    debug_assert!(Step::Schedule.next(message.status).is_some());
    message.status = Step::Schedule.to();
    message.scheduled_at = Some(slot);
    message.order_timestamp = message.order_timestamp.max(slot);
    message.due_at = None;
}

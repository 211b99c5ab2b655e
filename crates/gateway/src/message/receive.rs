//! What comes in: an SMS that a phone received, a call that it missed.

use super::payload::{CallMissed, PhoneReceived};
use super::{Kind, Message, Urls};
use crate::caller::Caller;
use crate::clock::Time;
use crate::phone::{self, Sim};
use crate::{Gateway, PhoneNumber, Result, Work, event};

/// An SMS that a phone received.
#[derive(Debug, Clone)]
pub struct ReceivedSms {
    /// Its id, made beforehand where attachments are stored under it.
    pub id: uuid::Uuid,
    /// The phone's number; it need not be a phone of the account.
    pub to: PhoneNumber,
    /// The sender: a number, short code or name.
    pub from: String,
    /// The text, or cipher text.
    pub content: String,
    /// Whether `content` is cipher text.
    pub encrypted: bool,
    /// The SIM it came by.
    pub sim: Sim,
    /// The phone's time.
    pub timestamp: Time,
    /// Where its attachments can be fetched.
    pub attachments: Vec<String>,
}

/// A call that a phone missed.
#[derive(Debug, Clone)]
pub struct MissedCall {
    /// The phone's number.
    pub to: PhoneNumber,
    /// The caller.
    pub from: String,
    /// The SIM it came by.
    pub sim: Sim,
    /// The phone's time.
    pub timestamp: Time,
}

impl Gateway {
    /// Stores an SMS that a phone received.
    ///
    /// # Errors
    /// [`crate::Error::NotBound`] if the caller's phone key does not hold the number.
    pub async fn receive(&self, caller: &Caller, sms: ReceivedSms) -> Result<Message> {
        caller.may_act_for(sms.to.as_str())?;
        let message = Message {
            id: sms.id,
            contact: sms.from,
            content: sms.content,
            encrypted: sms.encrypted,
            sim: sms.sim,
            attachments: Some(Urls::new(&sms.attachments)),
            received_at: Some(sms.timestamp),
            request_received_at: sms.timestamp,
            order_timestamp: sms.timestamp,
            ..Message::blank(
                self.now(),
                &caller.user_id,
                sms.to.as_str(),
                "/v1/messages/receive",
            )
        };
        // Everybody waits for the one who writes: what can be done before is not done there.
        let payload = event::data(&PhoneReceived::new(&message));
        self.write(move |work| {
            let message = work.take_in(message.clone())?;
            let about = message.about(&message.source);
            work.append(event::Kind::MessagePhoneReceived, about, &payload)?;
            Ok(message)
        })
        .await
    }

    /// Stores a call that a phone missed, and answers it if the phone's settings say so.
    ///
    /// # Errors
    /// [`crate::Error::NotBound`] if the caller's phone key does not hold the number.
    pub async fn miss_call(&self, caller: &Caller, call: MissedCall) -> Result<Message> {
        caller.may_act_for(call.to.as_str())?;
        let message = Message {
            kind: Kind::MissedCall,
            contact: call.from,
            sim: call.sim,
            request_received_at: call.timestamp,
            order_timestamp: call.timestamp,
            ..Message::blank(
                self.now(),
                &caller.user_id,
                call.to.as_str(),
                "/v1/messages/calls/missed",
            )
        };
        self.write(move |work| {
            let message = work.take_in(message.clone())?;
            let about = message.about(&message.source);
            work.append(
                event::Kind::MessageCallMissed,
                about,
                &CallMissed::new(&message),
            )?;
            work.answer_call(&message)?;
            Ok(message)
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Stores what came in, in the order of such times.
    fn take_in(&mut self, mut message: Message) -> Result<Message> {
        message.created_at = self.now;
        message.updated_at = self.now;
        self.thread_joined(&message)?;
        message.insert_into_thread(self.tx)?;
        Ok(message)
    }

    fn answer_call(&mut self, call: &Message) -> Result<()> {
        let Some(mut phone) = phone::owned(self.tx, &call.user_id, &call.owner)? else {
            return Ok(());
        };
        match phone.missed_call_auto_reply.clone() {
            Some(text) if !text.trim().is_empty() => self.auto_reply(call, &mut phone, &text),
            _ => Ok(()),
        }
    }
}

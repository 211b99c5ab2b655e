//! Reports: a phone says what became of a message.

use uuid::Uuid;

use super::payload::{PhoneDelivered, PhoneSent, SendFailed};
use super::{CANCELLED, COLUMNS, Kind, Message, Step, owned};
use crate::caller::Caller;
use crate::clock::Time;
use crate::mail::{Letter, Topic, readable};
use crate::names::names;
use crate::{Gateway, Result, Work, event};

/// What a phone reports, by the names of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// The SMS left the phone.
    Sent,
    /// It arrived.
    Delivered,
    /// It did not leave, or will not arrive.
    Failed,
}

names!(Reported { Sent => "SENT", Delivered => "DELIVERED", Failed => "FAILED" });

/// A report about one message.
#[derive(Debug, Clone)]
pub struct Report {
    /// What happened.
    pub event: Reported,
    /// When, by the phone's clock.
    pub timestamp: Time,
    /// Why it failed.
    pub reason: Option<String>,
}

/// Added to a reason that shows that the app may not send.
const PERMISSION_HINT: &str = " Allow the app to send SMS messages in the settings of the phone, see https://httpsms.com/blog/grant-send-and-read-sms-permissions-on-android";

impl Gateway {
    /// Takes a phone's report. A report that comes too late or twice changes nothing; either way the
    /// answer is the message as it stands now.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] for an unknown message, [`crate::Error::NotBound`] if the
    /// caller's phone key does not hold its number.
    pub async fn report(&self, caller: &Caller, id: Uuid, report: Report) -> Result<Message> {
        let caller = caller.clone();
        self.write(move |work| {
            let source = format!("/v1/messages/{id}/events");
            let reported = match report.event {
                Reported::Sent => work.sent(&caller.user_id, id, report.timestamp, &source)?,
                Reported::Delivered => {
                    work.delivered(&caller.user_id, id, report.timestamp, &source)?
                }
                Reported::Failed => {
                    let reason = reason(report.reason.as_deref());
                    work.failed(
                        &caller.user_id,
                        id,
                        report.timestamp,
                        &reason,
                        Some(&source),
                    )?
                }
            };
            let message = match reported {
                Some(message) => message,
                None => owned(work.tx, &caller.user_id, id)?,
            };
            // What the key may not report is undone with the transaction.
            caller.may_act_for(&message.owner)?;
            Ok(message)
        })
        .await
    }
}

fn reason(given: Option<&str>) -> String {
    match given {
        None => "UNKNOWN ERROR".to_owned(),
        Some(text) if text.contains("android.permission.SEND_SMS") => {
            format!("{text}{PERMISSION_HINT}")
        }
        Some(text) => text.to_owned(),
    }
}

/// What a mail tells of a message.
pub(super) fn facts(message: &Message, reason: Option<&str>) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Message", message.id.to_string()),
        ("From", readable(&message.owner)),
        ("To", readable(&message.contact)),
        (
            "Encrypted",
            if message.encrypted { "yes" } else { "no" }.to_owned(),
        ),
        ("Text", message.content.clone()),
    ];
    facts.extend(reason.map(|reason| ("Reason", reason.to_owned())));
    facts
}

impl Work<'_, '_> {
    fn sent(&mut self, user_id: &str, id: Uuid, at: Time, source: &str) -> Result<Option<Message>> {
        let sent: Option<Message> = self.tx.optional(
            &format!(
                "UPDATE message SET status = $3, sent_at = $4, send_time = ($4 - request_received_at) * 1000,
                     order_timestamp = CASE WHEN order_timestamp < $4 THEN $4 ELSE order_timestamp END,
                     due_at = NULL, updated_at = $5
                  WHERE id = $1 AND user_id = $2 AND status IN ({}) RETURNING {COLUMNS}",
                Step::Send.sources_sql()
            ),
            &[&id, &user_id, &Step::Send.to(), &at, &self.now],
        )?;
        if let Some(message) = &sent {
            self.settled(message)?;
            self.thread_moved(message)?;
            let payload = PhoneSent::new(message, at);
            self.append(
                event::Kind::MessagePhoneSent,
                message.about(source),
                &payload,
            )?;
        }
        Ok(sent)
    }

    fn delivered(
        &mut self,
        user_id: &str,
        id: Uuid,
        at: Time,
        source: &str,
    ) -> Result<Option<Message>> {
        let delivered: Option<Message> = self.tx.optional(
            &format!(
                "UPDATE message SET status = $3, delivered_at = $4,
                     send_time = COALESCE(send_time, ($4 - request_received_at) * 1000),
                     order_timestamp = CASE WHEN order_timestamp < $4 THEN $4 ELSE order_timestamp END,
                     due_at = NULL, updated_at = $5
                  WHERE id = $1 AND user_id = $2 AND status IN ({}) RETURNING {COLUMNS}",
                Step::Deliver.sources_sql()
            ),
            &[&id, &user_id, &Step::Deliver.to(), &at, &self.now],
        )?;
        if let Some(message) = &delivered {
            self.settled(message)?;
            self.thread_moved(message)?;
            let payload = PhoneDelivered::new(message, at);
            self.append(
                event::Kind::MessagePhoneDelivered,
                message.about(source),
                &payload,
            )?;
        }
        Ok(delivered)
    }

    /// Notes a failure, told by a request to `source`, or found while following up the message's own.
    pub(crate) fn failed(
        &mut self,
        user_id: &str,
        id: Uuid,
        at: Time,
        reason: &str,
        source: Option<&str>,
    ) -> Result<Option<Message>> {
        let failed: Option<Message> = self.tx.optional(
            &format!(
                "UPDATE message SET status = $3, failed_at = $4, failure_reason = $6,
                     order_timestamp = CASE WHEN order_timestamp < $4 THEN $4 ELSE order_timestamp END,
                     due_at = NULL, updated_at = $5
                  WHERE id = $1 AND user_id = $2 AND kind = $7 AND status IN ({})
                  RETURNING {COLUMNS}",
                Step::Fail.sources_sql()
            ),
            &[&id, &user_id, &Step::Fail.to(), &at, &self.now, &reason, &Kind::MobileTerminated],
        )?;
        if let Some(message) = &failed {
            self.settled(message)?;
            self.thread_moved(message)?;
            let payload = SendFailed::new(message, reason, at);
            let about = message.about(source.unwrap_or(&message.source));
            self.append(event::Kind::MessageSendFailed, about, &payload)?;
            if reason == CANCELLED {
                // Who did it knows.
                return Ok(failed);
            }
            let facts = facts(message, Some(reason));
            self.mail(Topic::MessageFailed, user_id, &message.owner, |_| Letter {
                subject: format!("An SMS to {} failed", readable(&message.contact)),
                opening: "One of your messages could not be sent.".to_owned(),
                facts,
            })?;
        }
        Ok(failed)
    }

    /// The phone need not be woken for it any more.
    fn settled(&mut self, message: &Message) -> Result<()> {
        if message.last_attempted_at.is_some() {
            // The claim has seen to it, unless a later retry queued another wake-up.
            if message.expired_at.is_none() {
                return Ok(());
            }
        }
        self.forget_wakeups(message.id)
    }
}

//! The event log: CloudEvents in the order they happened, appended by the transaction that caused them.

mod feed;
mod hearers;

use std::str::FromStr;

use db::{Later, Scalar};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::clock::Time;
use crate::delivery::Letter;
use crate::listen::FEED;
use crate::names::names;
use crate::webhook::filter::Subject;
use crate::{Gateway, Result, Work, id};

pub use feed::{Feed, Part};
pub(crate) use hearers::Hearers;

/// The types of events, by their names on the wire (contract: events, §1.2).
///
/// What the reference sends itself as timers (`message.send.expired.check`,
/// `message.notification.send`, `phone.heartbeat.check`) are due times of rows here, not events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A client asked for an SMS, and its time has come.
    MessageApiSent,
    /// A client asked for an SMS at a later time. Ours alone.
    MessageApiScheduled,
    /// A client deleted a message.
    MessageApiDeleted,
    /// The phone claimed a message.
    MessagePhoneSending,
    /// The phone sent the SMS.
    MessagePhoneSent,
    /// The SMS reached the recipient's phone.
    MessagePhoneDelivered,
    /// The phone received an SMS.
    MessagePhoneReceived,
    /// The phone missed a call.
    MessageCallMissed,
    /// The SMS could not be sent.
    MessageSendFailed,
    /// The phone did not report in time.
    MessageSendExpired,
    /// An expired message gets another slot.
    MessageSendRetry,
    /// A message has its slot.
    MessageNotificationScheduled,
    /// The wake-up left.
    MessageNotificationSent,
    /// The wake-up was refused.
    MessageNotificationFailed,
    /// A client deleted a thread, with its messages.
    MessageThreadApiDeleted,
    /// A send schedule was deleted.
    MessageSendScheduleDeleted,
    /// A phone was added or changed.
    PhoneUpdated,
    /// A phone was deleted.
    PhoneDeleted,
    /// A heartbeat is late; the phone is nudged.
    PhoneHeartbeatMissed,
    /// No heartbeat for an hour.
    PhoneHeartbeatOffline,
    /// A heartbeat after being offline.
    PhoneHeartbeatOnline,
    /// An account was made.
    UserAccountCreated,
    /// An account was deleted, with everything of it.
    UserAccountDeleted,
    /// An account's key was changed.
    UserApiKeyRotated,
    /// A webhook could not be reached within its retries.
    WebhookSendFailed,
    /// A received message could not be shown on Discord.
    DiscordSendFailed,
    /// A webhook was paused, by its owner or because it failed for days. Ours alone.
    WebhookPaused,
}

names!(Kind {
    MessageApiSent => "message.api.sent",
    MessageApiScheduled => "message.api.scheduled",
    MessageApiDeleted => "message.api.deleted",
    MessagePhoneSending => "message.phone.sending",
    MessagePhoneSent => "message.phone.sent",
    MessagePhoneDelivered => "message.phone.delivered",
    MessagePhoneReceived => "message.phone.received",
    MessageCallMissed => "message.call.missed",
    MessageSendFailed => "message.send.failed",
    MessageSendExpired => "message.send.expired",
    MessageSendRetry => "message.send.retry",
    MessageNotificationScheduled => "message.notification.scheduled",
    MessageNotificationSent => "message.notification.sent",
    MessageNotificationFailed => "message.notification.failed",
    MessageThreadApiDeleted => "message-thread.api.deleted",
    MessageSendScheduleDeleted => "message-send-schedule.deleted",
    PhoneUpdated => "phone.updated",
    PhoneDeleted => "phone.deleted",
    PhoneHeartbeatMissed => "phone.heartbeat.missed",
    PhoneHeartbeatOffline => "phone.heartbeat.offline",
    PhoneHeartbeatOnline => "phone.heartbeat.online",
    UserAccountCreated => "user.account.created",
    UserAccountDeleted => "user.account.deleted",
    UserApiKeyRotated => "user.api-key.rotated",
    WebhookSendFailed => "webhook.send.failed",
    DiscordSendFailed => "discord.send.failed",
    WebhookPaused => "webhook.paused",
});

impl Kind {
    /// The eight that a webhook can ask for.
    pub const FOR_WEBHOOKS: [Self; 8] = [
        Self::MessagePhoneReceived,
        Self::MessagePhoneSent,
        Self::MessagePhoneDelivered,
        Self::MessageSendFailed,
        Self::MessageSendExpired,
        Self::MessageCallMissed,
        Self::PhoneHeartbeatOffline,
        Self::PhoneHeartbeatOnline,
    ];

    /// The type that a webhook asks for by this name.
    pub fn for_webhook(name: &str) -> Option<Self> {
        Self::from_str(name)
            .ok()
            .filter(|kind| Self::FOR_WEBHOOKS.contains(kind))
    }
}

/// Whose event it is and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The account.
    pub user_id: &'a str,
    /// The account's phone number that it concerns, if any: what webhooks choose by.
    pub owner: Option<&'a str>,
    /// The path of the request that caused it, never with its query.
    pub source: &'a str,
    /// The message that it concerns, if any: what filters look at.
    pub message: Option<Subject<'a>>,
}

/// A structured-mode CloudEvent, in the order of the wire.
#[derive(Serialize)]
struct CloudEvent<'a, D> {
    specversion: &'static str,
    id: Uuid,
    source: &'a str,
    r#type: Kind,
    datacontenttype: &'static str,
    time: Time,
    /// An extension attribute, only there on made-up events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    data: &'a D,
}

db::row! {
    /// An event as it was recorded.
    #[derive(Debug, Clone)]
    pub struct Recorded {
        /// Its place in the log.
        pub seq: i64,
        /// Its id.
        pub id: Uuid,
        /// Its type.
        pub kind: Kind,
        /// The CloudEvent as JSON, byte for byte as webhooks get it.
        pub body: String,
    }
}

impl Gateway {
    /// The account's events after this place in the log, in order.
    pub async fn events(&self, user_id: &str, after: i64, limit: i64) -> Result<Vec<Recorded>> {
        let user_id = user_id.to_owned();
        self.scan(move |tx| {
            Ok(tx.all(
                "SELECT seq, id, kind, body FROM event WHERE user_id = $1 AND seq > $2
                  ORDER BY seq LIMIT $3",
                &[&user_id, &after, &limit],
            )?)
        })
        .await
    }
}

/// An event that is on its way into the log.
struct Appended {
    seq: Later<Scalar<i64>>,
    id: Uuid,
    kind: Kind,
    body: String,
}

impl Appended {
    /// It, now that it is there.
    fn letter(self) -> Result<Letter> {
        let Scalar(seq) = self.seq.take().pop().ok_or(db::Error::NoRow)?;
        Ok(Letter {
            seq,
            id: self.id,
            kind: self.kind,
            body: self.body.into(),
        })
    }
}

impl Work<'_, '_> {
    /// Appends an event to the log and queues it for every webhook that wants it, and for Discord.
    pub(crate) fn append(
        &mut self,
        kind: Kind,
        about: About<'_>,
        data: &impl Serialize,
    ) -> Result<()> {
        if !Kind::FOR_WEBHOOKS.contains(&kind) {
            return self.record(kind, about, data, false).map(drop);
        }
        let asked = self.ask_for_hearers(kind, about.user_id)?;
        let recorded = self.record(kind, about, data, false)?;
        self.tx.wait()?;
        let letter = recorded.letter()?;
        let hearers = self.hearers(asked, about.user_id);
        self.queue_for_webhooks(&hearers.webhooks, about, &letter)?;
        if kind != Kind::MessagePhoneReceived {
            return Ok(());
        }
        let mut discords = hearers.discords.iter();
        discords.try_for_each(|Scalar(id)| self.queue_for_discord(about.user_id, *id, &letter))
    }

    /// Appends a made-up event, which is queued for nobody; its place in the log.
    pub(crate) fn append_test(
        &mut self,
        kind: Kind,
        about: About<'_>,
        data: &impl Serialize,
    ) -> Result<i64> {
        let recorded = self.record(kind, about, data, true)?;
        self.tx.wait()?;
        Ok(recorded.letter()?.seq)
    }

    fn record(
        &mut self,
        kind: Kind,
        about: About<'_>,
        data: &impl Serialize,
        test: bool,
    ) -> Result<Appended> {
        let id = id::new(self.now);
        let body = sure(serde_json::to_string(&CloudEvent {
            specversion: "1.0",
            id,
            source: about.source,
            r#type: kind,
            datacontenttype: "application/json",
            time: self.now,
            test,
            data,
        }));
        let seq = self.tx.insert(
            "INSERT INTO event (id, user_id, kind, owner, time, test, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            "seq",
            &[
                &id,
                &about.user_id,
                &kind,
                &about.owner,
                &self.now,
                &test,
                &body,
            ],
        )?;
        self.tell_followers(about.user_id)?;
        Ok(Appended {
            seq,
            id,
            kind,
            body,
        })
    }

    /// Once it is committed, wakes those who follow the account. One who begins to in this very
    /// moment looks by itself.
    fn tell_followers(&mut self, user_id: &str) -> Result<()> {
        let followers = self.gateway.wake.followers();
        let here = followers.are_here(user_id);
        if followers.are_elsewhere(user_id, self.now) {
            self.tx.notify(FEED, user_id)?;
        }
        if here {
            let user_id = user_id.to_owned();
            self.on_commit(move |gateway| gateway.wake.followers().tell(&user_id));
        }
        Ok(())
    }
}

/// An event's data, written beforehand.
pub(crate) fn data(data: &impl Serialize) -> Box<RawValue> {
    sure(serde_json::value::to_raw_value(data))
}

fn sure<T>(json: serde_json::Result<T>) -> T {
    match json {
        Ok(json) => json,
        Err(_) => unreachable!("event payloads are structs of texts, numbers and times"),
    }
}

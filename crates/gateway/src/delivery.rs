//! What is still to be carried to the world: one row per webhook and event, or per wake-up of a phone.
//!
//! A row is made in the transaction of its cause and handed to the courier by that commit, so nobody
//! asks the database for work. The courier plans in memory and reports back in batches. What does
//! not fit in its memory waits on disk and is loaded when there is room.
//! `docs/adr/0002-deliveries.md` has the reasons.

mod handoff;
mod lease;
mod log;
mod purge;
mod queue;
mod settle;

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::clock::Time;
use crate::names::names;
use crate::webhook::SigningKey;
use crate::webhook::policy::Policy;
use crate::{PushData, event};

pub(crate) use handoff::Handoff;
pub use lease::{LEASE, Rest};
pub use log::{Attempt, BODY_LIMIT, Cause, Detail, Seen, State, Summary, Wanted};
pub(crate) use settle::Done;

/// The lease whose holder carries, and the channel on which other nodes tell it of new work.
pub(crate) const COURIER: &str = "courier";

/// The epoch of rows that no courier holds in memory.
const ON_DISK: i64 = 0;

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An event for a webhook; the target is the webhook.
    Webhook,
    /// A wake-up; the target is the phone.
    Push,
    /// A mail; the target is [`crate::mail::SERVER`].
    Mail,
    /// An event for a Discord channel; the target is the connection to its server.
    Discord,
}

names!(Kind { Webhook => "webhook", Push => "push", Mail => "mail", Discord => "discord" });

/// One piece of work, as the courier plans with it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The row's key.
    pub id: i64,
    /// What it is.
    pub kind: Kind,
    /// The webhook or phone it goes to.
    pub target: Uuid,
    /// The event to carry; none for a wake-up.
    pub letter: Option<Letter>,
    /// The message to wake the phone for; none for a heartbeat nudge.
    pub message_id: Option<Uuid>,
    /// The name of a wake-up, or of a mail.
    pub notification_id: Option<Uuid>,
    /// For an exact send time: the phone's rate does not hold it back.
    pub exact: bool,
    /// The attempt that comes next, from 1.
    pub attempt: i64,
    /// Not before.
    pub due_at: Time,
    /// For a wake-up: when it stops being worth a try.
    pub expires_at: Option<Time>,
    /// For a webhook: why it is made.
    pub cause: Cause,
    /// For a webhook that wants order: deliveries with the same key leave one after the other.
    pub order_key: Option<i64>,
    /// For a webhook: its version when this was read, see [`Endpoint::version`].
    pub version: i64,
}

impl Delivery {
    /// The webhook that gets the event because it happened.
    pub fn live_webhook(&self) -> Option<Uuid> {
        (self.kind == Kind::Webhook && self.cause == Cause::Live).then_some(self.target)
    }
}

/// An event as it is sent, byte for byte.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The event's place in the log.
    pub seq: i64,
    /// The event's id.
    pub id: Uuid,
    /// The CloudEvent's type, for `X-Event-Type`.
    pub kind: event::Kind,
    /// The CloudEvent as JSON.
    pub body: Bytes,
}

/// News for the courier, told by the commit that made them true.
#[derive(Debug)]
pub enum News {
    /// Work to plan.
    Due(Vec<Delivery>),
    /// There are rows for this target on disk, the first due then.
    Waiting(Uuid, Time),
    /// The webhook was changed or deleted: forget what is known of it.
    Changed(Uuid),
}

/// Where a webhook's events go.
#[derive(Clone)]
pub struct Endpoint {
    /// The webhook.
    pub id: Uuid,
    /// Its owner, the `sub` of the token.
    pub user_id: String,
    /// Absolute http or https URL.
    pub url: String,
    /// Its signing keys in the order they become active. An empty one: no token is sent.
    pub keys: Vec<SigningKey>,
    /// How it wants to be told.
    pub policy: Policy,
    /// Extra headers; an `Authorization` among them takes the token's place.
    pub headers: Vec<(String, String)>,
    /// Nothing is to be sent now: settle as [`Outcome::Parked`].
    pub paused: bool,
    /// Counts changes of the webhook: a delivery with another version calls for a fresh copy.
    pub version: i64,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The delivery.
    pub id: i64,
    /// The attempt this is about. If the row has moved on, the settlement changes nothing.
    pub attempt: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// The event that was carried.
    pub letter: Option<Letter>,
    /// See [`Delivery::live_webhook`]: when the event has arrived there, nothing else is needed of
    /// the row.
    pub live_webhook: Option<Uuid>,
    /// What was seen of an attempt at a webhook, for the log.
    pub seen: Option<Box<Seen>>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The webhook answered 2xx, or the mail server took the mail.
    Delivered,
    /// The push service took the wake-up, started at this time.
    Pushed {
        /// The service's name for it.
        push_id: String,
        /// When the attempt began.
        at: Time,
    },
    /// The phone fetches its wake-ups itself: put it in its mailbox.
    Offered {
        /// When it was offered.
        at: Time,
    },
    /// Try again then.
    Retry {
        /// Not before.
        due_at: Time,
        /// The courier keeps it in memory; otherwise it waits on disk.
        held: bool,
    },
    /// It was not attempted, because its webhook is paused: it waits on disk.
    Parked,
    /// Given up.
    Dead {
        /// The HTTP status of the last answer, if there was one.
        status: Option<u16>,
        /// What went wrong, in words for the account's owner.
        error: String,
    },
    /// Nobody wants it any more: the webhook or message is gone, or the phone already has the message.
    Dropped,
}

/// What to do with a wake-up that is due.
#[derive(Debug, Clone)]
pub enum PushPlan {
    /// Send it to the push service.
    Send {
        /// The phone's token.
        token: String,
        /// The phone's number.
        owner: String,
        /// What it asks for.
        data: PushData,
        /// How long the service keeps it for a phone that is off.
        ttl: Option<Duration>,
        /// Whether it may wake a sleeping phone.
        high_priority: bool,
    },
    /// Put it in the phone's mailbox: settle it as [`Outcome::Offered`].
    Offer,
    /// The phone's rate says: not before then. No attempt is counted; ask again then.
    Later(Time),
    /// It cannot be sent: settle it as [`Outcome::Dead`] with these words.
    Fail(String),
    /// Nobody wants it any more: settle it as [`Outcome::Dropped`].
    Drop,
}

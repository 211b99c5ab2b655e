//! Messages: what they are, and the one table of how their status changes.
//!
//! `docs/states.md` draws the table. Each operation has a file of its own beside this one.

mod cancel;
mod claim;
mod delete;
mod list;
mod payload;
mod push;
mod receive;
mod report;
mod resend;
mod send;
mod timeline;
mod timer;
mod waiting;

use std::sync::LazyLock;

use db::{Engine, Tx};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::clock::Time;
use crate::event::About;
use crate::names::names;
use crate::phone::Sim;
use crate::segment::{self, Encoding};
use crate::webhook::filter::Subject;
use crate::{Error, Result, id, many};

pub(crate) use cancel::CANCELLED;
pub use delete::Deleted;
pub use list::Between;
pub use receive::{MissedCall, ReceivedSms};
pub use report::{Report, Reported};
pub(crate) use send::urls;
pub use send::{BulkSms, SEND_AT_LIMIT, SendSms};
pub use timeline::{Moment, Timeline};
pub(crate) use waiting::waiting;
pub use waiting::{Awaited, Waiting};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sent by the account.
    MobileTerminated,
    /// Received by a phone.
    MobileOriginated,
    /// A call that the phone missed.
    MissedCall,
}

names!(Kind {
    MobileTerminated => "mobile-terminated",
    MobileOriginated => "mobile-originated",
    MissedCall => "call/missed",
});

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Accepted; its time has not come.
    Pending,
    /// Has a slot; the phone is or was woken for it.
    Scheduled,
    /// The phone has it.
    Sending,
    /// The phone sent it.
    Sent,
    /// It reached the recipient's phone.
    Delivered,
    /// It was not sent, or did not arrive.
    Failed,
    /// The phone did not report in time.
    Expired,
    /// Came in.
    Received,
}

names!(Status {
    Pending => "pending",
    Scheduled => "scheduled",
    Sending => "sending",
    Sent => "sent",
    Delivered => "delivered",
    Failed => "failed",
    Expired => "expired",
    Received => "received",
});

/// What can happen to an outgoing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It got a slot.
    Schedule,
    /// The phone fetched it.
    Claim,
    /// The phone reports `SENT`.
    Send,
    /// The phone reports `DELIVERED`.
    Deliver,
    /// The phone reports `FAILED`, or it could not be woken.
    Fail,
    /// The time for a report ran out.
    Expire,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 6] = [
        Self::Schedule,
        Self::Claim,
        Self::Send,
        Self::Deliver,
        Self::Fail,
        Self::Expire,
    ];

    /// Where the step leads.
    pub const fn to(self) -> Status {
        match self {
            Self::Schedule => Status::Scheduled,
            Self::Claim => Status::Sending,
            Self::Send => Status::Sent,
            Self::Deliver => Status::Delivered,
            Self::Fail => Status::Failed,
            Self::Expire => Status::Expired,
        }
    }

    /// Where the step may come from. From anywhere else it changes nothing and makes no event
    /// (contract: events, §2.3, without its repetitions of finished steps).
    pub const fn sources(self) -> &'static [Status] {
        use Status::{Expired, Pending, Scheduled, Sending, Sent};
        match self {
            Self::Schedule => &[Pending, Expired],
            Self::Claim => &[Pending, Scheduled, Expired],
            // A phone may report late, or without having fetched the message through this server.
            Self::Send => &[Scheduled, Sending, Expired],
            Self::Deliver => &[Scheduled, Sending, Sent, Expired],
            // A negative delivery report comes after `SENT`.
            Self::Fail => &[Pending, Scheduled, Sending, Sent, Expired],
            Self::Expire => &[Pending, Scheduled, Sending],
        }
    }

    /// The status after the step, if it may be taken from here.
    pub fn next(self, status: Status) -> Option<Status> {
        self.sources().contains(&status).then(|| self.to())
    }

    /// [`Step::sources`] as SQL, for `status IN (…)`.
    fn sources_sql(self) -> &'static str {
        match self {
            Self::Schedule => "'pending','expired'",
            Self::Claim => "'pending','scheduled','expired'",
            Self::Send => "'scheduled','sending','expired'",
            Self::Deliver => "'scheduled','sending','sent','expired'",
            Self::Fail => "'pending','scheduled','sending','sent','expired'",
            Self::Expire => "'pending','scheduled','sending'",
        }
    }
}

/// A JSON array of URLs, kept and shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls(String);

db::column!(Urls as String);

impl Urls {
    /// These URLs.
    pub fn new(urls: &[String]) -> Self {
        Self(serde_json::to_string(urls).unwrap_or_else(|_| "[]".to_owned()))
    }

    /// One by one.
    pub(crate) fn texts(&self) -> Vec<String> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == "[]"
    }

    /// The URLs.
    pub fn list(&self) -> Vec<String> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl Serialize for Urls {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

db::row! {
    /// A message, with the members of the wire's Message in its order (contract: API, §3.1).
    #[derive(Debug, Clone, Serialize)]
    pub struct Message {
        /// Its id.
        pub id: Uuid,
        /// The client's own name for it.
        pub request_id: Option<String>,
        /// The account's phone number.
        pub owner: String,
        /// The account.
        pub user_id: String,
        /// The other side: a number, short code or name.
        pub contact: String,
        /// The text; empty for a missed call.
        pub content: String,
        /// URLs of what comes with it.
        pub attachments: Option<Urls>,
        /// Whether the text is cipher text, which only phone and client can read.
        pub encrypted: bool,
        /// What it is.
        #[serde(rename = "type")]
        pub kind: Kind,
        /// Where it stands.
        pub status: Status,
        /// The SIM it goes through or came by.
        pub sim: Sim,
        /// Nanoseconds from the request to the phone's `SENT`.
        pub send_time: Option<i64>,
        /// When the request came; for what a phone received, the phone's own time.
        pub request_received_at: Time,
        /// When it was stored.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// What lists are sorted by; only moves forward.
        pub order_timestamp: Time,
        /// When the phone fetched it.
        pub last_attempted_at: Option<Time>,
        /// Its slot.
        pub scheduled_at: Option<Time>,
        /// When the phone sent it, by the phone's clock.
        pub sent_at: Option<Time>,
        /// When the client wants it sent.
        pub scheduled_send_time: Option<Time>,
        /// When it reached the recipient, by the phone's clock.
        pub delivered_at: Option<Time>,
        /// When it expired last.
        pub expired_at: Option<Time>,
        /// When it failed.
        pub failed_at: Option<Time>,
        /// Wake-ups that left for it.
        pub send_attempt_count: i64,
        /// Wake-ups at most.
        pub max_send_attempts: i64,
        /// When the phone received it, by the phone's clock.
        pub received_at: Option<Time>,
        /// Why it failed, in words.
        pub failure_reason: Option<String>,
        #[serde(skip)]
        pub(crate) source: String,
        #[serde(skip)]
        pub(crate) due_at: Option<Time>,
    }
}

/// The columns of [`Message`], in its order.
pub(crate) const COLUMNS: &str =
    "id, request_id, owner, user_id, contact, content, attachments, encrypted,
    kind, status, sim, send_time, request_received_at, created_at, updated_at, order_timestamp,
    last_attempted_at, scheduled_at, sent_at, scheduled_send_time, delivered_at, expired_at,
    failed_at, send_attempt_count, max_send_attempts, received_at, failure_reason, source, due_at";

impl Message {
    /// One that comes in on this number now, still without the other side and a text.
    fn blank(now: Time, user_id: &str, owner: &str, source: &str) -> Self {
        Self {
            id: id::new(now),
            request_id: None,
            owner: owner.to_owned(),
            user_id: user_id.to_owned(),
            contact: String::new(),
            content: String::new(),
            attachments: None,
            encrypted: false,
            kind: Kind::MobileOriginated,
            status: Status::Received,
            sim: Sim::Sim1,
            send_time: None,
            request_received_at: now,
            created_at: now,
            updated_at: now,
            order_timestamp: now,
            last_attempted_at: None,
            scheduled_at: None,
            sent_at: None,
            scheduled_send_time: None,
            delivered_at: None,
            expired_at: None,
            failed_at: None,
            send_attempt_count: 0,
            max_send_attempts: 0,
            received_at: None,
            failure_reason: None,
            source: source.to_owned(),
            due_at: None,
        }
    }

    /// How its text goes over the air, and in how many segments: not known of cipher text, which
    /// the phone reads first, and nothing of a missed call.
    pub fn on_air(&self) -> Option<(Encoding, usize)> {
        if self.encrypted || self.kind == Kind::MissedCall {
            return None;
        }
        let segments = segment::split(&self.content);
        Some((segments.encoding, segments.parts.len()))
    }

    /// Segments that it takes of its phone's limits: of cipher text about as many as what is in it.
    pub(crate) fn weight(&self) -> i64 {
        let count = match self.on_air() {
            Some((_, count)) => count,
            None => segment::of_cipher_text(&self.content),
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Who its events are about, caused by a request to this path.
    fn about<'a>(&'a self, source: &'a str) -> About<'a> {
        About {
            user_id: &self.user_id,
            owner: Some(&self.owner),
            source,
            message: Some(Subject {
                contact: &self.contact,
                content: &self.content,
                encrypted: self.encrypted,
                sim: self.sim,
                kind: self.kind,
            }),
        }
    }

    /// Stores it as a part of its thread, which is there.
    fn insert_into_thread(&self, tx: &mut Tx<'_>) -> Result<()> {
        match tx.engine() {
            Engine::Sqlite => self.insert(tx, &INSERT_INTO_THREAD),
            Engine::Postgres => self.insert(tx, &INSERT),
        }
    }

    /// Stores it apart from its thread, which it joins later.
    fn insert_apart(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.insert(tx, &INSERT)
    }

    fn insert(&self, tx: &mut Tx<'_>, sql: &str) -> Result<()> {
        tx.send(
            sql,
            &[
                &self.id,
                &self.request_id,
                &self.owner,
                &self.user_id,
                &self.contact,
                &self.content,
                &self.attachments,
                &self.encrypted,
                &self.kind,
                &self.status,
                &self.sim,
                &self.send_time,
                &self.request_received_at,
                &self.created_at,
                &self.updated_at,
                &self.order_timestamp,
                &self.last_attempted_at,
                &self.scheduled_at,
                &self.sent_at,
                &self.scheduled_send_time,
                &self.delivered_at,
                &self.expired_at,
                &self.failed_at,
                &self.send_attempt_count,
                &self.max_send_attempts,
                &self.received_at,
                &self.failure_reason,
                &self.source,
                &self.due_at,
            ],
        )?;
        Ok(())
    }
}

static INSERT: LazyLock<String> =
    LazyLock::new(|| format!("INSERT INTO message ({COLUMNS}) VALUES ({})", values()));

static INSERT_INTO_THREAD: LazyLock<String> = LazyLock::new(|| {
    let values = values();
    format!(
        "INSERT INTO message ({COLUMNS}, thread_seq) VALUES ({values},
             (SELECT seq FROM thread WHERE user_id = $4 AND owner = $3 AND contact = $5))"
    )
});

/// For [`COLUMNS`].
fn values() -> String {
    many::list(1, 29)
}

/// The ids of a conversation's messages that meet a condition, `rest` of them, such as the first ones by an
/// order. The first three parameters are the account, the number and the contact.
///
/// On SQLite these may be twice as many: those that joined the conversation's thread when they were stored
/// have its number, and the others are found by the three texts. No thread goes before the messages that have
/// its number: it goes when all that is left waits to be released, and no message waits for that again.
pub(crate) fn between(engine: Engine, condition: &str, rest: &str) -> String {
    let by_texts = format!(
        "user_id = $1 AND owner = $2 AND contact = $3
            AND {condition} {rest}"
    );
    match engine {
        Engine::Postgres => format!("SELECT id FROM message WHERE {by_texts}"),
        Engine::Sqlite => format!(
            "SELECT id FROM (SELECT id FROM message
                  WHERE thread_seq =
                      (SELECT seq FROM thread WHERE user_id = $1 AND owner = $2 AND contact = $3)
                    AND {condition} {rest})
              UNION ALL
             SELECT id FROM (SELECT id FROM message WHERE thread_seq IS NULL AND {by_texts})"
        ),
    }
}

/// The account's message with this id.
fn owned(tx: &mut Tx<'_>, user_id: &str, id: Uuid) -> Result<Message> {
    tx.optional(
        &format!("SELECT {COLUMNS} FROM message WHERE id = $1 AND user_id = $2"),
        &[&id, &user_id],
    )?
    .ok_or_else(|| unknown(id))
}

fn unknown(id: Uuid) -> Error {
    Error::not_found(format!("cannot find message with ID [{id}]"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows are steps, columns are statuses in the order of [`Status::ALL`]; `-` changes nothing.
    const TABLE: [(Step, [&str; 8]); 6] = [
        (
            Step::Schedule,
            ["scheduled", "-", "-", "-", "-", "-", "scheduled", "-"],
        ),
        (
            Step::Claim,
            ["sending", "sending", "-", "-", "-", "-", "sending", "-"],
        ),
        (
            Step::Send,
            ["-", "sent", "sent", "-", "-", "-", "sent", "-"],
        ),
        (
            Step::Deliver,
            [
                "-",
                "delivered",
                "delivered",
                "delivered",
                "-",
                "-",
                "delivered",
                "-",
            ],
        ),
        (
            Step::Fail,
            [
                "failed", "failed", "failed", "failed", "-", "-", "failed", "-",
            ],
        ),
        (
            Step::Expire,
            ["expired", "expired", "expired", "-", "-", "-", "-", "-"],
        ),
    ];

    #[test]
    fn the_states_are_those_of_the_table() {
        for (step, row) in TABLE {
            for (status, expected) in Status::ALL.into_iter().zip(row) {
                let next = step.next(status).map_or("-", Status::as_str);
                assert_eq!(next, expected, "{step:?} from {status}");
            }
        }
    }

    #[test]
    fn the_sql_says_the_same_as_the_table() {
        for step in Step::ALL {
            let names: Vec<_> = step
                .sources()
                .iter()
                .map(|status| format!("'{status}'"))
                .collect();
            assert_eq!(step.sources_sql(), names.join(","));
        }
    }

    proptest! {
        /// Whatever comes in whatever order: what is delivered, failed or received stays so, what
        /// is sent only moves on, and the same step twice is the same as once.
        #[test]
        fn no_order_of_steps_goes_backwards(steps in prop::collection::vec(0..6_usize, 0..40)) {
            let mut status = Status::Pending;
            for step in steps.into_iter().map(|at| Step::ALL[at]) {
                let Some(next) = step.next(status) else { continue };
                match status {
                    Status::Delivered | Status::Failed | Status::Received => {
                        prop_assert!(false, "{status} left by {step:?}");
                    }
                    Status::Sent => prop_assert!(matches!(next, Status::Delivered | Status::Failed)),
                    _ => prop_assert_ne!(next, Status::Pending),
                }
                prop_assert_eq!(step.next(next), None);
                status = next;
            }
        }
    }
}

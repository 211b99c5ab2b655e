//! The timeline of a message: what happened to it, from the log, and what it waits for.
//!
//! The log has an index of messages for what seldom happens to one: that it expired, was retried, could
//! not be woken for. The rest is looked for around the times that the message and those events know,
//! and what the log does not have any more the message tells.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use db::{Engine, Scalar, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Message, Waiting, owned, waiting};
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Result, event, phone, schedule};

/// Events of the account that are looked at around each known time.
const NEAR: i64 = 2000;

/// How much earlier than a known time its events may say they happened: on PostgreSQL
/// transactions do not commit in the order in which they began.
const SLACK: Duration = Duration::from_secs(1);

/// What happened to a message, and what it waits for.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// What happened, the earliest first.
    pub steps: Vec<Moment>,
    /// Why it is where it is, in words; null if nothing more is to come.
    pub waiting: Option<String>,
    /// Until when it waits.
    pub waiting_until: Option<Time>,
    /// The same for programs.
    pub waiting_for: Option<Waiting>,
}

/// Something that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When, by the server's clock where the log still knows.
    pub at: Time,
    /// What: `accepted`, `scheduled`, `woken`, `claimed`, `sent`, `delivered`, `failed`, `expired`,
    /// `retried`, `wake_up_failed`, `received` or `missed`.
    pub step: &'static str,
    /// More about it, in words.
    pub detail: Option<String>,
    /// Why it went wrong.
    pub reason: Option<String>,
    /// Of `accepted`: the time that was asked for, if any; of `scheduled`: its slot.
    pub scheduled_at: Option<Time>,
    /// Of `expired`: which wake-up it was, from 1.
    pub attempt: Option<i64>,
    /// Of `expired`: whether that was the last one.
    pub is_final: Option<bool>,
}

db::row! {
    struct Logged { seq: i64, kind: event::Kind, time: Time, body: String }

    struct Place { seq: i64, time: Time }

    struct Ends { low: Option<i64>, high: Option<i64> }
}

/// What is read of an event.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    scheduled_at: Option<String>,
    error_message: Option<String>,
    send_attempt_count: Option<i64>,
    is_final: Option<bool>,
}

impl Gateway {
    /// The timeline of one message of the caller's account.
    pub async fn timeline(&self, caller: &Caller, id: Uuid) -> Result<Timeline> {
        let (user_id, now) = (caller.user_id.clone(), self.now());
        self.read(move |tx| {
            let message = owned(tx, &user_id, id)?;
            let mut steps = vec![first(&message)];
            steps.extend(logged(tx, &message)?.iter().filter_map(moment));
            let missing = known(&message).into_iter().filter(|known| {
                let told = |step: &Moment| step.step == known.step;
                !steps.iter().any(told)
            });
            let missing: Vec<Moment> = missing.collect();
            steps.extend(missing);
            steps.sort_by_key(|step| step.at);
            let phone = phone::found(tx, &user_id, &message.owner)?;
            let week = match &phone {
                Some(phone) => schedule::week_of(tx, phone)?,
                None => None,
            };
            let waiting = waiting(tx, &message, phone.as_ref(), week.as_ref(), now)?;
            Ok(Timeline {
                steps,
                waiting: waiting.as_ref().map(Waiting::words),
                waiting_until: waiting.as_ref().and_then(|waiting| waiting.until),
                waiting_for: waiting,
            })
        })
        .await
    }
}

fn plain(at: Time, step: &'static str) -> Moment {
    Moment {
        at,
        step,
        detail: None,
        reason: None,
        scheduled_at: None,
        attempt: None,
        is_final: None,
    }
}

/// How it came.
fn first(message: &Message) -> Moment {
    let asked = message.scheduled_send_time;
    let step = match message.kind {
        super::Kind::MobileTerminated => "accepted",
        super::Kind::MobileOriginated => "received",
        super::Kind::MissedCall => "missed",
    };
    Moment {
        detail: asked.map(|at| format!("to be sent at {at}")),
        scheduled_at: asked,
        ..plain(message.created_at, step)
    }
}

/// What the message knows of itself.
fn known(message: &Message) -> Vec<Moment> {
    let times = [
        (message.last_attempted_at, "claimed"),
        (message.expired_at, "expired"),
        (message.sent_at, "sent"),
        (message.delivered_at, "delivered"),
        (message.failed_at, "failed"),
    ];
    let known = times
        .into_iter()
        .filter_map(|(at, step)| at.map(|at| plain(at, step)));
    known
        .map(|moment| Moment {
            reason: message
                .failure_reason
                .clone()
                .filter(|_| moment.step == "failed"),
            ..moment
        })
        .collect()
}

/// What an event of the log says.
fn moment(event: &Logged) -> Option<Moment> {
    use event::Kind;
    let Body { data } = serde_json::from_str(&event.body).unwrap_or_default();
    let (step, detail) = match event.kind {
        Kind::MessageNotificationScheduled => {
            let slot = data.scheduled_at.as_ref();
            let slot = slot.map(|at| format!("its slot is {at}"));
            ("scheduled", slot)
        }
        Kind::MessageNotificationSent => ("woken", None),
        Kind::MessageNotificationFailed => ("wake_up_failed", None),
        Kind::MessagePhoneSending => ("claimed", None),
        Kind::MessagePhoneSent => ("sent", None),
        Kind::MessagePhoneDelivered => ("delivered", None),
        Kind::MessageSendFailed => ("failed", None),
        Kind::MessageSendExpired => ("expired", expiry(&data)),
        Kind::MessageSendRetry => ("retried", None),
        _ => return None,
    };
    let is_expiry = event.kind == Kind::MessageSendExpired;
    Some(Moment {
        detail,
        scheduled_at: data
            .scheduled_at
            .filter(|_| step == "scheduled")
            .and_then(|at| at.parse().ok()),
        attempt: data.send_attempt_count.filter(|_| is_expiry),
        is_final: data.is_final.filter(|_| is_expiry),
        reason: data.error_message,
        ..plain(event.time, step)
    })
}

fn expiry(data: &Data) -> Option<String> {
    let attempt = data.send_attempt_count?;
    let last = if data.is_final == Some(true) {
        ", the last one"
    } else {
        ""
    };
    Some(format!("no report after wake-up {attempt}{last}"))
}

/// The message's events that are found, in their order.
fn logged(tx: &mut Tx<'_>, message: &Message) -> Result<Vec<Logged>> {
    let times = [
        Some(message.created_at),
        message.scheduled_at,
        message.last_attempted_at,
        message.expired_at,
        Some(message.updated_at),
    ];
    let mut times: BTreeSet<Time> = times.into_iter().flatten().collect();
    let id = format!("%\"{}\"%", message.id);
    let (mut found, mut seen) = (troubles(tx, message)?, 0);
    times.extend(found.values().map(|event| event.time));
    while let Some(time) = times.pop_first() {
        let from = first_since(tx, Time::from_micros(time.micros() - micros(SLACK)))?.max(seen);
        let near: Vec<Logged> = tx.all(
            "SELECT seq, kind, time, body FROM (
                 SELECT seq, kind, owner, time, body FROM event
                  WHERE user_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3) AS near
              WHERE owner = $4 AND body LIKE $5 ORDER BY seq",
            &[&message.user_id, &from, &NEAR, &message.owner, &id],
        )?;
        times.extend(near.iter().filter_map(slot).filter(|slot| *slot > time));
        found.extend(near.into_iter().map(|event| (event.seq, event)));
        let rest: Option<Scalar<i64>> = tx.optional(
            "SELECT seq FROM event WHERE user_id = $1 AND seq >= $2
              ORDER BY seq LIMIT 1 OFFSET $3",
            &[&message.user_id, &from, &NEAR],
        )?;
        match rest {
            Some(Scalar(seq)) => seen = seq,
            // That was the end of the log.
            None => break,
        }
    }
    Ok(found.into_values().collect())
}

/// When an event says that the phone will be woken.
fn slot(event: &Logged) -> Option<Time> {
    let Body { data } = serde_json::from_str(&event.body).unwrap_or_default();
    data.scheduled_at?.parse().ok()
}

/// What the index finds, word for word as in the migration.
fn troubles(tx: &mut Tx<'_>, message: &Message) -> Result<BTreeMap<i64, Logged>> {
    const SELDOM: &str = "(kind = 'message.send.retry' OR kind = 'message.send.expired'
        OR kind = 'message.notification.failed')";
    let named = match tx.engine() {
        Engine::Sqlite => "json_extract(body, '$.data.message_id')",
        Engine::Postgres => "substring(body from '\"message_id\":\"([0-9a-f-]{36})\"')",
    };
    let events: Vec<Logged> = tx.all(
        &format!("SELECT seq, kind, time, body FROM event WHERE {SELDOM} AND {named} = $1"),
        &[&message.id.to_string()],
    )?;
    Ok(events.into_iter().map(|event| (event.seq, event)).collect())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The number of the first event since then, found by halving: numbers grow with time.
fn first_since(tx: &mut Tx<'_>, time: Time) -> Result<i64> {
    let ends: Ends = tx.one("SELECT MIN(seq) AS low, MAX(seq) AS high FROM event", &[])?;
    let (Some(mut low), Some(mut high)) = (ends.low, ends.high) else {
        return Ok(0);
    };
    while low < high {
        let middle = low + (high - low) / 2;
        let next: Option<Place> = tx.optional(
            "SELECT seq, time FROM event WHERE seq >= $1 ORDER BY seq LIMIT 1",
            &[&middle],
        )?;
        match next {
            Some(place) if place.time < time => low = place.seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

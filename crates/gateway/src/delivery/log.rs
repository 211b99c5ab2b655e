//! The delivery log: every attempt at a webhook, kept for the retention period.
//!
//! A delivery is shown by its latest attempt; one that was never attempted is a row of `delivery`.

use std::time::Duration;

use db::{Arg, Scalar};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::many::{self, Texts};
use crate::names::names;
use crate::{Error, Gateway, Result, Work, event};

/// How many bytes of a response's body are kept.
pub const BODY_LIMIT: usize = 16 << 10;

/// Why a delivery was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The event happened.
    Live,
    /// Somebody wanted it again.
    Replay,
    /// Somebody wanted to see whether it arrives.
    Test,
}

names!(Cause { Live => "live", Replay => "replay", Test => "test" });

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not attempted yet.
    Waiting,
    /// Failed, and will be tried again.
    Retrying,
    /// Answered 2xx.
    Delivered,
    /// Given up: dead, but it can be replayed.
    Failed,
}

names!(State {
    Waiting => "waiting",
    Retrying => "retrying",
    Delivered => "delivered",
    Failed => "failed",
});

/// What was seen of one attempt.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it began.
    pub started_at: Time,
    /// How long it took, to the last byte that was read.
    pub duration: Duration,
    /// The URL it went to.
    pub url: String,
    /// The request's headers as a JSON object, secrets left out.
    pub request_headers: String,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The answer's headers as a JSON object.
    pub response_headers: Option<String>,
    /// The first [`BODY_LIMIT`] bytes of the answer's body; what is no UTF-8 in it is replaced.
    pub response_body: Option<String>,
    /// What went wrong, in words.
    pub error: Option<String>,
}

db::row! {
    /// An attempt as it was logged.
    #[derive(Debug, Clone, Serialize)]
    pub struct Attempt {
        /// From 1.
        pub number: i64,
        /// When it began.
        pub started_at: Time,
        /// Microseconds to the last byte that was read.
        pub duration_us: i64,
        /// What came of it.
        pub state: State,
        /// The URL it went to.
        pub url: String,
        /// The request's headers as a JSON object, secrets left out.
        #[serde(serialize_with = "raw")]
        pub request_headers: String,
        /// The HTTP status, if an answer came.
        pub status: Option<i64>,
        /// The answer's headers as a JSON object.
        #[serde(serialize_with = "raw_or_null")]
        pub response_headers: Option<String>,
        /// The beginning of the answer's body.
        pub response_body: Option<String>,
        /// What went wrong, in words.
        pub error: Option<String>,
        /// When it is tried again.
        pub next_attempt_at: Option<Time>,
    }

    /// A delivery in a list.
    #[derive(Debug, Clone, Serialize)]
    pub struct Summary {
        /// Its id, which grows with time.
        pub id: i64,
        /// The event's id.
        pub event_id: Uuid,
        /// The event's type.
        pub event_type: event::Kind,
        /// Why it was made.
        pub cause: Cause,
        /// Where it stands.
        pub state: State,
        /// Attempts so far.
        pub attempts: i64,
        /// When the last attempt began.
        pub last_attempt_at: Option<Time>,
        /// Microseconds of the last attempt.
        pub duration_us: Option<i64>,
        /// The last HTTP status.
        pub status: Option<i64>,
        /// What went wrong last.
        pub error: Option<String>,
        /// When it is tried next.
        pub next_attempt_at: Option<Time>,
    }

    struct Sent { body: String }
}

/// A delivery with everything that was seen of it.
#[derive(Debug, Clone, Serialize)]
pub struct Detail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: Summary,
    /// The `CloudEvent` as it is sent; null once the event itself was purged.
    #[serde(serialize_with = "raw_or_null")]
    pub event: Option<String>,
    /// Its attempts, oldest first.
    pub log: Vec<Attempt>,
}

/// Which deliveries of a webhook are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this event type.
    pub event_type: Option<event::Kind>,
    /// Last attempted at this time or later.
    pub since: Option<Time>,
    /// Last attempted before this time.
    pub until: Option<Time>,
    /// Only with smaller ids: the page after the one that ended there.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// The columns of [`Summary`] for a delivery that was attempted.
const ATTEMPTED: &str = "delivery_id AS id, event_id, event_kind AS event_type, cause, state,
    number AS attempts, started_at AS last_attempt_at, duration_us, status, error, next_attempt_at";

/// The same for one that was not.
const UNTRIED: &str = "delivery.id AS id, event.id AS event_id, event.kind AS event_type, cause,
    'waiting' AS state, CAST(0 AS BIGINT) AS attempts, CAST(NULL AS BIGINT) AS last_attempt_at,
    CAST(NULL AS BIGINT) AS duration_us, CAST(NULL AS BIGINT) AS status,
    CAST(NULL AS TEXT) AS error, due_at AS next_attempt_at";

impl Gateway {
    /// The deliveries of a webhook, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the webhook is not the caller's.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        webhook: Uuid,
        wanted: Wanted,
    ) -> Result<Vec<Summary>> {
        self.owned_webhook(caller, webhook).await?;
        self.scan(move |tx| {
            let before = wanted.before.unwrap_or(i64::MAX);
            let kind = wanted
                .event_type
                .map(event::Kind::as_str)
                .unwrap_or_default();
            if wanted.state == Some(State::Waiting) {
                return Ok(tx.all(
                    &format!(
                        "SELECT {UNTRIED} FROM delivery JOIN event ON seq = event_seq
                          WHERE target = $1 AND attempt = 1 AND delivery.id < $2
                            AND ($3 = '' OR event.kind = $3)
                          ORDER BY delivery.id DESC LIMIT $4"
                    ),
                    &[&webhook, &before, &kind, &wanted.limit],
                )?);
            }
            let state = wanted.state.map(State::as_str).unwrap_or_default();
            // The partial index on what did not arrive is used only if the text says so.
            let failures = match wanted.state {
                Some(State::Failed | State::Retrying) => "AND state <> 'delivered'",
                _ => "",
            };
            Ok(tx.all(
                &format!(
                    "SELECT {ATTEMPTED} FROM attempt
                      WHERE webhook_id = $1 AND latest AND delivery_id < $2 {failures}
                        AND ($3 = '' OR event_kind = $3) AND ($4 = '' OR state = $4)
                        AND started_at >= $5 AND started_at < $6
                      ORDER BY delivery_id DESC LIMIT $7"
                ),
                &[
                    &webhook,
                    &before,
                    &kind,
                    &state,
                    &wanted.since.unwrap_or(Time::ZERO),
                    &wanted.until.unwrap_or(Time::from_micros(i64::MAX)),
                    &wanted.limit,
                ],
            )?)
        })
        .await
    }

    /// One delivery with its attempts.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, or the webhook is not the caller's.
    pub async fn delivery(&self, caller: &Caller, webhook: Uuid, id: i64) -> Result<Detail> {
        self.owned_webhook(caller, webhook).await?;
        self.read(move |tx| {
            let attempted: Option<Summary> = tx.optional(
                &format!(
                    "SELECT {ATTEMPTED} FROM attempt
                      WHERE webhook_id = $1 AND delivery_id = $2 AND latest"
                ),
                &[&webhook, &id],
            )?;
            let summary = match attempted {
                Some(summary) => Some(summary),
                None => tx.optional(
                    &format!(
                        "SELECT {UNTRIED} FROM delivery JOIN event ON seq = event_seq
                          WHERE target = $1 AND delivery.id = $2"
                    ),
                    &[&webhook, &id],
                )?,
            };
            let summary = summary.ok_or_else(|| unknown(id))?;
            let log = tx.all(
                "SELECT number, started_at, duration_us, state, url, request_headers, status,
                     response_headers, response_body, error, next_attempt_at FROM attempt
                  WHERE webhook_id = $1 AND delivery_id = $2 ORDER BY number",
                &[&webhook, &id],
            )?;
            let sent: Option<Sent> = tx.optional(
                "SELECT body FROM event JOIN attempt ON seq = event_seq
                  WHERE webhook_id = $1 AND delivery_id = $2 AND latest
                 UNION ALL SELECT body FROM event JOIN delivery ON seq = event_seq
                  WHERE target = $1 AND delivery.id = $2",
                &[&webhook, &id],
            )?;
            Ok(Detail {
                summary,
                event: sent.map(|sent| sent.body),
                log,
            })
        })
        .await
    }

    /// Whether the webhook is the caller's.
    pub(crate) async fn owned_webhook(&self, caller: &Caller, webhook: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        let Scalar(found): Scalar<i64> = self
            .read(move |tx| {
                Ok(tx.one(
                    "SELECT count(*) FROM webhook WHERE id = $1 AND user_id = $2",
                    &[&webhook, &user_id],
                )?)
            })
            .await?;
        if found == 0 {
            return Err(crate::webhook::unknown(webhook));
        }
        Ok(())
    }
}

/// What an attempt is logged with, beside what was seen.
pub(super) struct Entry<'a> {
    pub delivery_id: i64,
    pub webhook_id: Uuid,
    pub event_seq: i64,
    pub event_id: Uuid,
    pub event_kind: event::Kind,
    pub cause: Cause,
    pub replay_id: Option<Uuid>,
    pub number: i64,
    pub state: State,
    pub next_attempt_at: Option<Time>,
    pub duration_us: i64,
    pub status: Option<i64>,
    pub seen: &'a Seen,
}

/// The columns that an [`Entry`] fills, in its order.
const LOGGED: &str =
    "delivery_id, webhook_id, event_seq, event_id, event_kind, cause, replay_id, number,
    started_at, duration_us, state, url, request_headers, status, response_headers,
    response_body, error, next_attempt_at, latest";

impl Entry<'_> {
    fn args(&self) -> [&dyn Arg; 19] {
        let seen = self.seen;
        [
            &self.delivery_id,
            &self.webhook_id,
            &self.event_seq,
            &self.event_id,
            &self.event_kind,
            &self.cause,
            &self.replay_id,
            &self.number,
            &seen.started_at,
            &self.duration_us,
            &self.state,
            &seen.url,
            &seen.request_headers,
            &self.status,
            &seen.response_headers,
            &seen.response_body,
            &seen.error,
            &self.next_attempt_at,
            &true,
        ]
    }
}

impl Work<'_, '_> {
    /// Logs attempts. Each is the latest of its delivery then.
    pub(super) fn log_attempts(&mut self, entries: &[Entry<'_>]) -> Result<()> {
        for entry in entries.iter().filter(|entry| entry.number > 1) {
            self.tx.send(
                "UPDATE attempt SET latest = $3 WHERE webhook_id = $1 AND delivery_id = $2 AND latest",
                &[&entry.webhook_id, &entry.delivery_id, &false],
            )?;
        }
        for entries in many::parts(entries) {
            let args: Vec<&dyn Arg> = entries.iter().flat_map(Entry::args).collect();
            self.tx.send(INSERT.of(entries.len()), &args)?;
        }
        Ok(())
    }

    /// Deletes the log of a webhook that is deleted.
    pub(crate) fn forget_attempts(&mut self, webhook: Uuid) -> Result<()> {
        self.tx
            .execute("DELETE FROM attempt WHERE webhook_id = $1", &[&webhook])?;
        Ok(())
    }
}

static INSERT: Texts = Texts::new(|count| {
    format!(
        "INSERT INTO attempt ({LOGGED}) VALUES {}",
        many::values(19, count)
    )
});

fn unknown(id: i64) -> Error {
    Error::not_found(format!("cannot find delivery with ID [{id}]"))
}

/// Shows kept JSON as JSON.
fn raw<S: serde::Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&serde_json::value::RawValue>(json) {
        Ok(raw) => raw.serialize(serializer),
        Err(_) => serializer.serialize_str(json),
    }
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn raw_or_null<S: serde::Serializer>(
    json: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match json {
        Some(json) => raw(json, serializer),
        None => serializer.serialize_none(),
    }
}

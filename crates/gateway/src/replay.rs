//! Replays: events that a webhook shall get again, or for the first time. And test events.
//!
//! A replay of many is a row with a cursor. It queues a bounded part at a time, survives a restart
//! and can be cancelled.

use db::Scalar;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::delivery::{Cause, State};
use crate::event::{self, About};
use crate::names::names;
use crate::{Error, Fields, Gateway, Result, Work, id};

/// Deliveries that a replay queues in one step.
const STEP: i64 = 500;

/// Rows of a webhook that may wait before its replay pauses.
const ENOUGH: i64 = 2000;

/// The most events that one replay may queue.
pub const LIMIT: i64 = 100_000;

/// What is to be replayed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Selection {
    /// Only deliveries that were given up; otherwise every event that matches, delivered or not.
    #[serde(default)]
    pub failed_only: bool,
    /// Only these types; empty: all that the webhook wants.
    #[serde(default)]
    pub event_types: Vec<event::Kind>,
    /// From this time on, in microseconds since 1970.
    pub since: i64,
    /// Before this time.
    pub until: i64,
}

/// Where a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Still queueing.
    Running,
    /// Everything is queued.
    Queued,
    /// Stopped by its owner; what was queued is withdrawn.
    Cancelled,
}

names!(Stage { Running => "running", Queued => "queued", Cancelled => "cancelled" });

/// A replay, with its progress.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// Its id.
    pub id: Uuid,
    /// The webhook.
    pub webhook_id: Uuid,
    /// Where it stands.
    pub stage: Stage,
    /// Events to look at, counted up to one more than [`LIMIT`].
    pub total: i64,
    /// Deliveries made so far.
    pub queued: i64,
    /// Of those, delivered.
    pub delivered: i64,
    /// Of those, given up again.
    pub failed: i64,
    /// When it was asked for.
    pub created_at: Time,
}

db::row! {
    struct Row {
        id: Uuid,
        webhook_id: Uuid,
        user_id: String,
        selection: String,
        stage: Stage,
        position: i64,
        total: i64,
        queued: i64,
        created_at: Time,
    }

    struct Next { seq: i64, position: i64, kind: event::Kind, owner: Option<String>, body: String }
}

const COLUMNS: &str =
    "id, webhook_id, user_id, selection, stage, position, total, queued, created_at";

impl Gateway {
    /// Makes a new delivery of what one delivery carried; its id.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown delivery or webhook, or when the event was purged.
    pub async fn replay_delivery(&self, caller: &Caller, webhook: Uuid, id: i64) -> Result<i64> {
        self.owned_webhook(caller, webhook).await?;
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let seq: Option<Scalar<i64>> = work.tx.optional(
                "SELECT seq FROM event WHERE user_id = $3 AND seq = (
                     SELECT event_seq FROM attempt
                      WHERE webhook_id = $1 AND delivery_id = $2 AND latest)",
                &[&webhook, &id, &user_id],
            )?;
            let Scalar(seq) = seq.ok_or_else(|| {
                Error::not_found(format!("cannot find an attempted delivery with ID [{id}]"))
            })?;
            work.queue_again(&user_id, webhook, seq, Cause::Replay, None)
        })
        .await
    }

    /// Starts a replay of many events.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is about more than [`LIMIT`] events.
    pub async fn start_replay(
        &self,
        caller: &Caller,
        webhook: Uuid,
        selection: Selection,
    ) -> Result<Replay> {
        self.owned_webhook(caller, webhook).await?;
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            if work.replay_total(&user_id, webhook, &selection)? > LIMIT {
                return Err(Error::Invalid(Fields::one(
                    "since",
                    format!("The replay is about more than {LIMIT} events: choose a shorter time"),
                )));
            }
            let id = work.add_replay(&user_id, webhook, &selection)?;
            work.load_replay(&user_id, webhook, id)
        })
        .await
    }

    /// A replay's progress.
    pub async fn replay(&self, caller: &Caller, webhook: Uuid, id: Uuid) -> Result<Replay> {
        let user_id = caller.user_id.clone();
        self.write(move |work| work.load_replay(&user_id, webhook, id))
            .await
    }

    /// Stops a replay and withdraws what is still waiting of it.
    pub async fn cancel_replay(&self, caller: &Caller, webhook: Uuid, id: Uuid) -> Result<Replay> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.load_replay(&user_id, webhook, id)?;
            work.tx.execute(
                "UPDATE replay SET stage = $2 WHERE id = $1",
                &[&id, &Stage::Cancelled],
            )?;
            work.tx
                .execute("DELETE FROM delivery WHERE replay_id = $1", &[&id])?;
            work.load_replay(&user_id, webhook, id)
        })
        .await
    }

    /// Sends a made-up event of this type to the webhook, by the same road as real ones; the
    /// delivery's id.
    pub async fn send_test(
        &self,
        caller: &Caller,
        webhook: Uuid,
        kind: event::Kind,
    ) -> Result<i64> {
        self.owned_webhook(caller, webhook).await?;
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let numbers: Option<Scalar<String>> = work.tx.optional(
                "SELECT phone_number FROM phone WHERE user_id = $1 ORDER BY created_at LIMIT 1",
                &[&user_id],
            )?;
            let owner = numbers.map_or_else(|| "+18005550199".to_owned(), |Scalar(number)| number);
            let source = format!("/v1/webhooks/{webhook}/test");
            let about = About {
                user_id: &user_id,
                owner: Some(&owner),
                source: &source,
                message: None,
            };
            let payload = crate::sample::payload(kind, &user_id, &owner, work.now);
            let seq = work.append_test(kind, about, &payload)?;
            work.queue_again(&user_id, webhook, seq, Cause::Test, None)
        })
        .await
    }

    /// Lets every running replay queue its next part; how many did.
    pub(crate) async fn step_replays(&self) -> Result<usize> {
        let running: Vec<Scalar<Uuid>> = self
            .read(|tx| {
                Ok(tx.all(
                    "SELECT id FROM replay WHERE stage = $1 ORDER BY created_at LIMIT 100",
                    &[&Stage::Running],
                )?)
            })
            .await?;
        let mut stepped = 0;
        for Scalar(id) in running {
            stepped += usize::from(self.write(move |work| work.step_replay(id)).await?);
        }
        Ok(stepped)
    }
}

impl Work<'_, '_> {
    fn load_replay(&mut self, user_id: &str, webhook: Uuid, id: Uuid) -> Result<Replay> {
        let row: Option<Row> = self.tx.optional(
            &format!(
                "SELECT {COLUMNS} FROM replay WHERE id = $1 AND webhook_id = $2 AND user_id = $3"
            ),
            &[&id, &webhook, &user_id],
        )?;
        let row =
            row.ok_or_else(|| Error::not_found(format!("cannot find replay with ID [{id}]")))?;
        let mut ended = |state: State| -> Result<i64> {
            let Scalar(count) = self.tx.one(
                "SELECT count(*) FROM attempt WHERE replay_id = $1 AND latest AND state = $2",
                &[&id, &state],
            )?;
            Ok(count)
        };
        Ok(Replay {
            delivered: ended(State::Delivered)?,
            failed: ended(State::Failed)?,
            id: row.id,
            webhook_id: row.webhook_id,
            stage: row.stage,
            total: row.total,
            queued: row.queued,
            created_at: row.created_at,
        })
    }

    /// How many events a selection is about.
    fn replay_total(&mut self, user_id: &str, webhook: Uuid, selection: &Selection) -> Result<i64> {
        let (sql, kinds) = (selection.sql(), selection.kinds());
        let sql = format!("SELECT count(*) FROM ({sql} LIMIT {}) AS chosen", LIMIT + 1);
        let Scalar(total) = self.tx.one(
            &sql,
            &[
                &user_id,
                &webhook,
                &0_i64,
                &selection.since,
                &selection.until,
                &kinds,
            ],
        )?;
        Ok(total)
    }

    /// Queues the next part of a replay, unless enough of its webhook's rows wait already.
    fn step_replay(&mut self, id: Uuid) -> Result<bool> {
        let lock = crate::for_update(self.tx);
        let row: Option<Row> = self.tx.optional(
            &format!("SELECT {COLUMNS} FROM replay WHERE id = $1 AND stage = $2 {lock}"),
            &[&id, &Stage::Running],
        )?;
        let Some(row) = row else { return Ok(false) };
        let Scalar(waiting): Scalar<i64> = self.tx.one(
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE target = $1 LIMIT $2) AS waiting",
            &[&row.webhook_id, &ENOUGH],
        )?;
        if waiting >= ENOUGH {
            return Ok(false);
        }
        let selection: Selection = serde_json::from_str(&row.selection).unwrap_or_default();
        let sql = format!("{} LIMIT {STEP}", selection.sql());
        let part: Vec<Next> = self.tx.all(
            &sql,
            &[
                &row.user_id,
                &row.webhook_id,
                &row.position,
                &selection.since,
                &selection.until,
                &selection.kinds(),
            ],
        )?;
        let wanted = self.wants(row.webhook_id)?;
        let mut queued = 0;
        for next in &part {
            // What was given up was wanted once; what merely happened need not be this webhook's.
            if !selection.failed_only && !wanted.takes(next.kind, next.owner.as_deref(), &next.body)
            {
                continue;
            }
            queued += 1;
            self.queue_again(
                &row.user_id,
                row.webhook_id,
                next.seq,
                Cause::Replay,
                Some(id),
            )?;
        }
        let done = (part.len() as i64) < STEP;
        let stage = if done { Stage::Queued } else { Stage::Running };
        let position = part.last().map_or(row.position, |next| next.position);
        self.tx.execute(
            "UPDATE replay SET stage = $2, position = $3, queued = queued + $4 WHERE id = $1",
            &[&id, &stage, &position, &queued],
        )?;
        Ok(!done)
    }
}

impl Selection {
    /// The events after a position, in order: each with the position to go on from. Parameters:
    /// account, webhook, position, since, until, types.
    fn sql(&self) -> &'static str {
        if self.failed_only {
            "SELECT seq, delivery_id AS position, event.kind, owner, body FROM attempt
               JOIN event ON seq = event_seq
              WHERE webhook_id = $2 AND latest AND state <> 'delivered' AND state = 'failed'
                AND event.user_id = $1 AND delivery_id > $3 AND started_at >= $4 AND started_at < $5
                AND ($6 = '' OR $6 LIKE '%,' || event_kind || ',%')
              ORDER BY delivery_id"
        } else {
            "SELECT seq, seq AS position, kind, owner, body FROM event
              WHERE user_id = $1 AND EXISTS (SELECT 1 FROM webhook WHERE id = $2) AND seq > $3 AND time >= $4 AND time < $5
                AND owner IS NOT NULL AND NOT test AND $6 LIKE '%,' || kind || ',%'
              ORDER BY seq"
        }
    }

    /// The types as `,a,b,` for `LIKE`.
    fn kinds(&self) -> String {
        let chosen: &[event::Kind] = match &self.event_types[..] {
            [] if self.failed_only => return String::new(),
            [] => &event::Kind::FOR_WEBHOOKS,
            some => some,
        };
        let names: Vec<_> = chosen.iter().map(|kind| kind.as_str()).collect();
        format!(",{},", names.join(","))
    }
}

impl Work<'_, '_> {
    /// Starts a replay of what was given up since then.
    pub(crate) fn catch_up(&mut self, user_id: &str, webhook: Uuid, since: Time) -> Result<()> {
        let selection = Selection {
            failed_only: true,
            event_types: Vec::new(),
            since: since.micros(),
            until: self.now.micros(),
        };
        self.add_replay(user_id, webhook, &selection).map(drop)
    }

    fn add_replay(&mut self, user_id: &str, webhook: Uuid, selection: &Selection) -> Result<Uuid> {
        let total = self.replay_total(user_id, webhook, selection)?;
        let id = id::new(self.now);
        let chosen = serde_json::to_string(selection).unwrap_or_default();
        self.tx.execute(
            "INSERT INTO replay (id, webhook_id, user_id, selection, stage, position, total,
                                 queued, created_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, 0, $7)",
            &[
                &id,
                &webhook,
                &user_id,
                &chosen,
                &Stage::Running,
                &total,
                &self.now,
            ],
        )?;
        self.timer(self.now);
        Ok(id)
    }
}

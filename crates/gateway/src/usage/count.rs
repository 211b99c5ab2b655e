//! Counting: the event log is read once, part by part, and each part is added to the cycles in the
//! transaction that moves the account's place forward. So nothing is counted twice.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{Engine, Scalar, Tx};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::cycle::Cycle;
use crate::clock::Time;
use crate::event::{Kind, Recorded};
use crate::{Gateway, Result, Work, id};

/// Events that count.
const COUNTED: [Kind; 4] = [
    Kind::MessageApiSent,
    Kind::MessagePhoneReceived,
    Kind::MessageSendFailed,
    Kind::MessageSendExpired,
];

/// Microseconds of a quarter of an hour.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// Events that are read at once.
const PART: i64 = 5000;

/// How often all accounts are counted, so that nobody who asks has long to wait.
const INTERVAL: Duration = Duration::from_hours(1);

/// What falls into a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub sent: i64,
    pub received: i64,
    /// Not counted by cycles.
    pub failed: i64,
}

impl Count {
    pub(super) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.failed += other.failed;
    }
}

/// What was counted: by cycles, and by the beginnings of quarters of an hour.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub cycles: BTreeMap<Cycle, Count>,
    pub quarters: BTreeMap<Time, Count>,
}

/// What is looked at of an event.
#[derive(Deserialize)]
struct Seen {
    time: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    request_received_at: Option<String>,
    is_final: Option<bool>,
}

db::row! {
    struct Counted { kind: Kind, body: String }
}

impl Gateway {
    /// Counts all accounts now and then, until cancelled.
    pub(crate) async fn run_usage(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            if let Err(error) = self.count_all(stop).await {
                tracing::warn!(%error, "usage could not be counted; trying again later");
            }
        }
    }

    async fn count_all(&self, stop: &CancellationToken) -> Result<()> {
        let accounts: Vec<(String, Time)> = self
            .read(|tx| Ok(tx.all("SELECT id, created_at FROM account ORDER BY id", &[])?))
            .await?;
        for (user_id, anchor) in accounts {
            if stop.is_cancelled() {
                break;
            }
            self.count(&user_id, anchor).await?;
        }
        Ok(())
    }

    /// Counts what has happened to an account since it was counted last; how far that came.
    pub(super) async fn count(&self, user_id: &str, anchor: Time) -> Result<i64> {
        loop {
            let place = self.place(user_id).await?;
            let part = self.events_after(user_id, place, &COUNTED, PART).await?;
            if part.position == place {
                return Ok(place);
            }
            let counts = counted(&part.events, anchor);
            let user_id = user_id.to_owned();
            self.write(move |work| {
                // Nothing, if somebody else was quicker: then it is all read again from there.
                if work.move_place(&user_id, place, part.position)? {
                    for (cycle, count) in &counts.cycles {
                        work.add_usage(&user_id, *cycle, *count)?;
                    }
                    for (start, count) in &counts.quarters {
                        work.add_quarter(&user_id, *start, *count)?;
                    }
                }
                Ok(())
            })
            .await?;
        }
    }

    pub(super) async fn place(&self, user_id: &str) -> Result<i64> {
        let user_id = user_id.to_owned();
        self.lookup(move |tx| {
            let place: Option<Scalar<i64>> = tx.optional(
                "SELECT position FROM usage_place WHERE user_id = $1",
                &[&user_id],
            )?;
            Ok(place.map_or(0, |Scalar(position)| position))
        })
        .await
    }

    /// What was committed after this place, and is not to be counted for good yet because another
    /// transaction may still come before it.
    pub(super) async fn uncounted(
        &self,
        user_id: &str,
        place: i64,
        anchor: Time,
    ) -> Result<Counts> {
        if self.0.db.engine() == Engine::Sqlite {
            return Ok(Counts::default());
        }
        let user_id = user_id.to_owned();
        self.read(move |tx| uncounted(tx, &user_id, place, anchor))
            .await
    }
}

/// What is committed after this place, and what the transaction itself has done.
pub(super) fn uncounted(
    tx: &mut Tx<'_>,
    user_id: &str,
    place: i64,
    anchor: Time,
) -> Result<Counts> {
    let after = match tx.engine() {
        Engine::Sqlite => "seq > $2",
        Engine::Postgres => {
            "(xact, seq) > (COALESCE((SELECT place.xact FROM event AS place
                 WHERE place.seq <= $2 ORDER BY place.seq DESC LIMIT 1), '0'), $2)"
        }
    };
    let [first, second, third, fourth] = &COUNTED;
    let rows: Vec<Counted> = tx.all(
        &format!(
            "SELECT kind, body FROM event
              WHERE user_id = $1 AND NOT test AND kind IN ($3, $4, $5, $6) AND {after}"
        ),
        &[&user_id, &place, first, second, third, fourth],
    )?;
    let mut counts = Counts::default();
    for row in rows {
        add(&mut counts, row.kind, &row.body, anchor);
    }
    Ok(counts)
}

impl Work<'_, '_> {
    fn move_place(&mut self, user_id: &str, from: i64, to: i64) -> Result<bool> {
        let moved = self.tx.execute(
            "INSERT INTO usage_place (user_id, position) VALUES ($1, $3)
             ON CONFLICT (user_id) DO UPDATE SET position = excluded.position
              WHERE usage_place.position = $2",
            &[&user_id, &from, &to],
        )?;
        Ok(moved > 0)
    }

    /// Makes a cycle's row, with nothing in it yet, unless it is there.
    pub(super) fn make_cycle(&mut self, user_id: &str, cycle: Cycle) -> Result<()> {
        self.tx.execute(
            "INSERT INTO usage_cycle (id, user_id, sent_messages, received_messages,
                 start_timestamp, end_timestamp, created_at, updated_at)
             VALUES ($1, $2, 0, 0, $3, $4, $5, $5)
             ON CONFLICT (user_id, start_timestamp) DO NOTHING",
            &[
                &id::new(self.now),
                &user_id,
                &cycle.start,
                &cycle.end,
                &self.now,
            ],
        )?;
        Ok(())
    }

    fn add_usage(&mut self, user_id: &str, cycle: Cycle, count: Count) -> Result<()> {
        self.tx.execute(
            "INSERT INTO usage_cycle (id, user_id, sent_messages, received_messages,
                 start_timestamp, end_timestamp, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (user_id, start_timestamp) DO UPDATE SET
                 sent_messages = usage_cycle.sent_messages + excluded.sent_messages,
                 received_messages = usage_cycle.received_messages + excluded.received_messages,
                 updated_at = excluded.updated_at",
            &[
                &id::new(self.now),
                &user_id,
                &count.sent,
                &count.received,
                &cycle.start,
                &cycle.end,
                &self.now,
            ],
        )?;
        Ok(())
    }
}

impl Work<'_, '_> {
    fn add_quarter(&mut self, user_id: &str, start: Time, count: Count) -> Result<()> {
        self.tx.execute(
            "INSERT INTO usage_quarter (user_id, start_at, sent, received, failed)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (user_id, start_at) DO UPDATE SET
                 sent = usage_quarter.sent + excluded.sent,
                 received = usage_quarter.received + excluded.received,
                 failed = usage_quarter.failed + excluded.failed",
            &[
                &user_id,
                &start,
                &count.sent,
                &count.received,
                &count.failed,
            ],
        )?;
        Ok(())
    }
}

fn counted(events: &[Recorded], anchor: Time) -> Counts {
    let mut counts = Counts::default();
    for event in events {
        add(&mut counts, event.kind, &event.body, anchor);
    }
    counts
}

/// Of a cycle what was sent counts for the time of its request, everything else for that of its event.
fn add(counts: &mut Counts, kind: Kind, body: &str, anchor: Time) {
    let Ok(seen) = serde_json::from_str::<Seen>(body) else {
        return;
    };
    let Ok(at) = seen.time.parse::<Time>() else {
        return;
    };
    let mut count = Count::default();
    match kind {
        Kind::MessageApiSent => count.sent = 1,
        Kind::MessagePhoneReceived => count.received = 1,
        Kind::MessageSendExpired if seen.data.is_final != Some(true) => return,
        _ => count.failed = 1,
    }
    let quarter = Time::from_micros(at.micros() - at.micros().rem_euclid(QUARTER));
    counts.quarters.entry(quarter).or_default().add(count);
    if count.failed == 0 {
        let asked = seen.data.request_received_at.filter(|_| count.sent == 1);
        let asked = asked.and_then(|asked| asked.parse().ok());
        let cycle = Cycle::containing(asked.unwrap_or(at), anchor);
        counts.cycles.entry(cycle).or_default().add(count);
    }
}

//! The log as a feed: read on from a place in it, or followed live, with no event left out.
//!
//! `docs/adr/0007-event-feed.md` says why an event's number alone is no place on PostgreSQL.

use std::time::Duration;

use db::{Engine, Scalar};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{Kind, Recorded};
use crate::{Gateway, Result};

/// Rows that are looked at for a few types, before it is said how far that came.
const WINDOW: i64 = 1000;

/// Events that a live feed hands out at once.
const BATCH: i64 = 100;

/// How soon a live feed looks again after news, and how seldom when there are none: an event may
/// be held back for a moment by a transaction of somebody else, which tells nobody of its end.
const SOON: Duration = Duration::from_millis(20);
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Events that are put in order at once after a database was restored.
const REORDERED_AT_ONCE: i64 = 50_000;

/// A part of the log.
#[derive(Debug, Clone)]
pub struct Part {
    /// In the order of the feed.
    pub events: Vec<Recorded>,
    /// Where to read on: the `seq` of the last event that was looked at, be it handed out or not.
    pub position: i64,
}

db::row! {
    struct Row { seq: i64, id: Uuid, kind: Kind, body: Option<String> }
}

impl Gateway {
    /// The account's events that follow on this place in the feed, of these types, or of all if
    /// there are none. Up to `limit` events; fewer do not mean that the feed ends there, the same
    /// `position` does. Made-up events are left out.
    pub async fn events_after(
        &self,
        user_id: &str,
        after: i64,
        kinds: &[Kind],
        limit: i64,
    ) -> Result<Part> {
        let (user_id, wanted) = (user_id.to_owned(), names(kinds));
        let limit = limit.max(0);
        let window = if kinds.is_empty() {
            limit
        } else {
            limit.max(WINDOW)
        };
        let rows: Vec<Row> = self
            .read(move |tx| {
                let sql = match tx.engine() {
                    Engine::Sqlite => SQLITE,
                    Engine::Postgres => POSTGRES,
                };
                Ok(tx.all(sql, &[&user_id, &after, &wanted, &window])?)
            })
            .await?;
        Ok(part(rows, after, limit))
    }

    /// Follows the account's events from this place on.
    pub fn follow(&self, user_id: &str, after: i64, kinds: Vec<Kind>) -> Feed {
        Feed {
            gateway: self.clone(),
            news: self.0.wake.followers().follow(user_id),
            user_id: user_id.to_owned(),
            kinds,
            position: after,
            announced: None,
        }
    }

    /// The place of the account's newest event in the feed, from where to follow what is to come.
    pub async fn feed_end(&self, user_id: &str) -> Result<i64> {
        let user_id = user_id.to_owned();
        self.lookup(move |tx| {
            let sql = match tx.engine() {
                Engine::Sqlite => {
                    "SELECT seq FROM event WHERE user_id = $1 ORDER BY seq DESC LIMIT 1"
                }
                Engine::Postgres => {
                    "SELECT seq FROM event WHERE user_id = $1
                        AND xact < pg_snapshot_xmin(pg_current_snapshot())
                      ORDER BY xact DESC, seq DESC LIMIT 1"
                }
            };
            let newest: Option<Scalar<i64>> = tx.optional(sql, &[&user_id])?;
            Ok(newest.map_or(0, |Scalar(seq)| seq))
        })
        .await
    }

    /// A database that was dumped and loaded into another server names transactions that this one
    /// has not had yet. Their events are complete, so their numbers alone put them in order.
    pub(crate) async fn reorder_restored_events(&self) -> Result<()> {
        if self.0.db.engine() == Engine::Sqlite || !self.names_unknown_transactions().await? {
            return Ok(());
        }
        tracing::info!("the database was restored: putting its events in order");
        let mut position = Some(0);
        while let Some(after) = position {
            position = self
                .write(move |work| {
                    let Scalar(last): Scalar<Option<i64>> = work.tx.one(
                        "WITH part AS (SELECT seq FROM event WHERE seq > $1 ORDER BY seq LIMIT $2),
                              reordered AS (UPDATE event SET xact = '0' WHERE seq IN (SELECT seq FROM part)
                                 AND xact >= pg_snapshot_xmax(pg_current_snapshot()))
                         SELECT MAX(seq) FROM part",
                        &[&after, &REORDERED_AT_ONCE],
                    )?;
                    Ok(last)
                })
                .await?;
        }
        Ok(())
    }

    async fn names_unknown_transactions(&self) -> Result<bool> {
        self.lookup(|tx| {
            let newest: Option<Scalar<bool>> = tx.optional(
                "SELECT xact >= pg_snapshot_xmax(pg_current_snapshot()) FROM event
                  ORDER BY seq DESC LIMIT 1",
                &[],
            )?;
            Ok(newest.is_some_and(|Scalar(unknown)| unknown))
        })
        .await
    }
}

/// There is one writer, so numbers are the order of commits. Parameters: account, place, types, rows.
const SQLITE: &str = "SELECT seq, id, kind,
        CASE WHEN NOT test AND ($3 = '' OR $3 LIKE '%,' || kind || ',%') THEN body END AS body
   FROM event WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $4";

/// Transactions in the order they began, those alone that began before any that still runs: what
/// is committed later comes later.
const POSTGRES: &str = "SELECT seq, id, kind,
        CASE WHEN NOT test AND ($3 = '' OR $3 LIKE '%,' || kind || ',%') THEN body END AS body
   FROM event
  WHERE user_id = $1 AND xact < pg_snapshot_xmin(pg_current_snapshot())
    AND (xact, seq) > (COALESCE((SELECT place.xact FROM event AS place WHERE place.seq <= $2
                                  ORDER BY place.seq DESC LIMIT 1), '0'), $2)
  ORDER BY xact, seq LIMIT $4";

/// The types as `,a,b,` for `LIKE`; empty: all.
fn names(kinds: &[Kind]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    format!(",{},", names.join(","))
}

fn part(rows: Vec<Row>, after: i64, limit: i64) -> Part {
    let mut part = Part {
        events: Vec::new(),
        position: after,
    };
    for Row {
        seq,
        id,
        kind,
        body,
    } in rows
    {
        if part.events.len() as i64 == limit {
            break;
        }
        part.position = seq;
        part.events.extend(body.map(|body| Recorded {
            seq,
            id,
            kind,
            body,
        }));
    }
    part
}

/// An account's events, as they happen.
pub struct Feed {
    gateway: Gateway,
    news: watch::Receiver<()>,
    user_id: String,
    kinds: Vec<Kind>,
    position: i64,
    announced: Option<Instant>,
}

impl Feed {
    /// The next events, at least one: waits for it. Nothing is lost if the waiting is cut short.
    pub async fn next(&mut self) -> Result<Vec<Recorded>> {
        let mut pause = SOON;
        loop {
            let part = self
                .gateway
                .events_after(&self.user_id, self.position, &self.kinds, BATCH)
                .await?;
            let moved = part.position != self.position;
            self.position = part.position;
            if !part.events.is_empty() {
                return Ok(part.events);
            }
            if moved {
                continue;
            }
            self.announce().await?;
            pause = match timeout(pause, self.news.changed()).await {
                Ok(_) => SOON,
                Err(_) => (pause * 2).min(LOOK_AGAIN),
            };
        }
    }

    async fn announce(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.announced.is_none_or(|then| now - then >= LOOK_AGAIN) {
            self.announced = Some(now);
            self.gateway.announce_follower(&self.user_id).await?;
        }
        Ok(())
    }

    /// The place after the last event that was handed out.
    pub fn position(&self) -> i64 {
        self.position
    }
}

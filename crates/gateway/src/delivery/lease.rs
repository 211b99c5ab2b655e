//! Which node carries, and which rows it holds in memory.

use std::time::Duration;

use db::Scalar;
use uuid::Uuid;

use super::{COURIER, Cause, Delivery, Kind, Letter, ON_DISK};
use crate::clock::Time;
use crate::{Gateway, Result, event};

/// How long a courier may be silent before another node takes its place.
pub const LEASE: Duration = Duration::from_secs(10);

/// Of a row of `delivery`: its webhook is not paused.
const NOT_PAUSED: &str = "target NOT IN (SELECT id FROM webhook WHERE paused_at IS NOT NULL)";

/// Of a row of `delivery`: no other one that it must not overtake waits for its retry.
const NOT_BLOCKED: &str = "(order_key IS NULL OR attempt > 1 OR NOT EXISTS (
    SELECT 1 FROM delivery AS head
     WHERE head.target = delivery.target AND head.attempt > 1 AND head.order_key = delivery.order_key))";

/// When rows of a target are due that stayed on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// The first one of all.
    pub next: Option<Time>,
    /// The first one that was attempted before.
    pub next_retry: Option<Time>,
}

db::row! {
    struct Row {
        id: i64,
        kind: Kind,
        target: Uuid,
        event_seq: Option<i64>,
        event_id: Option<Uuid>,
        event_kind: Option<event::Kind>,
        body: Option<String>,
        message_id: Option<Uuid>,
        notification_id: Option<Uuid>,
        exact: bool,
        attempt: i64,
        due_at: Time,
        expires_at: Option<Time>,
        cause: Cause,
        order_key: Option<i64>,
        version: i64,
    }

    struct Waiting { target: Uuid, due_at: Time }
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        let letter = match (row.event_seq, row.event_id, row.event_kind, row.body) {
            (Some(seq), Some(id), Some(kind), Some(body)) => Some(Letter {
                seq,
                id,
                kind,
                body: body.into(),
            }),
            _ => None,
        };
        Self {
            id: row.id,
            kind: row.kind,
            target: row.target,
            letter,
            message_id: row.message_id,
            notification_id: row.notification_id,
            exact: row.exact,
            attempt: row.attempt,
            due_at: row.due_at,
            expires_at: row.expires_at,
            cause: row.cause,
            order_key: row.order_key,
            version: row.version,
        }
    }
}

impl Gateway {
    /// Takes the lease under which one node of a database carries, or renews it.
    ///
    /// A node that was killed takes its own lease back at once; another waits until it has run out.
    /// The answer is the epoch to work in, a new one after each take-over, or `None` while another
    /// node holds the lease. From then on, new rows are born in this epoch and told by [`News::Due`].
    pub async fn take_lease(&self, current: Option<i64>) -> Result<Option<i64>> {
        // No lease has this epoch.
        let current = current.unwrap_or(-1);
        let taken = self
            .write(move |work| {
                let until = work.now + LEASE;
                let node = work.gateway.node.to_string();
                work.tx.execute(
                    "INSERT INTO lease (name, holder, epoch, until) VALUES ($1, $2, 0, 0)
                     ON CONFLICT DO NOTHING",
                    &[&COURIER, &node],
                )?;
                let epoch: Option<Scalar<i64>> = work.tx.optional(
                    "UPDATE lease SET until = $3, holder = $5,
                         epoch = CASE WHEN epoch = $2 THEN epoch ELSE epoch + 1 END
                      WHERE name = $1 AND (epoch = $2 OR until <= $4 OR holder = $5)
                      RETURNING epoch",
                    &[&COURIER, &current, &until, &work.now, &node],
                )?;
                Ok(epoch.map(|Scalar(epoch)| epoch))
            })
            .await?;
        self.0.handoff.work_in(taken.unwrap_or(ON_DISK));
        Ok(taken)
    }

    /// Gives the lease up, so that another node need not wait for it to run out.
    pub async fn release_lease(&self, epoch: i64) -> Result<()> {
        self.0.handoff.work_in(ON_DISK);
        self.write(move |work| {
            work.tx.execute(
                "UPDATE lease SET until = 0 WHERE name = $1 AND epoch = $2",
                &[&COURIER, &epoch],
            )?;
            Ok(())
        })
        .await
    }

    /// Targets with rows on disk, each with the earliest due time, in order of their ids after `after`.
    pub async fn waiting(
        &self,
        epoch: i64,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<(Uuid, Time)>> {
        let after = after.unwrap_or(Uuid::nil());
        let waiting: Vec<Waiting> = self
            .read(move |tx| {
                Ok(tx.all(
                    "SELECT target, MIN(due_at) AS due_at FROM delivery
                      WHERE target > $1 AND epoch <> $2
                        AND target NOT IN (SELECT id FROM webhook WHERE paused_at IS NOT NULL)
                      GROUP BY target ORDER BY target LIMIT $3",
                    &[&after, &epoch, &limit],
                )?)
            })
            .await?;
        Ok(waiting
            .into_iter()
            .map(|row| (row.target, row.due_at))
            .collect())
    }

    /// Takes rows of a target into memory: those due until then, oldest first, `limit` at most, and
    /// what is left on disk. Ordered rows that wait for their retry always come, whatever their time,
    /// because they hold up those after them, which stay on disk until they are gone.
    pub async fn load(
        &self,
        epoch: i64,
        target: Uuid,
        until: Time,
        limit: i64,
    ) -> Result<(Vec<Delivery>, Rest)> {
        self.load_some(epoch, target, until, limit, "").await
    }

    /// The same, of rows that were attempted before.
    pub async fn load_retries(
        &self,
        epoch: i64,
        target: Uuid,
        until: Time,
        limit: i64,
    ) -> Result<(Vec<Delivery>, Rest)> {
        self.load_some(epoch, target, until, limit, "AND attempt > 1")
            .await
    }

    async fn load_some(
        &self,
        epoch: i64,
        target: Uuid,
        until: Time,
        limit: i64,
        only: &'static str,
    ) -> Result<(Vec<Delivery>, Rest)> {
        self.write(move |work| {
            let mut rows: Vec<Row> = work.tx.all(
                &format!(
                    "WITH waiting AS MATERIALIZED (
                         SELECT id FROM (
                             SELECT id FROM delivery
                              WHERE target = $1 AND epoch <> $2 AND due_at <= $3 {only}
                                AND {NOT_PAUSED} AND {NOT_BLOCKED}
                              ORDER BY due_at, id LIMIT $4) AS due
                          UNION
                         SELECT id FROM delivery WHERE target = $1 AND epoch <> $2
                            AND attempt > 1 AND order_key IS NOT NULL AND {NOT_PAUSED}
                     )
                     UPDATE delivery SET epoch = $2 WHERE id IN (SELECT id FROM waiting)
                     RETURNING id, kind, target, event_seq,
                         (SELECT event.id FROM event WHERE seq = event_seq) AS event_id,
                         (SELECT event.kind FROM event WHERE seq = event_seq) AS event_kind,
                         (SELECT body FROM event WHERE seq = event_seq) AS body,
                         message_id, notification_id, exact, attempt, due_at, expires_at,
                         cause, order_key,
                         COALESCE((SELECT version FROM webhook WHERE webhook.id = target), 0) AS version"
                ),
                &[&target, &epoch, &until, &limit],
            )?;
            rows.sort_by_key(|row| (row.due_at, row.id));
            let mut next = |only: &str| -> Result<Option<Time>> {
                let due: Option<Scalar<Time>> = work.tx.optional(
                    &format!(
                        "SELECT due_at FROM delivery WHERE target = $1 AND epoch <> $2 {only}
                            AND {NOT_PAUSED} AND {NOT_BLOCKED}
                          ORDER BY due_at LIMIT 1"
                    ),
                    &[&target, &epoch],
                )?;
                Ok(due.map(|Scalar(due)| due))
            };
            let rest = Rest {
                next: next("")?,
                next_retry: next("AND attempt > 1")?,
            };
            Ok((rows.into_iter().map(Delivery::from).collect(), rest))
        })
        .await
    }
}

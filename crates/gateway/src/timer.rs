//! The loop that does what is due: messages to release or expire, heartbeats that are late.
//!
//! Each timer is a row's due time. The loop sleeps until the next one it knows of, is nudged about
//! earlier ones, and looks every second anyway, for what another node or a killed process left.

use std::time::Duration;

use db::Scalar;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Time;
use crate::{Gateway, Inner, Result, Work};

/// How often the loop looks by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many due rows of a kind one look takes.
const AT_ONCE: i64 = 200;

/// How often attempts that are older than the retention period are purged.
const PURGE_AGAIN: Duration = Duration::from_hours(1);

impl Gateway {
    /// Runs the timers, and the work that is done beside everything else, until cancelled.
    pub async fn run_timers(&self, stop: CancellationToken) {
        tokio::join!(
            self.run_due(&stop),
            self.run_purge(&stop),
            self.run_retention(&stop),
            self.run_usage(&stop),
            self.run_indexer(&stop)
        );
    }

    /// Purges the delivery log and unused uploads, now and every hour.
    async fn run_purge(&self, stop: &CancellationToken) {
        loop {
            let purge = stop.run_until_cancelled(self.purge_log());
            match purge.await {
                Some(Ok(0)) => {}
                Some(Ok(count)) => tracing::info!(count, "old attempts at webhooks are purged"),
                Some(Err(error)) => tracing::warn!(%error, "the delivery log cannot be purged"),
                None => return,
            }
            match stop.run_until_cancelled(self.purge_uploads()).await {
                Some(Ok(0)) => {}
                Some(Ok(count)) => tracing::info!(count, "unused uploads are purged"),
                Some(Err(error)) => tracing::warn!(%error, "uploads cannot be purged"),
                None => return,
            }
            let rest = stop.run_until_cancelled(tokio::time::sleep(PURGE_AGAIN));
            if rest.await.is_none() {
                return;
            }
        }
    }

    /// Purges what is older than the retention period, a bounded part at a time; how much.
    async fn purge_log(&self) -> Result<u64> {
        let oldest = self.now().micros() - micros(self.0.settings.attempt_retention);
        self.purge_attempts(Time::from_micros(oldest)).await
    }

    async fn run_due(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let idle = match self.fire_timers().await {
                Ok(0) => self.until_next_timer().await,
                Ok(_) => continue,
                Err(error) => {
                    tracing::error!(%error, "the timers could not run; trying again in a second");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.timer_nudged_before(idle) => {}
            }
        }
    }

    /// Does what is due now; how many rows that were.
    ///
    /// # Errors
    /// Of the database; what was not done stays due.
    pub async fn fire_timers(&self) -> Result<usize> {
        let now = self.now();
        let (messages, phones) = self
            .read(move |tx| {
                let messages: Vec<Scalar<Uuid>> = tx.all(
                    "SELECT id FROM message WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
                    &[&now, &AT_ONCE],
                )?;
                let phones: Vec<Scalar<Uuid>> = tx.all(
                    "SELECT id FROM phone WHERE heartbeat_due_at <= $1
                      ORDER BY heartbeat_due_at LIMIT $2",
                    &[&now, &AT_ONCE],
                )?;
                Ok((messages, phones))
            })
            .await?;
        let due = messages.len() + phones.len();
        for Scalar(id) in messages {
            self.write(move |work| work.message_due(id)).await?;
        }
        for Scalar(id) in phones {
            self.write(move |work| work.check_heartbeat(id)).await?;
        }
        Ok(due + self.step_replays().await?)
    }

    /// How long until the next timer, but never longer than until the next look.
    async fn until_next_timer(&self) -> Duration {
        let next = self
            .read(|tx| {
                let Scalar(message): Scalar<Option<Time>> = tx.one(
                    "SELECT MIN(due_at) FROM message WHERE due_at IS NOT NULL",
                    &[],
                )?;
                let Scalar(phone): Scalar<Option<Time>> = tx.one(
                    "SELECT MIN(heartbeat_due_at) FROM phone WHERE heartbeat_due_at IS NOT NULL",
                    &[],
                )?;
                Ok(message.into_iter().chain(phone).min())
            })
            .await;
        match next {
            Ok(Some(due)) => due.since(self.now()).min(LOOK_AGAIN),
            _ => LOOK_AGAIN,
        }
    }

    /// Waits that long, or until a timer turns up that is due earlier.
    async fn timer_nudged_before(&self, idle: Duration) {
        let until = self.now() + idle;
        let _ = timeout(idle, async {
            loop {
                match self.0.wake.timers().news().await {
                    Some(due) if due < until => return,
                    _ => {}
                }
            }
        })
        .await;
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

impl Work<'_, '_> {
    /// Tells the loop of this process about a timer, once it is committed.
    pub(crate) fn timer(&mut self, due: Time) {
        self.on_commit(move |gateway| gateway.wake.timer(due));
    }

    /// Runs once the transaction is durable.
    pub(crate) fn on_commit(&mut self, hook: impl FnOnce(&Inner) + Send + 'static) {
        let gateway = std::sync::Arc::clone(self.gateway);
        self.tx.on_commit(move || hook(&gateway));
    }
}

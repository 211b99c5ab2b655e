//! A webhook in numbers: how often and how fast its receiver answers, and what waits for it.

use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::delivery::State;
use crate::{Gateway, Result};

/// How many of the latest attempts are looked at.
const LATEST: i64 = 1000;

/// How a webhook is doing, by its latest attempts.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// Attempts that were looked at, 1,000 at most.
    pub attempts: usize,
    /// The part of them that was answered 2xx, from 0 to 1; null without attempts.
    pub success_rate: Option<f64>,
    /// Microseconds that half of them took at most.
    pub p50_us: Option<i64>,
    /// Microseconds that 95 of 100 took at most.
    pub p95_us: Option<i64>,
    /// Microseconds that 99 of 100 took at most.
    pub p99_us: Option<i64>,
    /// Deliveries that wait, counted up to a million.
    pub backlog: i64,
    /// When the event happened that has waited longest.
    pub oldest_waiting_at: Option<Time>,
}

db::row! {
    struct Latest { state: State, duration_us: i64 }
}

impl Gateway {
    /// How a webhook is doing.
    pub async fn webhook_health(&self, caller: &Caller, webhook: Uuid) -> Result<Health> {
        self.owned_webhook(caller, webhook).await?;
        self.scan(move |tx| {
            let latest: Vec<Latest> = tx.all(
                "SELECT state, duration_us FROM attempt WHERE webhook_id = $1
                  ORDER BY delivery_id DESC LIMIT $2",
                &[&webhook, &LATEST],
            )?;
            let Scalar(backlog) = tx.one(
                "SELECT count(*) FROM
                     (SELECT 1 FROM delivery WHERE target = $1 LIMIT 1000000) AS waiting",
                &[&webhook],
            )?;
            let oldest: Option<Scalar<Time>> = tx.optional(
                "SELECT time FROM delivery JOIN event ON seq = event_seq WHERE target = $1
                  ORDER BY due_at LIMIT 1",
                &[&webhook],
            )?;
            Ok(of(&latest, backlog, oldest.map(|Scalar(time)| time)))
        })
        .await
    }
}

fn of(latest: &[Latest], backlog: i64, oldest_waiting_at: Option<Time>) -> Health {
    let delivered = latest
        .iter()
        .filter(|attempt| attempt.state == State::Delivered)
        .count();
    let mut durations: Vec<i64> = latest.iter().map(|attempt| attempt.duration_us).collect();
    durations.sort_unstable();
    Health {
        attempts: latest.len(),
        success_rate: part(delivered, latest.len()),
        p50_us: percentile(&durations, 50),
        p95_us: percentile(&durations, 95),
        p99_us: percentile(&durations, 99),
        backlog,
        oldest_waiting_at,
    }
}

/// A thousand attempts at most, so both numbers are small.
fn part(of: usize, all: usize) -> Option<f64> {
    let of = f64::from(u32::try_from(of).ok()?);
    let all = f64::from(u32::try_from(all).ok()?);
    (all > 0.0).then(|| of / all)
}

/// The smallest of the sorted values that so many of a hundred do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}

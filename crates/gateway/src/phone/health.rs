//! How a phone is doing, by its heartbeats.

use std::time::Duration;

use db::{Scalar, Tx};
use serde::Serialize;
use uuid::Uuid;

use super::{Phone, by_id};
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Result};

/// Days that can be looked at.
pub const DAYS: i64 = 90;

const HOUR: Duration = Duration::from_hours(1);

/// Gaps that are shown at most, the latest.
const GAPS: i64 = 200;

/// How a phone is doing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// Whether it is heard of.
    pub online: bool,
    /// When its last heartbeat came.
    pub last_heartbeat_at: Option<Time>,
    /// Whether it was plugged in then.
    pub charging: Option<bool>,
    /// What its app called itself then.
    pub version: Option<String>,
    /// The part of the time in which it was heard of, from 0 to 100; null for a new phone.
    pub uptime_percent: Option<f64>,
    /// When it was not heard of, the latest first.
    pub gaps: Vec<Gap>,
    /// Heartbeats by the hour; hours without any are left out.
    pub buckets: Vec<Bucket>,
}

/// A time without heartbeats that was longer than a phone may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The last heartbeat before it.
    pub from: Time,
    /// The first one after it; none so far, if null.
    pub to: Option<Time>,
}

/// Heartbeats of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// When the hour begins.
    pub from: Time,
    /// Heartbeats in it.
    pub beats: i64,
}

db::row! {
    struct Last { charging: bool, version: String }

    struct Silence { since: Time, until: Time }

    struct Count { part: i64, beats: i64 }
}

impl Gateway {
    /// How a phone has been doing for so many days.
    pub async fn phone_health(&self, caller: &Caller, id: Uuid, days: i64) -> Result<Health> {
        let (user_id, now) = (caller.user_id.clone(), self.now());
        let silent_for = self.0.settings.phone_offline_after;
        self.read(move |tx| {
            let phone = by_id(tx, &user_id, id)?;
            let first = now.micros() - days.clamp(1, DAYS) * 24 * micros(HOUR);
            let from = Time::from_micros(first - first.rem_euclid(micros(HOUR)));
            let seen = seen_from(tx, &phone, from)?;
            let gaps = gaps(tx, &phone, seen, silent_for, now)?;
            let last: Option<Last> = tx.optional(
                "SELECT charging, version FROM heartbeat
                  WHERE user_id = $1 AND owner = $2 ORDER BY timestamp DESC LIMIT 1",
                &[&user_id, &phone.phone_number],
            )?;
            Ok(Health {
                online: phone.online,
                last_heartbeat_at: phone.heartbeat_at,
                charging: last.as_ref().map(|last| last.charging),
                version: last.map(|last| last.version),
                uptime_percent: uptime(&gaps, seen.max(from), silent_for, now),
                gaps,
                buckets: buckets(tx, &phone, from)?,
            })
        })
        .await
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn buckets(tx: &mut Tx<'_>, phone: &Phone, from: Time) -> Result<Vec<Bucket>> {
    let counts: Vec<Count> = tx.all(
        "SELECT (timestamp - $3) / $4 AS part, count(*) AS beats FROM heartbeat
          WHERE user_id = $1 AND owner = $2 AND timestamp >= $3 GROUP BY 1 ORDER BY 1",
        &[&phone.user_id, &phone.phone_number, &from, &micros(HOUR)],
    )?;
    let bucket = |count: Count| Bucket {
        from: Time::from_micros(from.micros() + count.part * micros(HOUR)),
        beats: count.beats,
    };
    Ok(counts.into_iter().map(bucket).collect())
}

/// The last sign of life before the time that is looked at, or the phone's own beginning.
fn seen_from(tx: &mut Tx<'_>, phone: &Phone, from: Time) -> Result<Time> {
    let Scalar(before): Scalar<Option<Time>> = tx.one(
        "SELECT MAX(timestamp) FROM heartbeat
          WHERE user_id = $1 AND owner = $2 AND timestamp < $3",
        &[&phone.user_id, &phone.phone_number, &from],
    )?;
    Ok(before.unwrap_or(phone.created_at.max(from)))
}

/// The times of silence since then, the latest first.
fn gaps(
    tx: &mut Tx<'_>,
    phone: &Phone,
    seen: Time,
    silent_for: Duration,
    now: Time,
) -> Result<Vec<Gap>> {
    let silences: Vec<Silence> = tx.all(
        "SELECT since, until FROM (
             SELECT LAG(timestamp, 1, $3) OVER (ORDER BY timestamp) AS since, timestamp AS until
               FROM heartbeat WHERE user_id = $1 AND owner = $2 AND timestamp > $3) AS pair
          WHERE until - since > $4 ORDER BY until DESC LIMIT $5",
        &[
            &phone.user_id,
            &phone.phone_number,
            &seen,
            &micros(silent_for),
            &GAPS,
        ],
    )?;
    let last = phone.heartbeat_at.unwrap_or(seen).max(seen);
    let open = (now.since(last) > silent_for).then_some(Gap {
        from: last,
        to: None,
    });
    let closed = silences.into_iter().map(|silence| Gap {
        from: silence.since,
        to: Some(silence.until),
    });
    Ok(open.into_iter().chain(closed).collect())
}

/// The part of the time from `since` to `now` that no gap takes. The beginning of a gap is none
/// yet: a phone may be silent for so long.
fn uptime(gaps: &[Gap], since: Time, silent_for: Duration, now: Time) -> Option<f64> {
    let all = now.since(since);
    if all.is_zero() {
        return None;
    }
    let away = |gap: &Gap| {
        let begin = (gap.from + silent_for).max(since);
        gap.to.unwrap_or(now).since(begin)
    };
    let away: Duration = gaps.iter().map(away).sum();
    let part = 1.0 - away.as_secs_f64() / all.as_secs_f64();
    Some((part.clamp(0.0, 1.0) * 10_000.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_from_when_the_phone_is_called_offline() {
        let at = |minutes: i64| Time::from_micros(minutes * 60_000_000);
        let gap = Gap {
            from: at(0),
            to: Some(at(120)),
        };
        assert_eq!(uptime(&[gap], at(0), HOUR, at(240)), Some(75.0));
        let open = Gap {
            from: at(120),
            to: None,
        };
        assert_eq!(uptime(&[open, gap], at(0), HOUR, at(240)), Some(50.0));
        assert_eq!(uptime(&[], at(0), HOUR, at(1)), Some(100.0));
        assert_eq!(uptime(&[], at(5), HOUR, at(5)), None);
    }
}

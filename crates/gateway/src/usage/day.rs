//! Usage by days, on the clock of the account's zone.

use std::collections::BTreeMap;

use db::Scalar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

use super::count::Count;
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Result};

/// Days that can be asked for.
pub const DAYS: i64 = 366;

/// What happened on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Such as `2026-03-02`.
    pub day: String,
    /// Messages released to a phone.
    pub sent: i64,
    /// SMS that phones received.
    pub received: i64,
    /// Messages that failed, or expired for good.
    pub failed: i64,
}

db::row! {
    struct Quarter { start_at: Time, sent: i64, received: i64, failed: i64, position: i64 }
}

impl Gateway {
    /// So many days up to today, the earliest first, also those on which nothing happened.
    pub async fn usage_by_day(&self, caller: &Caller, days: i64) -> Result<Vec<Day>> {
        let user_id = &caller.user_id;
        let current = self.counted_until_now(user_id).await?;
        let zone = self.zone(user_id).await?;
        let today = date(self.now(), &zone);
        let first = today.saturating_sub((days.clamp(1, DAYS) - 1).days());
        let mut all: BTreeMap<Date, Count> = first
            .series(1.day())
            .take_while(|day| *day <= today)
            .map(|day| (day, Count::default()))
            .collect();
        let quarters = self.quarters(user_id, first, &zone).await?;
        let place = match quarters.first() {
            Some(quarter) => quarter.position,
            None => self.place(user_id).await?,
        };
        let late = self.uncounted(user_id, place, current.anchor).await?;
        let counted = quarters.iter().map(|quarter| {
            let count = Count {
                sent: quarter.sent,
                received: quarter.received,
                failed: quarter.failed,
            };
            (quarter.start_at, count)
        });
        for (at, count) in counted.chain(late.quarters) {
            if let Some(day) = all.get_mut(&date(at, &zone)) {
                day.add(count);
            }
        }
        Ok(all.into_iter().map(Day::from).collect())
    }

    /// What is counted from this day on, with the place in the log up to which it is.
    async fn quarters(&self, user_id: &str, first: Date, zone: &TimeZone) -> Result<Vec<Quarter>> {
        let midnight = first.to_zoned(zone.clone());
        let midnight = midnight.map_or(0, |at| at.timestamp().as_microsecond());
        let user_id = user_id.to_owned();
        self.read(move |tx| {
            Ok(tx.all(
                "SELECT start_at, sent, received, failed, COALESCE((SELECT position FROM usage_place
                        WHERE usage_place.user_id = $1), 0) AS position
                   FROM usage_quarter WHERE user_id = $1 AND start_at >= $2",
                &[&user_id, &midnight],
            )?)
        })
        .await
    }

    async fn zone(&self, user_id: &str) -> Result<TimeZone> {
        let user_id = user_id.to_owned();
        let Scalar(name): Scalar<String> = self
            .lookup(
                move |tx| Ok(tx.one("SELECT timezone FROM account WHERE id = $1", &[&user_id])?),
            )
            .await?;
        Ok(TimeZone::get(&name).unwrap_or(TimeZone::UTC))
    }
}

impl From<(Date, Count)> for Day {
    fn from((day, count): (Date, Count)) -> Self {
        Self {
            day: day.to_string(),
            sent: count.sent,
            received: count.received,
            failed: count.failed,
        }
    }
}

fn date(time: Time, zone: &TimeZone) -> Date {
    let timestamp = Timestamp::from_microsecond(time.micros()).unwrap_or(Timestamp::MAX);
    zone.to_datetime(timestamp).date()
}

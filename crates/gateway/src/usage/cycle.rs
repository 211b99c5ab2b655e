//! Billing cycles: months that begin on the account's own day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::clock::Time;

/// One month of an account, in UTC: from midnight of its day to one second before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cycle {
    pub start: Time,
    pub end: Time,
}

impl Cycle {
    /// The cycle of an account made at `anchor` that contains `at`. In a month that is too short
    /// for the account's day it begins on the last one.
    pub(super) fn containing(at: Time, anchor: Time) -> Self {
        let (today, day) = (date(at), date(anchor).day());
        let this = begin(today.first_of_month(), day);
        let start = if this <= today {
            this
        } else {
            begin(month(today, -1), day)
        };
        let next = begin(month(start, 1), day);
        Self {
            start: midnight(start),
            end: Time::from_micros(midnight(next).micros() - 1_000_000),
        }
    }
}

/// The first day of a month before or after.
fn month(date: Date, step: i64) -> Date {
    date.first_of_month().saturating_add(step.months())
}

fn begin(first: Date, day: i8) -> Date {
    let last = first.days_in_month();
    first.saturating_add(i64::from(day.min(last) - 1).days())
}

fn date(time: Time) -> Date {
    let timestamp = Timestamp::from_microsecond(time.micros()).unwrap_or(Timestamp::MAX);
    timestamp.to_zoned(TimeZone::UTC).date()
}

fn midnight(date: Date) -> Time {
    let midnight = date.to_zoned(TimeZone::UTC);
    Time::from_micros(midnight.map_or(i64::MAX, |at| at.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(anchor: &str, at: &str) -> [String; 2] {
        let cycle = Cycle::containing(at.parse().unwrap(), anchor.parse().unwrap());
        [cycle.start.to_string(), cycle.end.to_string()]
    }

    #[test]
    fn a_cycle_begins_on_the_day_of_the_account() {
        let anchor = "2025-11-10T17:03:00Z";
        assert_eq!(
            cycle(anchor, "2026-02-10T00:00:00Z"),
            ["2026-02-10T00:00:00Z", "2026-03-09T23:59:59Z"]
        );
        assert_eq!(
            cycle(anchor, "2026-02-09T23:59:59.999Z"),
            ["2026-01-10T00:00:00Z", "2026-02-09T23:59:59Z"]
        );
        assert_eq!(
            cycle(anchor, "2026-01-01T00:00:00Z"),
            ["2025-12-10T00:00:00Z", "2026-01-09T23:59:59Z"]
        );
    }

    #[test]
    fn a_short_month_begins_on_its_last_day() {
        let anchor = "2025-08-31T12:00:00Z";
        assert_eq!(
            cycle(anchor, "2026-02-28T00:00:00Z"),
            ["2026-02-28T00:00:00Z", "2026-03-30T23:59:59Z"]
        );
        assert_eq!(
            cycle(anchor, "2026-02-27T00:00:00Z"),
            ["2026-01-31T00:00:00Z", "2026-02-27T23:59:59Z"]
        );
        assert_eq!(
            cycle(anchor, "2028-02-29T08:00:00Z"),
            ["2028-02-29T00:00:00Z", "2028-03-30T23:59:59Z"]
        );
    }

    #[test]
    fn cycles_follow_each_other_without_a_gap() {
        let anchor: Time = "2024-01-30T00:00:00Z".parse().unwrap();
        let mut at = anchor;
        for _ in 0..40 {
            let cycle = Cycle::containing(at, anchor);
            assert_eq!(cycle.start, at);
            at = Time::from_micros(cycle.end.micros() + 1_000_000);
        }
    }
}

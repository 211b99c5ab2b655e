//! The hours of a week in a zone, and the next instant that lies within them.

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _, civil};

use super::Window;
use crate::clock::Time;

/// How many days ahead an open hour is looked for: one that a clock change swallows comes a week later.
const DAYS: i32 = 15;

/// When a phone may send: windows on the clock of a zone.
#[derive(Debug, Clone)]
pub struct Week {
    zone: TimeZone,
    windows: Vec<Window>,
}

impl Week {
    /// `None`, which stands for "at any time", without windows or in a zone nobody knows.
    pub fn new(timezone: &str, windows: Vec<Window>) -> Option<Self> {
        let zone = TimeZone::get(timezone).ok()?;
        (!windows.is_empty()).then_some(Self { zone, windows })
    }

    /// The earliest instant from `time` on that lies in a window.
    pub fn next(&self, time: Time) -> Time {
        let Ok(from) = Timestamp::from_microsecond(time.micros()) else {
            return time;
        };
        if self.is_open(from) {
            return time;
        }
        let next = self
            .starts(from)
            .chain(self.changes(from))
            .filter(|at| *at >= from && self.is_open(*at))
            .min();
        next.map_or(time, |at| Time::from_micros(at.as_microsecond()))
    }

    /// Whether the clock shows a time in a window.
    fn is_open(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        self.on(local.date())
            .any(|window| (window.start_minute..window.end_minute).contains(&minute))
    }

    fn on(&self, date: civil::Date) -> impl Iterator<Item = &Window> {
        let day = i64::from(date.weekday().to_sunday_zero_offset());
        self.windows
            .iter()
            .filter(move |window| window.day_of_week == day)
    }

    /// The instants at which windows begin: none if the clock jumps over one, two if it shows it twice.
    fn starts(&self, from: Timestamp) -> impl Iterator<Item = Timestamp> {
        let today = self.zone.to_datetime(from).date();
        (0..DAYS)
            .filter_map(move |days| today.checked_add(days.days()).ok())
            .flat_map(|date| self.on(date).map(move |window| (date, window.start_minute)))
            .flat_map(|(date, minute)| self.instants(date, minute))
    }

    fn instants(&self, date: civil::Date, minute: i64) -> impl Iterator<Item = Timestamp> {
        // Windows are checked before they are stored: the hour is one of a day.
        let local = date.at(
            i8::try_from(minute / 60).unwrap_or(0),
            i8::try_from(minute % 60).unwrap_or(0),
            0,
            0,
        );
        let offsets = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
            AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
            AmbiguousOffset::Gap { .. } => [None, None],
        };
        offsets
            .into_iter()
            .flatten()
            .filter_map(move |offset| offset.to_timestamp(local).ok())
    }

    /// The instants at which the clock is changed: it may jump into a window.
    fn changes(&self, from: Timestamp) -> impl Iterator<Item = Timestamp> {
        let until = from + (i64::from(DAYS) * 24).hours();
        self.zone
            .following(from)
            .map(|change| change.timestamp())
            .take_while(move |at| *at <= until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn week(zone: &str, windows: &[(i64, i64, i64)]) -> Week {
        let windows = windows
            .iter()
            .map(|&(day_of_week, start_minute, end_minute)| Window {
                day_of_week,
                start_minute,
                end_minute,
            })
            .collect();
        Week::new(zone, windows).unwrap()
    }

    fn next(week: &Week, time: &str) -> String {
        week.next(time.parse().unwrap()).to_string()
    }

    const SUNDAY: i64 = 0;
    const MONDAY: i64 = 1;

    #[test]
    fn windows_begin_with_their_first_minute_and_end_before_their_last() {
        let office = week("UTC", &[(MONDAY, 540, 1080)]);
        // 2 March 2026 is a Monday.
        for (from, to) in [
            ("2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"),
            ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
            ("2026-03-02T17:59:59.999999Z", "2026-03-02T17:59:59.999999Z"),
            ("2026-03-02T18:00:00Z", "2026-03-09T09:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-03-02T09:00:00Z"),
        ] {
            assert_eq!(next(&office, from), to, "{from}");
        }
    }

    #[test]
    fn without_windows_or_zone_any_time_is_right() {
        assert!(Week::new("UTC", Vec::new()).is_none());
        let window = Window {
            day_of_week: 0,
            start_minute: 0,
            end_minute: 1,
        };
        assert!(Week::new("Mars/Base", vec![window]).is_none());
    }

    /// London, 29 March 2026: 01:00 becomes 02:00.
    #[test]
    fn the_hours_of_the_clock_count_on_the_day_it_is_put_forward() {
        let zone = "Europe/London";
        let early = "2026-03-29T00:00:00Z";
        let clock = week(zone, &[(SUNDAY, 540, 600)]);
        assert_eq!(next(&clock, early), "2026-03-29T08:00:00Z");
        // Half of the window is jumped over: it opens with the jump.
        let half = week(zone, &[(SUNDAY, 90, 150)]);
        assert_eq!(next(&half, early), "2026-03-29T01:00:00Z");
        assert_eq!(next(&half, "2026-03-29T01:30:00Z"), "2026-04-05T00:30:00Z");
        // All of it is: the next one is a week later.
        let lost = week(zone, &[(SUNDAY, 70, 110)]);
        assert_eq!(next(&lost, early), "2026-04-05T00:10:00Z");
    }

    /// New York, 1 November 2026: 02:00 becomes 01:00 again.
    #[test]
    fn a_window_that_the_clock_shows_twice_opens_twice() {
        let zone = "America/New_York";
        let twice = week(zone, &[(SUNDAY, 80, 100)]);
        for (from, to) in [
            ("2026-11-01T05:00:00Z", "2026-11-01T05:20:00Z"),
            ("2026-11-01T05:40:00Z", "2026-11-01T06:20:00Z"),
            ("2026-11-01T06:40:00Z", "2026-11-08T06:20:00Z"),
        ] {
            assert_eq!(next(&twice, from), to, "{from}");
        }
        // Open until the clock is put back, and open again at once after that.
        let around = week(zone, &[(SUNDAY, 60, 120)]);
        assert_eq!(
            next(&around, "2026-11-01T05:59:59Z"),
            "2026-11-01T05:59:59Z"
        );
        assert_eq!(
            next(&around, "2026-11-01T06:00:00Z"),
            "2026-11-01T06:00:00Z"
        );
    }

    /// Samoa left out Friday, 30 December 2011.
    #[test]
    fn a_day_that_does_not_exist_is_waited_over() {
        let fridays = week("Pacific/Apia", &[(5, 0, 1440)]);
        assert_eq!(
            next(&fridays, "2011-12-30T09:00:00Z"),
            "2012-01-05T10:00:00Z"
        );
    }

    fn weeks() -> impl Strategy<Value = Week> {
        let zone = prop::sample::select(vec![
            "UTC",
            "Europe/London",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "America/Santiago",
            "Africa/Casablanca",
        ]);
        let window = (0..7_i64, 0..1440_i64, 1..400_i64)
            .prop_map(|(day, start, length)| (day, start, (start + length).min(1440)));
        (zone, prop::collection::vec(window, 1..5)).prop_map(|(zone, list)| week(zone, &list))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Never earlier than asked for, within a window, and no whole minute between is.
        #[test]
        fn the_next_instant_is_the_earliest_open_one(
            week in weeks(),
            micros in 1_767_225_600_000_000..1_830_297_600_000_000_i64,
        ) {
            let from = Time::from_micros(micros);
            let next = week.next(from);
            prop_assert!(next >= from);
            let open = |time: Time| {
                week.is_open(Timestamp::from_microsecond(time.micros()).unwrap())
            };
            prop_assert!(open(next));
            prop_assert_eq!(week.next(next), next);
            // Zones differ from UTC by whole minutes, so windows begin and end with one.
            if next > from {
                prop_assert!(!open(from));
                let mut minute = Time::from_micros(micros.div_euclid(60_000_000) * 60_000_000);
                loop {
                    minute = minute + std::time::Duration::from_mins(1);
                    if minute >= next {
                        break;
                    }
                    prop_assert!(!open(minute), "open at {minute} already, not only at {next}");
                }
            }
        }
    }
}

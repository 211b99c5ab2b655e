//! Instants, and the one place that reads the clock.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Serialize, Serializer};

/// An instant: microseconds since 1970 in UTC, as the database keeps it.
///
/// Shown as RFC 3339 with the fewest fractional digits, as the wire wants it: `2026-03-04T09:15:20.1Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

db::column!(Time as i64);

impl Time {
    /// What the wire shows for a phone's missing timestamp: the first instant of year 1.
    pub const ZERO: Self = Self(-62_135_596_800_000_000);

    /// The instant this many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time from `earlier` to here; zero if it lies after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// With whole seconds only, as pushes name an instant.
    #[must_use]
    pub const fn truncated_to_seconds(self) -> Self {
        Self(self.seconds() * 1_000_000)
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => f.write_str("9999-12-31T23:59:59Z"),
        }
    }
}

impl FromStr for Time {
    type Err = NotATime;

    /// Reads RFC 3339 with an offset and up to nine fractional digits.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        // RFC 3339 wants the `T`; the parser would also take a space.
        if text.as_bytes().get(10) != Some(&b'T') {
            return Err(NotATime);
        }
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        Ok(Self(timestamp.as_microsecond()))
    }
}

/// The text is no RFC 3339 instant with an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time with an offset, such as 2026-03-04T09:15:20Z")]
pub struct NotATime;

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the product gets the time from: the system, or a test's hand.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is moved with [`Clock::advance`].
    pub fn manual(start: Time) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.0))))
    }

    /// The time now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn now(&self) -> Time {
        match &self.0 {
            None => Time(jiff::Timestamp::now().as_microsecond()),
            Some(hand) => Time(hand.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward; the system's clock takes no orders.
    pub fn advance(&self, by: Duration) {
        if let Some(hand) = &self.0 {
            hand.fetch_add(
                i64::try_from(by.as_micros()).unwrap_or(i64::MAX),
                Ordering::SeqCst,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_fewest_fractional_digits() {
        for text in [
            "2026-03-04T09:15:20Z",
            "2026-03-04T09:15:20.1Z",
            "2026-03-04T09:15:20.118201Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        assert_eq!(Time::ZERO.to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn reads_what_phones_and_clients_send() {
        let at = |text: &str| text.parse::<Time>().map(|time| time.to_string());
        assert_eq!(
            at("2026-01-02T03:04:05.678000000Z").as_deref(),
            Ok("2026-01-02T03:04:05.678Z")
        );
        assert_eq!(
            at("2026-01-02T03:04:05+02:00").as_deref(),
            Ok("2026-01-02T01:04:05Z")
        );
        for wrong in [
            "",
            "abc",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-13-02T03:04:05Z",
        ] {
            assert_eq!(at(wrong), Err(NotATime), "{wrong}");
        }
    }
}

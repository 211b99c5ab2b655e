//! Moments as phones write them, and the one place where the agents read the clock.
//! UTC, milliseconds followed by six zeros, `Z` (the phone protocol §3).

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A moment that prints as `2026-01-02T03:04:05.678000000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(Timestamp);

impl Stamp {
    /// This moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the phone's clock, which is not the server's"
    )]
    pub fn now() -> Self {
        Self(Timestamp::now())
    }
}

impl From<Timestamp> for Stamp {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S.%3f000000Z"))
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Stamp, Timestamp};

    #[test]
    fn a_stamp_has_milliseconds_and_six_zeros() {
        for (moment, expected) in [
            (
                "2026-01-02T03:04:05.678999999Z",
                "2026-01-02T03:04:05.678000000Z",
            ),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
            (
                "2026-01-02T05:04:05.007+02:00",
                "2026-01-02T03:04:05.007000000Z",
            ),
        ] {
            let moment: Timestamp = moment.parse().unwrap();
            assert_eq!(Stamp::from(moment).to_string(), expected);
        }
    }

    #[test]
    fn a_stamp_is_a_json_string() {
        let epoch = Stamp::from(Timestamp::UNIX_EPOCH);
        assert_eq!(
            serde_json::to_string(&epoch).unwrap(),
            "\"1970-01-01T00:00:00.000000000Z\""
        );
    }
}

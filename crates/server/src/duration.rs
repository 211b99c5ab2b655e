//! Durations as people write them: `5d`, `1h`, `30m`, `4s`, `250ms`, and ranges of them.
//! Parsing only; what a duration means stands with the setting.

use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

/// A duration longer than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(pub Duration);

/// From one duration to a longer one: `100ms..2s`; a single one stands for both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span(pub Range<Duration>);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match parse(text)? {
            Duration::ZERO => Err(format!("`{text}` must be longer than nothing")),
            duration => Ok(Self(duration)),
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (start, end) = text.split_once("..").unwrap_or((text, text));
        let (start, end) = (parse(start)?, parse(end)?);
        if start > end {
            return Err(format!("`{text}` must go from the shorter to the longer"));
        }
        Ok(Self(start..end))
    }
}

fn parse(text: &str) -> Result<Duration, String> {
    // A bare number would be read by some as seconds, by others as milliseconds.
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    text.trim()
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(day).ok())
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| format!("`{text}` is no duration such as 1h, 30m, 4s or 250ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, seconds) in [
            ("1h", 3600),
            ("30m", 1800),
            ("4s", 4),
            ("1h30m", 5400),
            ("5d", 432_000),
        ] {
            assert_eq!(text.parse(), Ok(Period(Duration::from_secs(seconds))));
        }
        assert_eq!("250ms".parse(), Ok(Period(Duration::from_millis(250))));
        assert_eq!("1.5s".parse(), Ok(Period(Duration::from_millis(1500))));
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for wrong in ["", "1", "h", "-1h", "4 apples", "0s", "1h..2h"] {
            let complaint = wrong.parse::<Period>().unwrap_err();
            assert!(complaint.contains(wrong), "{complaint}");
        }
    }

    #[test]
    fn a_span_goes_from_short_to_long() {
        let millis = |start, end| Span(Duration::from_millis(start)..Duration::from_millis(end));
        assert_eq!("100ms..2s".parse(), Ok(millis(100, 2000)));
        assert_eq!("0s..1s".parse(), Ok(millis(0, 1000)));
        assert_eq!("300ms".parse(), Ok(millis(300, 300)));
        for wrong in ["2s..1s", "..", "1s..", "..1s", "1s...2s"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}

//! How a webhook wants to be told: how often to try, in which order and form, and of what.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::Fields;

/// The longest delay that a schedule may have.
const LONGEST: u32 = 24 * 3600;

/// The most retries that a schedule may have.
const MOST: usize = 50;

/// How a webhook wants to be told. Every member has a default, which is what the reference does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// When to try again.
    pub retry_schedule: RetrySchedule,
    /// In which order events arrive.
    pub ordering: Ordering,
    /// The form of the request.
    pub mode: Mode,
    /// Requests at the same time at most; absent: the server's own limit.
    pub max_concurrency: Option<u16>,
    /// Requests in a second at most; absent: no limit.
    pub max_per_second: Option<u32>,
    /// Adds the body's SHA-256 to the token, for receivers that want one header to vouch for all.
    pub sign_body: bool,
    /// When the receiver answers again after failures, sends once more what was given up meanwhile.
    pub catch_up: bool,
    /// All phones of the account, also those to come; `phone_numbers` then says nothing.
    pub all_phone_numbers: bool,
    /// Which events of the chosen types and numbers.
    pub filter: Filter,
}

/// When a failed delivery is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RetrySchedule {
    /// A named one.
    Named(Preset),
    /// The delay before each retry, in seconds.
    Delays(Vec<u32>),
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self::Named(Preset::Documented)
    }
}

/// Schedules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Four retries within half a minute: what the documentation promises.
    Documented,
    /// Eight retries within an hour.
    Hour,
    /// Twelve retries within a day.
    Day,
    /// Fifteen retries within three days.
    ThreeDays,
}

impl Preset {
    /// The delay before each retry, in seconds.
    const fn delays(self) -> &'static [u32] {
        match self {
            Self::Documented => &[1, 2, 4, 8],
            Self::Hour => &[1, 5, 15, 60, 120, 300, 900, 1800],
            Self::Day => &[
                1, 5, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 21600, 28800,
            ],
            Self::ThreeDays => &[
                1, 5, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 21600, 28800, 43200, 57600, 72000,
            ],
        }
    }
}

impl RetrySchedule {
    /// The delay before each retry.
    pub fn delays(&self) -> Vec<Duration> {
        let seconds = match self {
            Self::Named(preset) => preset.delays(),
            Self::Delays(delays) => delays,
        };
        seconds
            .iter()
            .map(|seconds| Duration::from_secs((*seconds).into()))
            .collect()
    }
}

/// In which order a webhook gets its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// As they come, many at a time; a failed one does not hold up the others.
    #[default]
    None,
    /// Those about one contact one after the other: the next one leaves when the one before was
    /// delivered or given up.
    Contact,
}

/// The form of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The whole CloudEvent is the body.
    #[default]
    Structured,
    /// The CloudEvent's attributes are `ce-` headers, its data is the body.
    Binary,
    /// As 3CX wants to be told of SMS.
    #[serde(rename = "3cx")]
    ThreeCx,
}

impl Policy {
    /// What is wrong with it, by the names of the wire.
    pub fn check(&self) -> Result<(), Fields> {
        let mut wrong = Fields::default();
        if let RetrySchedule::Delays(delays) = &self.retry_schedule {
            if delays.len() > MOST {
                wrong.add(
                    "retry_schedule",
                    format!("The retry_schedule field must have at most {MOST} delays"),
                );
            }
            if delays.iter().any(|delay| !(1..=LONGEST).contains(delay)) {
                wrong.add(
                    "retry_schedule",
                    format!(
                        "The retry_schedule field must have delays between 1 and {LONGEST} seconds"
                    ),
                );
            }
        }
        if self
            .max_concurrency
            .is_some_and(|most| !(1..=1024).contains(&most))
        {
            wrong.add(
                "max_concurrency",
                "The max_concurrency field must be between 1 and 1024",
            );
        }
        if self
            .max_per_second
            .is_some_and(|most| !(1..=100_000).contains(&most))
        {
            wrong.add(
                "max_per_second",
                "The max_per_second field must be between 1 and 100000",
            );
        }
        self.filter.check(&mut wrong);
        wrong.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_as_documented() {
        let policy: Policy = serde_json::from_str("{}").unwrap();
        assert_eq!(policy, Policy::default());
        let delays: Vec<_> = policy
            .retry_schedule
            .delays()
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(delays, [1, 2, 4, 8]);
    }

    #[test]
    fn schedules_have_names_or_delays() {
        let read = |text| serde_json::from_str::<Policy>(text).map(|policy| policy.retry_schedule);
        assert_eq!(
            read(r#"{"retry_schedule":"three_days"}"#).unwrap(),
            RetrySchedule::Named(Preset::ThreeDays)
        );
        assert_eq!(
            read(r#"{"retry_schedule":[1,60]}"#).unwrap(),
            RetrySchedule::Delays(vec![1, 60])
        );
        assert!(read(r#"{"retry_schedule":"soon"}"#).is_err());
        let three_days: u32 = Preset::ThreeDays.delays().iter().sum();
        assert!(
            (2 * 86400..=3 * 86400 + 7200).contains(&three_days),
            "{three_days}"
        );
        let policy = Policy {
            retry_schedule: RetrySchedule::Delays(vec![0]),
            ..Policy::default()
        };
        assert!(policy.check().is_err());
    }
}

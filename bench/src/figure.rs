//! A measured figure, the goal beside it, and how both are written.
//! Percentiles and the conversions to floating point are here too.

use std::fmt;
use std::time::Duration;

/// One figure of one run.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured, in words.
    pub what: String,
    /// In `unit`.
    pub value: f64,
    /// How the value is written.
    pub unit: Unit,
    /// What was hoped for.
    pub goal: Option<Goal>,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// So many each second.
    PerSecond,
    /// Processor time in seconds.
    CpuSeconds,
    /// Milliseconds.
    Millis,
    /// Mebibytes.
    Megabytes,
    /// A plain number.
    Count,
    /// A part of the whole machine, in percent.
    Percent,
    /// A part of another figure, in percent.
    Share,
}

/// A bound that a figure should keep.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
}

impl Figure {
    /// A figure without a goal.
    pub fn new(what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            goal: None,
        }
    }

    /// The same with a goal.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }
}

impl Goal {
    /// Whether a value keeps it.
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    /// As it is written.
    pub fn text(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", unit.text(least)),
            Self::AtMost(most) => format!("≤ {}", unit.text(most)),
        }
    }
}

impl Unit {
    /// The value with its unit.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", Thousands(value)),
            Self::CpuSeconds => format!("{value:.3} s"),
            Self::Millis if value < 10.0 => format!("{value:.2} ms"),
            Self::Millis => format!("{} ms", Thousands(value)),
            Self::Megabytes if value < 10.0 => format!("{value:.1} MB"),
            Self::Megabytes => format!("{} MB", Thousands(value)),
            Self::Count => Thousands(value).to_string(),
            Self::Percent | Self::Share => format!("{value:.0} %"),
        }
    }
}

/// A whole number with its thousands set apart.
struct Thousands(f64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.0}", self.0);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// How much of the machine others took in a run, in percent.
pub fn others(figures: &[Figure]) -> f64 {
    let others = figures.iter().filter(|figure| figure.unit == Unit::Percent);
    others.map(|figure| figure.value).fold(0.0, f64::max)
}

/// A count as a number to calculate with.
pub fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Bytes in mebibytes.
pub fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The value below which so many percent of them lie; zero when there are none.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    let index = rank.saturating_sub(1).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

/// The middle of some values; zero when there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_with_their_units() {
        assert_eq!(Unit::PerSecond.text(14_000.4), "14,000/s");
        assert_eq!(Unit::CpuSeconds.text(0.08), "0.080 s");
        assert_eq!(Unit::Millis.text(1.234), "1.23 ms");
        assert_eq!(Unit::Millis.text(1234.5), "1,234 ms");
        assert_eq!(Unit::Megabytes.text(300.0), "300 MB");
        assert_eq!(Unit::Count.text(1_000_000.0), "1,000,000");
        assert_eq!(Unit::Share.text(49.6), "50 %");
        assert_eq!(Goal::AtMost(5.0).text(Unit::Millis), "≤ 5.00 ms");
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&values[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }
}

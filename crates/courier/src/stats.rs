//! Figures of the courier, for whoever shows them. Counted by one task, read by anybody.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use gateway::delivery::{Kind, Outcome, Seen};

use crate::carry::Ending;

/// The upper bounds of the histogram of durations, in microseconds and as Prometheus has them.
const BUCKETS: [(u64, &str); 12] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
];

/// What the courier has done since it started, and what it holds.
#[derive(Debug, Default)]
pub struct Stats {
    attempts: AtomicU64,
    delivered: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
    in_flight: AtomicU64,
    held: AtomicU64,
    resting: AtomicU64,
    webhooks: Webhooks,
}

/// Attempts at webhooks alone.
#[derive(Debug, Default)]
struct Webhooks {
    delivered: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
    /// Those that took as long as a bucket's bound and longer than the one before; the last is for all longer.
    durations: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

impl Stats {
    /// Attempts that were made or are under way.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Relaxed)
    }

    /// Events that webhooks took, and wake-ups that were sent or offered.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Attempts that failed and are followed by another.
    pub fn retried(&self) -> u64 {
        self.retried.load(Relaxed)
    }

    /// Deliveries that were given up.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Attempts under way now.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Rows in memory now.
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    /// Webhooks that are given a rest now, because they fail.
    pub fn resting(&self) -> u64 {
        self.resting.load(Relaxed)
    }

    /// Adds these figures in the text format of Prometheus.
    pub fn render_prometheus(&self, out: &mut String) {
        let webhooks = &self.webhooks;
        head(
            out,
            "httpsms_webhook_attempts_total",
            "counter",
            "Attempts at webhooks by what came of them.",
        );
        for (outcome, count) in [
            ("delivered", &webhooks.delivered),
            ("retried", &webhooks.retried),
            ("failed", &webhooks.failed),
        ] {
            let count = count.load(Relaxed);
            line(
                out,
                format_args!("httpsms_webhook_attempts_total{{outcome=\"{outcome}\"}} {count}"),
            );
        }
        webhooks.render_durations(out);
        for (name, help, gauge) in [
            (
                "httpsms_deliveries_in_flight",
                "Attempts under way.",
                &self.in_flight,
            ),
            (
                "httpsms_deliveries_held",
                "Deliveries that the courier holds in memory.",
                &self.held,
            ),
            (
                "httpsms_webhook_breakers_open",
                "Webhooks that are given a rest, because they fail.",
                &self.resting,
            ),
        ] {
            head(out, name, "gauge", help);
            line(out, format_args!("{name} {}", gauge.load(Relaxed)));
        }
    }

    pub(crate) fn started(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    pub(crate) fn ended(&self, kind: Kind, ending: &Ending, seen: Option<&Seen>) {
        let (all, webhook) = match ending {
            Ending::NotNow { .. } | Ending::Settled(Outcome::Parked) => {
                self.attempts.fetch_sub(1, Relaxed);
                return;
            }
            Ending::Settled(Outcome::Dropped | Outcome::Retry { .. }) => return,
            Ending::Settled(Outcome::Dead { .. }) => (&self.failed, &self.webhooks.failed),
            Ending::Settled(_) => (&self.delivered, &self.webhooks.delivered),
            Ending::Again(_) => (&self.retried, &self.webhooks.retried),
        };
        all.fetch_add(1, Relaxed);
        if kind == Kind::Webhook {
            webhook.fetch_add(1, Relaxed);
        }
        if let Some(seen) = seen {
            self.webhooks.took(seen.duration);
        }
    }

    pub(crate) fn now(&self, in_flight: usize, held: usize, resting: usize) {
        self.in_flight.store(in_flight as u64, Relaxed);
        self.held.store(held as u64, Relaxed);
        self.resting.store(resting as u64, Relaxed);
    }
}

impl Webhooks {
    fn took(&self, duration: Duration) {
        let micros = duration.as_micros() as u64;
        let bucket = BUCKETS.partition_point(|(bound, _)| *bound < micros);
        self.durations[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    fn render_durations(&self, out: &mut String) {
        let name = "httpsms_webhook_attempt_duration_seconds";
        head(
            out,
            name,
            "histogram",
            "How long attempts at webhooks took.",
        );
        let bounds = BUCKETS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        let mut count = 0;
        for (bound, bucket) in bounds.zip(&self.durations) {
            count += bucket.load(Relaxed);
            line(out, format_args!("{name}_bucket{{le=\"{bound}\"}} {count}"));
        }
        let seconds = Duration::from_micros(self.micros.load(Relaxed)).as_secs_f64();
        line(out, format_args!("{name}_sum {seconds}"));
        line(out, format_args!("{name}_count {count}"));
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    line(out, format_args!("# HELP {name} {help}"));
    line(out, format_args!("# TYPE {name} {kind}"));
}

/// A text takes everything.
fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(duration: Duration) -> Seen {
        Seen {
            started_at: gateway::Time::from_micros(0),
            duration,
            url: String::new(),
            request_headers: String::new(),
            status: None,
            response_headers: None,
            response_body: None,
            error: None,
        }
    }

    #[test]
    fn the_figures_are_shown_as_prometheus_reads_them() {
        let stats = Stats::default();
        for micros in [1_000, 1_001, 3_000_000, 9_000_000] {
            stats.started();
            let seen = seen(Duration::from_micros(micros));
            stats.ended(
                Kind::Webhook,
                &Ending::Settled(Outcome::Delivered),
                Some(&seen),
            );
        }
        stats.started();
        stats.ended(Kind::Push, &Ending::Again(Duration::ZERO), None);
        stats.started();
        stats.ended(Kind::Webhook, &Ending::Settled(Outcome::Parked), None);
        stats.now(3, 7, 1);
        let mut text = String::new();
        stats.render_prometheus(&mut text);
        for line in [
            "# TYPE httpsms_webhook_attempts_total counter",
            r#"httpsms_webhook_attempts_total{outcome="delivered"} 4"#,
            r#"httpsms_webhook_attempts_total{outcome="retried"} 0"#,
            r#"httpsms_webhook_attempt_duration_seconds_bucket{le="0.001"} 1"#,
            r#"httpsms_webhook_attempt_duration_seconds_bucket{le="0.0025"} 2"#,
            r#"httpsms_webhook_attempt_duration_seconds_bucket{le="5"} 3"#,
            r#"httpsms_webhook_attempt_duration_seconds_bucket{le="+Inf"} 4"#,
            "httpsms_webhook_attempt_duration_seconds_sum 12.002001",
            "httpsms_webhook_attempt_duration_seconds_count 4",
            "httpsms_deliveries_in_flight 3",
            "httpsms_deliveries_held 7",
            "httpsms_webhook_breakers_open 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!((stats.attempts(), stats.retried()), (5, 1));
    }
}

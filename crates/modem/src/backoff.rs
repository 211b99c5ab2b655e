//! How long to wait before trying again: from a tenth of a second, doubling, to half a minute.
//! Jitter keeps a thousand phones from returning to a restarted server in the same instant.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses of one row of failures.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next pause: half to all of the doubled one before.
    pub fn pause(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// It worked: the next failure starts from the shortest pause.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether there has been a pause since the last reset.
    pub fn has_failures(&self) -> bool {
        self.failures > 0
    }

    fn ceiling(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        FIRST.saturating_mul(doubled).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Duration, FIRST, LONGEST};

    #[test]
    fn pauses_double_within_their_jitter_and_stop_growing() {
        let mut backoff = Backoff::default();
        let mut ceiling = FIRST;
        for _ in 0..100 {
            let pause = backoff.pause();
            assert!(pause <= ceiling && pause >= ceiling / 2, "{pause:?}");
            ceiling = (ceiling * 2).min(LONGEST);
        }
    }

    #[test]
    fn success_starts_over() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            backoff.pause();
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(100));
    }
}

//! How fast a webhook is told: how much at once, how much in a second, and whether anything new at all.

use std::time::Duration;

use gateway::delivery::{Cause, Delivery};
use gateway::webhook::policy::Policy;

use super::breaker::Breaker;
use super::{Moment, Sign};

/// Attempts at once to a receiver of whose strength nothing is known yet.
const START: usize = 8;

/// What a webhook asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Attempts at once, at most.
    pub max_concurrency: Option<u16>,
    /// Attempts in a second, at most.
    pub max_per_second: Option<u32>,
}

impl Rules {
    /// Those of a policy.
    pub fn of(policy: &Policy) -> Self {
        Self {
            max_concurrency: policy.max_concurrency,
            max_per_second: policy.max_per_second,
        }
    }
}

/// The pace of one webhook.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// None until its policy is known.
    rules: Option<Rules>,
    pace: Pace,
    bucket: Bucket,
    breaker: Option<Box<Breaker>>,
}

impl Flow {
    /// The policy is known now; whether that is news. What was sent before counts.
    pub fn know(&mut self, rules: Rules, in_flight: usize, now: Moment) -> bool {
        let before = self.rules.replace(rules);
        if before.is_none() {
            for _ in 0..in_flight {
                self.bucket.take(self.rate(), now);
            }
        }
        before != Some(rules)
    }

    /// How many attempts may be under way, if anybody may have so many.
    ///
    /// Before the policy is known it is one, whose attempt finds it out.
    pub fn limit(&self, cap: usize) -> usize {
        self.rules
            .map_or(1, |rules| self.pace.window.min(most(rules, cap)))
    }

    /// The rate allows nothing before.
    pub fn opens(&self) -> Moment {
        self.bucket.opens(self.rate())
    }

    /// When something new may be sent; none while that depends on an attempt under way.
    pub fn new_at(&self) -> Option<Moment> {
        self.breaker
            .as_ref()
            .map_or(Some(Moment::ZERO), |breaker| breaker.new_at())
    }

    pub fn is_open(&self) -> bool {
        self.breaker
            .as_ref()
            .is_some_and(|breaker| breaker.is_open())
    }

    /// Until when this is to be remembered though there is nothing to send.
    pub fn matters_until(&self) -> Moment {
        let breaker = self.breaker.as_ref();
        let until = breaker.map_or(Moment::ZERO, |breaker| breaker.matters_until());
        until.max(self.bucket.next)
    }

    pub fn started(&mut self, delivery: &Delivery, now: Moment) {
        self.bucket.take(self.rate(), now);
        if is_new(delivery)
            && let Some(breaker) = &mut self.breaker
        {
            breaker.new_started(delivery.id);
        }
    }

    /// What was started came to nothing that tells of the receiver.
    pub fn untold(&mut self, delivery: &Delivery) {
        if let Some(breaker) = &mut self.breaker {
            breaker.untold(delivery.id);
        }
    }

    /// An attempt is over, and so many are still under way.
    pub fn ended(
        &mut self,
        delivery: &Delivery,
        sign: Sign,
        in_flight: usize,
        cap: usize,
        now: Moment,
    ) {
        match sign {
            Sign::None => self.untold(delivery),
            Sign::Good => {
                self.pace
                    .succeeded(most(self.rules.unwrap_or_default(), cap));
                if let Some(breaker) = &mut self.breaker {
                    if breaker.succeeded(delivery.id, now) {
                        self.pace = Pace::slowest();
                    }
                    if breaker.is_calm(now) {
                        self.breaker = None;
                    }
                }
            }
            Sign::Bad => {
                self.pace.failed(in_flight);
                let breaker = self.breaker.get_or_insert_default();
                breaker.failed(delivery.id, now);
            }
        }
    }

    fn rate(&self) -> Option<u32> {
        self.rules.and_then(|rules| rules.max_per_second)
    }
}

/// Whether a delivery was promised nothing yet.
pub(super) fn is_new(delivery: &Delivery) -> bool {
    delivery.attempt <= 1 && delivery.cause != Cause::Test
}

fn most(rules: Rules, cap: usize) -> usize {
    rules
        .max_concurrency
        .map_or(cap, |most| cap.min(usize::from(most)))
}

/// How much at once: one more after as many successes, half after a failure.
#[derive(Debug)]
struct Pace {
    window: usize,
    successes: usize,
    /// So many attempts began before the last failure was known.
    old: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            window: START,
            successes: 0,
            old: 0,
        }
    }
}

impl Pace {
    fn slowest() -> Self {
        Self {
            window: 1,
            ..Self::default()
        }
    }

    fn succeeded(&mut self, most: usize) {
        self.old = self.old.saturating_sub(1);
        self.successes += 1;
        if self.successes >= self.window {
            self.successes = 0;
            self.window = (self.window + 1).min(most.max(1));
        }
    }

    fn failed(&mut self, in_flight: usize) {
        self.successes = 0;
        if self.old > 0 {
            // One burst against a wall is one failure.
            self.old -= 1;
            return;
        }
        self.window = (self.window / 2).max(1);
        self.old = in_flight;
    }
}

/// How much in a second: the moment to which what was sent has used up the rate.
#[derive(Debug, Default)]
struct Bucket {
    next: Moment,
}

impl Bucket {
    fn opens(&self, rate: Option<u32>) -> Moment {
        let Some(rate) = rate else {
            return Moment::ZERO;
        };
        let (burst, each) = shape(rate);
        self.next.saturating_sub(each * (burst - 1))
    }

    fn take(&mut self, rate: Option<u32>, now: Moment) {
        if let Some(rate) = rate {
            self.next = self.next.max(now) + shape(rate).1;
        }
    }
}

/// How many may leave together, and how long each takes, so that no second has more than the rate.
fn shape(rate: u32) -> (u32, Duration) {
    let rate = rate.max(1);
    let burst = (rate / 20).max(1);
    let steady = if burst == 1 { rate } else { rate - burst };
    // Rounded up, so that the last of a second belongs to the next one.
    let nanos = 1_000_000_000_u64.div_ceil(u64::from(steady));
    (burst, Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_grows_by_one_and_halves() {
        let mut pace = Pace::default();
        for _ in 0..8 {
            pace.succeeded(64);
        }
        assert_eq!(pace.window, 9);
        for left in (0..9).rev() {
            pace.failed(left);
        }
        assert_eq!(pace.window, 4, "a burst is one failure");
        for _ in 0..9 {
            pace.failed(0);
        }
        assert_eq!(pace.window, 1);
        for _ in 0..100_000 {
            pace.succeeded(12);
        }
        assert_eq!(pace.window, 12);
    }

    proptest! {
        #[test]
        fn the_window_has_its_bounds(
            ends in proptest::collection::vec((any::<bool>(), 0..64_usize), 1..500),
            most in 1..=64_usize,
        ) {
            let mut pace = Pace::default();
            for (good, in_flight) in ends {
                let before = pace.window;
                if good { pace.succeeded(most) } else { pace.failed(in_flight) }
                prop_assert!(pace.window >= 1 && pace.window <= START.max(most));
                prop_assert!(pace.window <= before + 1 && pace.window >= (before / 2).min(most));
            }
        }

        #[test]
        fn no_second_has_more_than_the_rate_and_the_rate_is_used(rate in 1..3_000_u32) {
            let (mut bucket, mut starts, mut now) = (Bucket::default(), Vec::new(), Moment::ZERO);
            while now < Duration::from_secs(3) {
                now = now.max(bucket.opens(Some(rate)));
                bucket.take(Some(rate), now);
                starts.push(now);
            }
            for (start, next) in starts.iter().zip(&starts[rate as usize..]) {
                prop_assert!(next.abs_diff(*start) >= Duration::from_secs(1));
            }
            prop_assert!(starts.len() * 10 > rate as usize * 27);
        }
    }
}

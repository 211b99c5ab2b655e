//! Gives a receiver rest that does not answer any more. What was begun is tried as promised; what is
//! new waits, but for one probe now and then.

use std::time::Duration;

use super::Moment;

/// It opens after so many failures in a row, over so many deliveries and so much time.
const RUN: u32 = 20;
const DELIVERIES: usize = 5;
const LEAST: Duration = Duration::from_secs(30);

/// Or when so many of a hundred fail, of so many at least, within so much time.
const PERCENT: u32 = 90;
const MANY: u32 = 50;
const SLOTS: usize = 12;
const SLOT: Duration = Duration::from_secs(5);

/// Before the first probe, and before a later one at most.
const FIRST_PROBE: Duration = Duration::from_secs(5);
const LAST_PROBE: Duration = Duration::from_mins(1);

/// So many successes close it.
const ENOUGH: u8 = 3;

/// What was found out about a receiver that nothing is sent to is forgotten after so long.
const MEMORY: Duration = Duration::from_mins(10);

/// What is known of a receiver that fails.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    run: u32,
    run_since: Moment,
    deliveries: Vec<i64>,
    slots: [Slot; SLOTS],
    open: Option<Open>,
}

/// What happened in a part of the last minute.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    number: u64,
    good: u32,
    bad: u32,
}

#[derive(Debug)]
struct Open {
    wait: Duration,
    probe_at: Moment,
    probing: Option<i64>,
    successes: u8,
    last_end: Moment,
}

impl Breaker {
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether there is nothing to remember of failures.
    pub fn is_calm(&self, now: Moment) -> bool {
        self.open.is_none() && self.run == 0 && self.recent(now).1 == 0
    }

    /// When something new may be sent; none while a probe is under way.
    pub fn new_at(&self) -> Option<Moment> {
        match &self.open {
            None => Some(Moment::ZERO),
            Some(open) if open.probing.is_some() => None,
            Some(open) => Some(open.probe_at),
        }
    }

    /// Until when it is to be remembered though there is nothing to send.
    pub fn matters_until(&self) -> Moment {
        self.open
            .as_ref()
            .map_or(Moment::ZERO, |open| open.last_end + MEMORY)
    }

    /// Something new was sent.
    pub fn new_started(&mut self, id: i64) {
        if let Some(open) = &mut self.open {
            open.probing = Some(id);
        }
    }

    /// What was sent last came to nothing that tells of the receiver.
    pub fn untold(&mut self, id: i64) {
        if let Some(open) = &mut self.open
            && open.probing == Some(id)
        {
            open.probing = None;
        }
    }

    /// An attempt succeeded; true if that closes it.
    pub fn succeeded(&mut self, id: i64, now: Moment) -> bool {
        self.untold(id);
        self.run = 0;
        self.slot(now).good += 1;
        let Some(open) = &mut self.open else {
            return false;
        };
        open.last_end = now;
        open.successes += 1;
        open.probe_at = now;
        if open.successes < ENOUGH {
            return false;
        }
        *self = Self::default();
        true
    }

    /// An attempt failed.
    pub fn failed(&mut self, id: i64, now: Moment) {
        self.note(id, now);
        if let Some(open) = &mut self.open {
            open.last_end = now;
            let was_better = std::mem::take(&mut open.successes) > 0;
            let was_probe = open.probing == Some(id);
            if was_probe {
                open.probing = None;
                open.wait = LAST_PROBE.min(open.wait * 2);
            }
            // A retry that fails as ever does not put the probes off.
            if was_probe || was_better {
                open.probe_at = now + open.wait;
            }
        } else if self.is_enough(now) {
            self.open = Some(Open {
                wait: FIRST_PROBE,
                probe_at: now + FIRST_PROBE,
                probing: None,
                successes: 0,
                last_end: now,
            });
        }
    }

    fn note(&mut self, id: i64, now: Moment) {
        if self.run == 0 {
            self.run_since = now;
            self.deliveries.clear();
        }
        self.run = self.run.saturating_add(1);
        if self.deliveries.len() < DELIVERIES && !self.deliveries.contains(&id) {
            self.deliveries.push(id);
        }
        self.slot(now).bad += 1;
    }

    fn is_enough(&self, now: Moment) -> bool {
        let in_a_row = self.run >= RUN
            && self.deliveries.len() >= DELIVERIES
            && now.saturating_sub(self.run_since) >= LEAST;
        let (good, bad) = self.recent(now);
        let all = good + bad;
        in_a_row || (all >= MANY && bad * 100 >= all * PERCENT)
    }

    /// Successes and failures of the last minute.
    fn recent(&self, now: Moment) -> (u32, u32) {
        let first = (number(now) + 1).saturating_sub(SLOTS as u64);
        let slots = self.slots.iter().filter(|slot| slot.number >= first);
        slots.fold((0, 0), |(good, bad), slot| {
            (good + slot.good, bad + slot.bad)
        })
    }

    fn slot(&mut self, now: Moment) -> &mut Slot {
        let number = number(now);
        let slot = &mut self.slots[(number % SLOTS as u64) as usize];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot
    }
}

fn number(now: Moment) -> u64 {
    now.as_secs() / SLOT.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(second: u64) -> Moment {
        Duration::from_secs(second)
    }

    fn opened() -> (Breaker, Moment) {
        let mut breaker = Breaker::default();
        for id in 0..50 {
            breaker.failed(id, second(1));
        }
        assert!(breaker.is_open());
        (breaker, second(1))
    }

    #[test]
    fn a_long_run_over_some_deliveries_opens_it() {
        let mut breaker = Breaker::default();
        for count in 0..20 {
            assert!(!breaker.is_open());
            breaker.failed(count % 5, second(count as u64 * 2));
        }
        assert!(breaker.is_open());
    }

    #[test]
    fn few_deliveries_or_a_short_time_or_a_success_do_not() {
        let (mut few, mut short, mut mixed) =
            (Breaker::default(), Breaker::default(), Breaker::default());
        for count in 0..40_i64 {
            few.failed(count % 4, second(count as u64 * 5));
            short.failed(count, second(count as u64 / 2));
            if count % 15 == 14 {
                mixed.succeeded(count, second(count as u64 * 3));
            } else {
                mixed.failed(count, second(count as u64 * 3));
            }
        }
        assert!(!few.is_open() && !short.is_open() && !mixed.is_open());
    }

    #[test]
    fn nine_of_ten_within_a_minute_open_it() {
        let mut breaker = Breaker::default();
        for count in 0..50 {
            assert!(!breaker.is_open());
            if count % 10 == 5 {
                breaker.succeeded(count, second(count as u64));
            } else {
                breaker.failed(count, second(count as u64));
            }
        }
        assert!(breaker.is_open());
        let mut slow = Breaker::default();
        for count in 0..60 {
            if count % 10 == 5 {
                slow.succeeded(count, second(count as u64 * 2));
            } else {
                slow.failed(count, second(count as u64 * 2));
            }
        }
        assert!(!slow.is_open(), "never 50 within a minute");
    }

    #[test]
    fn probes_become_rarer_up_to_a_minute() {
        let (mut breaker, mut now) = opened();
        let mut waits = Vec::new();
        for id in 100..107 {
            let at = breaker.new_at().unwrap();
            waits.push(at.abs_diff(now).as_secs());
            now = at;
            breaker.new_started(id);
            assert_eq!(breaker.new_at(), None, "one at a time");
            breaker.failed(id, now);
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
    }

    #[test]
    fn three_successes_close_it_and_a_failure_between_does_not_help() {
        let (mut breaker, now) = opened();
        assert!(!breaker.succeeded(100, now));
        assert!(!breaker.succeeded(101, now));
        breaker.failed(102, now);
        assert!(!breaker.succeeded(103, now));
        assert!(!breaker.succeeded(104, now));
        assert!(breaker.succeeded(105, now));
        assert!(!breaker.is_open() && breaker.is_calm(now));
    }

    proptest! {
        #[test]
        fn it_opens_for_a_reason_and_closes_after_three_successes(
            ends in proptest::collection::vec((any::<bool>(), 0..8_u64), 1..400),
        ) {
            let mut breaker = Breaker::default();
            let (mut now, mut run, mut bad_minute) = (Moment::ZERO, 0_u32, Vec::new());
            let mut successes = 0;
            for (id, (good, wait)) in ends.into_iter().enumerate() {
                now += Duration::from_secs(wait);
                let was_open = breaker.is_open();
                if good {
                    run = 0;
                    successes += 1;
                    let closed = breaker.succeeded(id as i64, now);
                    prop_assert_eq!(closed, was_open && successes >= 3);
                } else {
                    (run, successes) = (run + 1, 0);
                    bad_minute.push(now);
                    breaker.failed(id as i64, now);
                }
                bad_minute.retain(|at| now.abs_diff(*at) < Duration::from_mins(1));
                if breaker.is_open() && !was_open {
                    successes = 0;
                    prop_assert!(run >= RUN || bad_minute.len() >= 45);
                }
            }
        }
    }
}

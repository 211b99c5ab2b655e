//! The scheduler in its small world: whatever happens at random, and by plan.

use std::collections::HashSet;
use std::time::Duration;

use gateway::Uuid;
use gateway::delivery::{Cause, Kind};
use proptest::prelude::*;

use super::world::{End, World, row};
use super::{Limits, Moment, Rules};

const LIMITS: Limits = Limits {
    in_flight: 24,
    per_webhook: 3,
    window: 12,
    refill: 4,
    chunk: 6,
    rows: 40,
    bytes: 1 << 20,
    floor: 3,
};

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive(u8, Duration, bool),
    Burst(u8, u8),
    Pass(Duration),
    End(usize, End),
    Settle,
    Load(bool),
    MayStart(bool),
    /// To one of three webhooks, about one of four contacts.
    Ordered(u8, i64, u8),
    Pause(u8),
    Resume(u8),
    Restart,
    Survey,
}

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Done),
        1 => Just(End::Dead),
        2 => millis(1_000..60_000).prop_map(End::Again),
        1 => millis(60_001..600_000).prop_map(End::OnDisk),
        1 => (millis(1..20_000), any::<bool>()).prop_map(|(wait, whole)| End::NotNow(wait, whole)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let due = prop_oneof![3 => Just(Duration::ZERO), 1 => millis(0..200_000)];
    prop_oneof![
        4 => (0..6_u8, due, any::<bool>()).prop_map(|(to, due, exact)| Step::Arrive(to, due, exact)),
        1 => (0..6_u8, 1..40_u8).prop_map(|(to, count)| Step::Burst(to, count)),
        2 => millis(1..30_000).prop_map(Step::Pass),
        6 => (any::<usize>(), end()).prop_map(|(index, how)| Step::End(index, how)),
        5 => Just(Step::Settle),
        3 => any::<bool>().prop_map(Step::Load),
        1 => any::<bool>().prop_map(Step::MayStart),
        4 => (3..6_u8, 0..4_i64, 1..12_u8).prop_map(|(to, key, many)| Step::Ordered(to, key, many)),
        1 => (2..6_u8).prop_map(Step::Pause),
        1 => (2..6_u8).prop_map(Step::Resume),
        1 => Just(Step::Restart),
        1 => Just(Step::Survey),
    ]
}

/// Two of the six targets are phones.
fn kind_of(target: u8) -> Kind {
    if target < 2 {
        Kind::Push
    } else {
        Kind::Webhook
    }
}

fn id_of(target: u8) -> Uuid {
    Uuid::from_u128(u128::from(target) + 1)
}

impl World {
    fn step(&mut self, step: Step) {
        match step {
            Step::Arrive(to, wait, exact) => {
                self.arrive(id_of(to), kind_of(to), self.now + wait, exact);
            }
            Step::Burst(to, count) => {
                for _ in 0..count {
                    self.arrive(id_of(to), kind_of(to), self.now, false);
                    self.act();
                }
            }
            Step::Pass(time) => self.pass(time),
            Step::End(index, how) => self.end(index, how),
            Step::Settle => self.settle(),
            Step::Load(works) => self.load(works),
            Step::MayStart(may) => self.may_start = may,
            Step::Ordered(to, key, many) => {
                for _ in 0..many {
                    self.arrive_ordered(id_of(to), key);
                    self.act();
                }
            }
            Step::Pause(to) => drop(self.paused.insert(id_of(to))),
            Step::Resume(to) => self.resume(id_of(to)),
            Step::Restart => self.restart(),
            Step::Survey => self.survey(),
        }
        self.act();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_early_or_twice_whatever_happens(
        steps in proptest::collection::vec(step(), 1..300),
    ) {
        let mut world = World::new(LIMITS);
        world.rules.insert(id_of(3), Rules { max_concurrency: Some(2), max_per_second: None });
        world.rules.insert(id_of(4), Rules { max_concurrency: None, max_per_second: Some(3) });
        for step in steps {
            world.step(step);
        }
        world.finish();
    }
}

#[test]
fn targets_take_turns() {
    let mut world = World::new(Limits {
        in_flight: 10,
        ..Limits::default()
    });
    for target in 0..10 {
        for _ in 0..100 {
            world.arrive(id_of(target + 2), Kind::Webhook, Moment::ZERO, false);
        }
    }
    for _ in 0..1_000 {
        world.act();
        world.end(0, End::Done);
        world.settle();
    }
    for turn in world.starts[10..990].chunks(10) {
        let each: HashSet<_> = turn.iter().map(|(target, _)| target).collect();
        assert!(each.len() >= 9, "{turn:?}");
    }
}

#[test]
fn a_target_that_never_answers_leaves_the_others_alone() {
    let mut world = World::new(Limits::default());
    let (dead, alive) = (id_of(2), id_of(3));
    for _ in 0..900 {
        world.arrive(dead, Kind::Webhook, Moment::ZERO, false);
    }
    world.act();
    assert_eq!(world.flying.len(), 1, "one finds out what is wanted");
    world.end(0, End::Again(Duration::from_secs(30)));
    world.act();
    assert_eq!(world.flying.len(), 4, "half of what begins");
    for _ in 0..1_000 {
        world.arrive(alive, Kind::Webhook, world.now, false);
        world.act();
        let last = world.flying.len() - 1;
        assert_eq!(world.flying[last].target, alive);
        world.end(last, End::Done);
        world.settle();
    }
}

#[test]
fn many_dead_targets_leave_room_for_a_live_one() {
    let mut world = World::new(Limits::default());
    for dead in 1..=1_000_u128 {
        for _ in 0..64 {
            world.arrive(Uuid::from_u128(dead), Kind::Webhook, Moment::ZERO, false);
        }
    }
    world.act();
    assert!(world.flying.len() < 10_000);
    let alive = Uuid::from_u128(5_000);
    world.arrive(alive, Kind::Webhook, Moment::ZERO, false);
    world.act();
    assert_eq!(world.starts.last().map(|(target, _)| *target), Some(alive));
}

#[test]
fn a_webhook_gets_its_rows_in_the_order_they_came() {
    let mut world = World::new(Limits {
        per_webhook: 1,
        ..Limits::default()
    });
    for _ in 0..50 {
        world.arrive(id_of(2), Kind::Webhook, Moment::ZERO, false);
    }
    world.finish();
    assert!(world.starts.is_sorted_by_key(|(_, id)| *id));
}

#[test]
fn a_million_rows_on_disk_are_a_window_in_memory() {
    let mut world = World::new(Limits::default());
    let target = id_of(2);
    for id in 0..20_000 {
        world.store(row(id + 1, target, Kind::Webhook, false), Moment::ZERO);
    }
    world.next_id = 20_001;
    world.scheduler.waiting(target, Moment::ZERO, world.now);
    let mut most = 0;
    while world.gone.len() < 20_000 {
        world.act();
        world.load(true);
        world.end(0, End::Done);
        world.settle();
        most = most.max(world.scheduler.held());
    }
    assert!(most <= 1_000, "{most}");
    world.finish();
}

#[test]
fn rows_due_much_later_do_not_keep_others_from_memory() {
    let mut world = World::new(Limits::default());
    let phone = id_of(0);
    for hour in 1..=3_000 {
        let due = Duration::from_secs(3_600 * hour);
        world.arrive(phone, Kind::Push, due, false);
        world.act();
    }
    assert!(world.full.contains(&phone), "too many to keep");
    world.arrive(phone, Kind::Push, world.now, false);
    world.act();
    world.load(true);
    world.act();
    assert_eq!(world.flying.len(), 1);
    world.finish();
}

#[test]
fn the_earliest_row_on_disk_sets_the_alarm() {
    let mut world = World::new(Limits::default());
    let target = id_of(2);
    for seconds in [300, 5, 100] {
        let due = Duration::from_secs(seconds);
        world.scheduler.waiting(target, due, world.now);
        world.act();
    }
    assert_eq!(world.scheduler.next_wake(), Some(Duration::from_secs(5)));
    world.pass(Duration::from_secs(5));
    world.act();
    assert_eq!(world.loads.len(), 1);
    // What is told while a load is under way is not forgotten when it comes back.
    let soon = Duration::from_secs(7);
    world.scheduler.waiting(target, soon, world.now);
    world.load(true);
    world.act();
    assert_eq!(world.scheduler.next_wake(), Some(soon));
}

#[test]
fn what_the_rate_does_not_hold_back_overtakes_a_postponed_row() {
    let mut world = World::new(Limits::default());
    let phone = id_of(0);
    world.arrive(phone, Kind::Push, Moment::ZERO, false);
    world.arrive(phone, Kind::Push, Moment::ZERO, false);
    world.act();
    world.end(0, End::NotNow(Duration::from_secs(6), false));
    world.act();
    assert!(world.flying.is_empty());
    world.arrive(phone, Kind::Push, Moment::ZERO, true);
    world.act();
    assert_eq!(world.flying.len(), 1);
    world.finish();
    let order: Vec<_> = world.starts.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [1, 3, 1, 2]);
}

#[test]
fn while_nothing_may_start_everything_waits() {
    let mut world = World::new(Limits::default());
    world.may_start = false;
    world.arrive(id_of(2), Kind::Webhook, Moment::ZERO, false);
    world.act();
    assert!(world.flying.is_empty());
    world.finish();
}

#[test]
fn a_failing_row_holds_up_its_key_and_no_other() {
    let mut world = World::new(Limits::default());
    let target = id_of(3);
    for _ in 0..3 {
        world.arrive_ordered(target, 1);
        world.arrive_ordered(target, 2);
    }
    world.act();
    // The first attempt finds out what is wanted; it is of key 1, and fails.
    world.end(0, End::Again(Duration::from_mins(10)));
    world.settle();
    for _ in 0..20 {
        world.act();
        world.end(0, End::Done);
        world.settle();
        world.load(true);
    }
    let order: Vec<_> = world.starts.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [1, 2, 4, 6], "the other key goes on");
    assert_eq!(world.scheduler.held(), 1, "what is held up waits on disk");
    world.finish();
    let order: Vec<_> = world.starts.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [1, 2, 4, 6, 1, 3, 5]);
}

#[test]
fn a_retry_that_is_due_at_once_does_not_get_stuck() {
    let mut world = World::new(Limits::default());
    world.arrive_ordered(id_of(3), 1);
    world.act();
    world.end(0, End::Again(Duration::from_secs(1)));
    world.pass(Duration::from_secs(1));
    world.finish();
}

#[test]
fn a_window_full_of_one_blocked_key_does_not_keep_others_on_disk() {
    let mut world = World::new(LIMITS);
    let target = id_of(3);
    for _ in 0..200 {
        world.arrive_ordered(target, 1);
        world.act();
    }
    world.arrive_ordered(target, 2);
    world.act();
    world.end(0, End::Again(Duration::from_mins(10)));
    for _ in 0..100 {
        world.act();
        world.settle();
        world.load(true);
    }
    assert_eq!(world.starts.last(), Some(&(target, 201)));
    world.finish();
}

#[test]
fn after_a_restart_a_row_that_waits_for_its_retry_still_holds_up_its_key() {
    let mut world = World::new(Limits::default());
    let target = id_of(3);
    for _ in 0..3 {
        world.arrive_ordered(target, 1);
    }
    world.act();
    world.end(0, End::Again(Duration::from_secs(50)));
    world.settle();
    world.restart();
    // Told before anything is known of the disk.
    world.arrive_ordered(target, 1);
    world.act();
    assert!(world.flying.is_empty());
    world.load(true);
    world.act();
    world.survey();
    world.act();
    assert!(world.flying.is_empty(), "the oldest is due in 50 seconds");
    world.finish();
    let order: Vec<_> = world.starts.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [1, 1, 2, 3, 4]);
}

#[test]
fn one_of_nine_turns_is_a_replay_s() {
    let mut world = World::new(Limits {
        per_webhook: 1,
        ..Limits::default()
    });
    let target = id_of(3);
    for _ in 0..90 {
        world.arrive_because(target, Cause::Replay);
    }
    for _ in 0..90 {
        world.arrive_because(target, Cause::Live);
    }
    for _ in 0..90 {
        world.act();
        world.end(0, End::Done);
        world.settle();
    }
    let replays = world.starts.iter().filter(|(_, id)| *id <= 90).count();
    assert_eq!(replays, 10);
    world.finish();
}

#[test]
fn a_rate_is_kept_and_waiting_is_no_attempt() {
    let mut world = World::new(Limits::default());
    let target = id_of(3);
    let rules = Rules {
        max_per_second: Some(5),
        ..Rules::default()
    };
    world.rules.insert(target, rules);
    for _ in 0..50 {
        world.arrive(target, Kind::Webhook, Moment::ZERO, false);
    }
    world.finish();
    let seconds = world.now.as_secs_f64();
    assert!((9.0..11.0).contains(&seconds), "{seconds}");
    assert_eq!(world.starts.len(), 50);
}

/// Everything fails, for so long: what was started, with the second of each start.
fn an_outage(world: &mut World, seconds: u64) -> Vec<(u64, i64)> {
    let waits = [1, 2, 4, 8].map(Duration::from_secs);
    let mut starts = Vec::new();
    let end = world.now + Duration::from_secs(seconds);
    while world.now < end {
        world.act();
        for (_, id) in world.starts.drain(..) {
            starts.push((world.now.as_secs(), id));
        }
        while let Some(delivery) = world.flying.last() {
            let wait = waits.get(delivery.attempt as usize - 1).copied();
            let last = world.flying.len() - 1;
            world.end(last, wait.map_or(End::Dead, End::Again));
        }
        for _ in 0..200 {
            world.settle();
            world.load(true);
        }
        world.pass(Duration::from_millis(100));
    }
    starts
}

#[test]
fn a_dead_receiver_gets_its_promised_attempts_and_a_probe_now_and_then() {
    let mut world = World::new(Limits::default());
    let target = id_of(3);
    for _ in 0..5_000 {
        world.arrive(target, Kind::Webhook, Moment::ZERO, false);
        world.act();
    }
    let starts = an_outage(&mut world, 600);
    let begun: HashSet<_> = starts.iter().map(|(_, id)| *id).collect();
    assert_eq!(world.scheduler.resting(), 1);
    assert!(begun.len() < 100, "{} were begun", begun.len());
    for id in &begun {
        let attempts = starts.iter().filter(|(_, other)| other == id).count();
        let first = starts.iter().find(|(_, other)| other == id).unwrap().0;
        if first < 580 {
            assert_eq!(attempts, 5, "as promised");
        }
    }
    let after = |second| starts.iter().filter(move |(at, _)| *at > second);
    let probes: HashSet<_> = after(300).map(|(_, id)| id).collect();
    assert!((4..=7).contains(&probes.len()), "{probes:?}");
    assert!(world.scheduler.held() <= 1_100);
    world.finish();
}

#[test]
fn a_promised_retry_on_disk_comes_though_the_memory_is_full_of_new_rows() {
    let mut world = World::new(Limits::default());
    let target = id_of(3);
    for _ in 0..3_000 {
        world.arrive(target, Kind::Webhook, Moment::ZERO, false);
        world.act();
    }
    world.end(0, End::OnDisk(Duration::from_mins(5)));
    world.settle();
    an_outage(&mut world, 299);
    assert_eq!(world.scheduler.resting(), 1);
    let starts = an_outage(&mut world, 10);
    assert!(starts.iter().any(|(_, id)| *id == 1), "{starts:?}");
    world.finish();
}

//! A small world for the scheduler: a disk, attempts in flight, settlements and loads on their way.
//! It checks at every step what must always hold; the tests drive it at random and by plan.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use gateway::delivery::{Delivery, Kind};
use gateway::{Time, Uuid};
use proptest::prelude::*;

use super::{Action, Limits, Moment, Next, Scheduler};

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

/// How far ahead rows are loaded.
const AHEAD: Duration = Duration::from_secs(30);

struct World {
    scheduler: Scheduler,
    limits: Limits,
    now: Moment,
    next_id: i64,
    disk: HashMap<Uuid, BTreeMap<(Moment, i64), Delivery>>,
    full: HashSet<Uuid>,
    loads: VecDeque<(Uuid, usize)>,
    flying: Vec<Delivery>,
    settling: VecDeque<(Delivery, Next)>,
    /// Not to be started before.
    not_before: HashMap<i64, Moment>,
    gone: HashSet<i64>,
    starts: Vec<(Uuid, i64)>,
    may_start: bool,
}

impl World {
    fn new(limits: Limits) -> Self {
        Self {
            scheduler: Scheduler::new(limits.clone()),
            limits,
            now: Moment::ZERO,
            next_id: 1,
            disk: HashMap::new(),
            full: HashSet::new(),
            loads: VecDeque::new(),
            flying: Vec::new(),
            settling: VecDeque::new(),
            not_before: HashMap::new(),
            gone: HashSet::new(),
            starts: Vec::new(),
            may_start: true,
        }
    }

    /// A commit makes a row, in memory or on disk as the scheduler asked.
    fn arrive(&mut self, target: Uuid, kind: Kind, due: Moment, exact: bool) {
        let delivery = row(self.next_id, target, kind, exact);
        self.next_id += 1;
        self.not_before.insert(delivery.id, due);
        if self.full.contains(&target) {
            self.store(delivery, due);
            self.scheduler.waiting(target, due, self.now);
        } else {
            self.scheduler.due(delivery, due, self.now);
        }
    }

    fn store(&mut self, delivery: Delivery, due: Moment) {
        let rows = self.disk.entry(delivery.target).or_default();
        rows.insert((due, delivery.id), delivery);
    }

    /// Does what the scheduler wants.
    fn act(&mut self) {
        while let Some(action) = self.scheduler.next(self.now, self.may_start) {
            match action {
                Action::Start(delivery) => self.start(delivery),
                Action::Load { target, limit } => {
                    assert!(self.loads.iter().all(|(other, _)| *other != target));
                    self.loads.push_back((target, limit));
                }
                Action::Full(target, true) => assert!(self.full.insert(target)),
                Action::Full(target, false) => assert!(self.full.remove(&target)),
            }
        }
    }

    fn start(&mut self, delivery: Delivery) {
        assert!(self.may_start);
        assert!(self.not_before[&delivery.id] <= self.now, "started early");
        assert!(!self.gone.contains(&delivery.id), "started after its end");
        let same = |other: &Delivery| other.id == delivery.id;
        assert!(!self.flying.iter().any(same), "two attempts at once");
        assert!(!self.settling.iter().any(|(other, _)| same(other)));
        let to_target = |other: &&Delivery| other.target == delivery.target;
        let beside = self.flying.iter().filter(to_target).count();
        match delivery.kind {
            Kind::Webhook => assert!(beside < self.limits.per_webhook, "too many to one webhook"),
            Kind::Push => {
                let settling = self.settling.iter().map(|(other, _)| other);
                assert_eq!(beside + settling.filter(to_target).count(), 0);
            }
        }
        self.starts.push((delivery.target, delivery.id));
        self.flying.push(delivery);
        assert!(self.flying.len() <= self.limits.in_flight);
    }

    /// An attempt is over.
    fn end(&mut self, index: usize, how: End) {
        if self.flying.is_empty() {
            return;
        }
        let delivery = self.flying.swap_remove(index % self.flying.len());
        let next = match how {
            End::Done => Next::Gone,
            End::Again(wait) => Next::Again(self.not_before(&delivery, wait)),
            End::OnDisk(wait) => Next::OnDisk(self.not_before(&delivery, wait)),
            End::NotNow(wait, whole) => {
                let until = self.not_before(&delivery, wait);
                self.scheduler.postponed(delivery, until, whole, self.now);
                return;
            }
        };
        self.scheduler.ended(delivery.target, delivery.kind, self.now);
        self.settling.push_back((delivery, next));
    }

    fn not_before(&mut self, delivery: &Delivery, wait: Duration) -> Moment {
        let until = self.now + wait;
        self.not_before.insert(delivery.id, until);
        until
    }

    /// The oldest settlement is on disk.
    fn settle(&mut self) {
        let Some((delivery, next)) = self.settling.pop_front() else {
            return;
        };
        match next {
            Next::Gone => assert!(self.gone.insert(delivery.id), "settled twice"),
            Next::OnDisk(due) => self.store(delivery.clone(), due),
            Next::Again(_) => {}
        }
        self.scheduler.settled(delivery, next, self.now);
    }

    /// The oldest load comes back, or fails.
    fn load(&mut self, works: bool) {
        let Some((target, limit)) = self.loads.pop_front() else {
            return;
        };
        if !works {
            let again = self.now + Duration::from_secs(1);
            self.scheduler.not_loaded(target, again, self.now);
            return;
        }
        let rows = self.disk.entry(target).or_default();
        let mut loaded = Vec::new();
        while loaded.len() < limit {
            match rows.first_entry() {
                Some(first) if first.key().0 <= self.now + AHEAD => {
                    let ((due, _), delivery) = first.remove_entry();
                    loaded.push((delivery, due));
                }
                _ => break,
            }
        }
        let next = rows.keys().next().map(|(due, _)| *due);
        self.scheduler.loaded(target, loaded, next, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets everything end well, and checks that nothing was lost and nothing is left.
    fn finish(&mut self) {
        self.may_start = true;
        for _ in 0..100_000 {
            self.act();
            if !self.flying.is_empty() {
                self.end(0, End::Done);
            } else if !self.settling.is_empty() {
                self.settle();
            } else if !self.loads.is_empty() {
                self.load(true);
            } else if let Some(wake) = self.scheduler.next_wake() {
                self.now = self.now.max(wake);
            } else {
                break;
            }
        }
        assert_eq!(self.gone.len() as i64, self.next_id - 1, "lost or unfinished");
        assert_eq!((self.scheduler.held(), self.scheduler.targets()), (0, 0));
        assert_eq!((self.scheduler.in_flight, self.scheduler.bytes), (0, 0));
        assert_eq!(self.full, HashSet::new());
        assert!(self.scheduler.ring.is_empty());
    }
}

fn row(id: i64, target: Uuid, kind: Kind, exact: bool) -> Delivery {
    Delivery {
        id,
        kind,
        target,
        letter: None,
        message_id: Some(Uuid::from_u128(1)),
        notification_id: None,
        exact,
        attempt: 1,
        due_at: Time::from_micros(0),
        expires_at: None,
        version: 0,
    }
}

#[derive(Debug, Clone, Copy)]
enum End {
    Done,
    Again(Duration),
    OnDisk(Duration),
    NotNow(Duration, bool),
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive(u8, Duration, bool),
    Burst(u8, u8),
    Pass(Duration),
    End(usize, End),
    Settle,
    Load(bool),
    MayStart(bool),
}

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Done),
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
    ]
}

/// Two of the six targets are phones.
fn kind_of(target: u8) -> Kind {
    if target < 2 { Kind::Push } else { Kind::Webhook }
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
    assert_eq!(world.flying.len(), 64);
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
        world.not_before.insert(id + 1, Moment::ZERO);
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

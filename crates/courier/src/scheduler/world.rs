//! A small world for the scheduler: a disk, attempts in flight, settlements and loads on their way.
//! It checks at every step what must always hold; the tests beside it drive it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use gateway::delivery::{Delivery, Kind};
use gateway::{Time, Uuid};

use super::{Action, Limits, Moment, Next, Scheduler};

/// How far ahead rows are loaded.
const AHEAD: Duration = Duration::from_secs(30);

pub(super) struct World {
    pub scheduler: Scheduler,
    limits: Limits,
    pub now: Moment,
    pub next_id: i64,
    disk: HashMap<Uuid, BTreeMap<(Moment, i64), Delivery>>,
    pub full: HashSet<Uuid>,
    pub loads: VecDeque<(Uuid, usize)>,
    pub flying: Vec<Delivery>,
    settling: VecDeque<(Delivery, Next)>,
    /// Not to be started before.
    pub not_before: HashMap<i64, Moment>,
    pub gone: HashSet<i64>,
    pub starts: Vec<(Uuid, i64)>,
    pub may_start: bool,
}

impl World {
    pub fn new(limits: Limits) -> Self {
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
    pub fn arrive(&mut self, target: Uuid, kind: Kind, due: Moment, exact: bool) {
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

    pub fn store(&mut self, delivery: Delivery, due: Moment) {
        let rows = self.disk.entry(delivery.target).or_default();
        rows.insert((due, delivery.id), delivery);
    }

    /// Does what the scheduler wants.
    pub fn act(&mut self) {
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
    pub fn end(&mut self, index: usize, how: End) {
        if self.flying.is_empty() {
            return;
        }
        let delivery = self.flying.remove(index % self.flying.len());
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
        self.scheduler
            .ended(delivery.target, delivery.kind, self.now);
        self.settling.push_back((delivery, next));
    }

    fn not_before(&mut self, delivery: &Delivery, wait: Duration) -> Moment {
        let until = self.now + wait;
        self.not_before.insert(delivery.id, until);
        until
    }

    /// The oldest settlement is on disk.
    pub fn settle(&mut self) {
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
    pub fn load(&mut self, works: bool) {
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

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets everything end well, and checks that nothing was lost and nothing is left.
    pub fn finish(&mut self) {
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
        assert_eq!(
            self.gone.len() as i64,
            self.next_id - 1,
            "lost or unfinished"
        );
        assert_eq!((self.scheduler.held(), self.scheduler.targets()), (0, 0));
        assert_eq!((self.scheduler.in_flight, self.scheduler.bytes), (0, 0));
        assert_eq!(self.full, HashSet::new());
        assert!(self.scheduler.ring.is_empty());
    }
}

/// A row without a letter.
pub(super) fn row(id: i64, target: Uuid, kind: Kind, exact: bool) -> Delivery {
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
pub(super) enum End {
    Done,
    Again(Duration),
    OnDisk(Duration),
    NotNow(Duration, bool),
}

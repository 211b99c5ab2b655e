//! A small world for the scheduler: a disk, attempts in flight, settlements and loads on their way.
//! It checks at every step what must always hold; the tests beside it drive it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use gateway::delivery::{Cause, Delivery, Kind};
use gateway::{Time, Uuid};

use super::{Action, Limits, Moment, Next, Rest, Rules, Scheduler, Sign, Which};

/// How far ahead rows are loaded.
const AHEAD: Duration = Duration::from_secs(30);

pub(super) struct World {
    pub scheduler: Scheduler,
    limits: Limits,
    pub now: Moment,
    pub next_id: i64,
    disk: BTreeMap<i64, Row>,
    pub full: HashSet<Uuid>,
    pub loads: VecDeque<(Uuid, usize, Which)>,
    pub flying: Vec<Delivery>,
    settling: VecDeque<(Delivery, Next)>,
    /// What webhooks ask for, and of which the courier knows.
    pub rules: HashMap<Uuid, Rules>,
    known: HashSet<Uuid>,
    pub paused: HashSet<Uuid>,
    /// What was started while its webhook was paused.
    parking: HashSet<i64>,
    /// Not to be started before.
    pub not_before: HashMap<i64, Moment>,
    pub gone: HashSet<i64>,
    pub starts: Vec<(Uuid, i64)>,
    times: HashMap<Uuid, Vec<Moment>>,
    pub may_start: bool,
}

/// A row as it is on disk.
struct Row {
    delivery: Delivery,
    due: Moment,
    /// It is in memory too.
    held: bool,
}

impl World {
    pub fn new(limits: Limits) -> Self {
        let mut scheduler = Scheduler::new(limits.clone());
        scheduler.surveyed();
        Self {
            scheduler,
            limits,
            now: Moment::ZERO,
            next_id: 1,
            disk: BTreeMap::new(),
            full: HashSet::new(),
            loads: VecDeque::new(),
            flying: Vec::new(),
            settling: VecDeque::new(),
            rules: HashMap::new(),
            known: HashSet::new(),
            paused: HashSet::new(),
            parking: HashSet::new(),
            not_before: HashMap::new(),
            gone: HashSet::new(),
            starts: Vec::new(),
            times: HashMap::new(),
            may_start: true,
        }
    }

    /// A commit makes a row, in memory or on disk as the scheduler asked.
    pub fn arrive(&mut self, target: Uuid, kind: Kind, due: Moment, exact: bool) {
        self.make(row(self.next_id, target, kind, exact), due);
    }

    /// A row for a webhook that wants order.
    pub fn arrive_ordered(&mut self, target: Uuid, key: i64) {
        let delivery = Delivery {
            order_key: Some(key),
            ..row(self.next_id, target, Kind::Webhook, false)
        };
        self.make(delivery, self.now);
    }

    pub fn arrive_because(&mut self, target: Uuid, cause: Cause) {
        let delivery = Delivery {
            cause,
            ..row(self.next_id, target, Kind::Webhook, false)
        };
        self.make(delivery, self.now);
    }

    fn make(&mut self, delivery: Delivery, due: Moment) {
        self.next_id += 1;
        let target = delivery.target;
        if self.paused.contains(&target) {
            self.store(delivery, due);
        } else if self.full.contains(&target) {
            self.store(delivery, due);
            self.scheduler.waiting(target, due, self.now);
        } else {
            self.store(delivery.clone(), due);
            self.row_of(delivery.id).held = true;
            self.scheduler.due(delivery, due, self.now);
        }
    }

    pub fn store(&mut self, delivery: Delivery, due: Moment) {
        let id = delivery.id;
        self.not_before.insert(id, due);
        let held = false;
        let row = Row {
            delivery,
            due,
            held,
        };
        self.disk.insert(id, row);
    }

    fn row_of(&mut self, id: i64) -> &mut Row {
        self.disk.get_mut(&id).unwrap()
    }

    /// Does what the scheduler wants.
    pub fn act(&mut self) {
        while let Some(action) = self.scheduler.next(self.now, self.may_start) {
            match action {
                Action::Start(delivery) => self.start(delivery),
                Action::Load {
                    target,
                    limit,
                    which,
                } => {
                    assert!(self.loads.iter().all(|(other, ..)| *other != target));
                    self.loads.push_back((target, limit, which));
                }
                Action::PutBack(delivery) => self.settling.push_back((delivery, Next::PutBack)),
                Action::Full(target, true) => assert!(self.full.insert(target)),
                Action::Full(target, false) => assert!(self.full.remove(&target)),
            }
        }
    }

    fn start(&mut self, delivery: Delivery) {
        assert!(self.may_start);
        let target = delivery.target;
        assert!(self.not_before[&delivery.id] <= self.now, "started early");
        assert!(!self.gone.contains(&delivery.id), "started after its end");
        let same = |other: &Delivery| other.id == delivery.id;
        assert!(!self.flying.iter().any(same), "two attempts at once");
        assert!(!self.settling.iter().any(|(other, _)| same(other)));
        let to_target = |other: &&Delivery| other.target == target;
        let beside = self.flying.iter().filter(to_target).count();
        match delivery.kind {
            Kind::Webhook | Kind::Mail | Kind::Discord => {
                let rules = self.rules.get(&target).copied().unwrap_or_default();
                let most = rules.max_concurrency.map_or(usize::MAX, usize::from);
                assert!(
                    beside < self.limits.per_webhook.min(most),
                    "too many to one webhook"
                );
                self.check_rate(target, rules);
            }
            Kind::Push => {
                let settling = self.settling.iter().map(|(other, _)| other);
                assert_eq!(beside + settling.filter(to_target).count(), 0);
            }
        }
        if self.paused.contains(&target) && delivery.kind == Kind::Webhook {
            self.parking.insert(delivery.id);
        } else {
            self.check_order(&delivery);
        }
        if self.known.contains(&target) {
            let rules = self.rules.get(&target).copied().unwrap_or_default();
            self.scheduler.know(target, rules, self.now);
        }
        self.starts.push((target, delivery.id));
        self.flying.push(delivery);
        assert!(self.flying.len() <= self.limits.in_flight);
    }

    fn check_rate(&mut self, target: Uuid, rules: Rules) {
        let times = self.times.entry(target).or_default();
        times.push(self.now);
        let Some(most) = rules.max_per_second else {
            return;
        };
        let window = Duration::from_secs(1);
        let recent = times.iter().rev();
        let recent = recent.take_while(|at| **at + window > self.now).count();
        assert!(recent <= most as usize, "{recent} in a second");
    }

    /// Nothing older of its key is left.
    fn check_order(&self, delivery: &Delivery) {
        if delivery.order_key.is_none() {
            return;
        }
        let older = self.disk.range(..delivery.id).find(|(_, row)| {
            (row.delivery.target, row.delivery.order_key) == (delivery.target, delivery.order_key)
        });
        assert!(older.is_none(), "{} overtook {older:?}", delivery.id);
    }

    /// An attempt is over.
    pub fn end(&mut self, index: usize, how: End) {
        if self.flying.is_empty() {
            return;
        }
        let delivery = self.flying.remove(index % self.flying.len());
        let target = delivery.target;
        let (next, sign) = match how {
            End::NotNow(wait, whole) => {
                self.parking.remove(&delivery.id);
                // It was no attempt.
                self.times.get_mut(&target).map(Vec::pop);
                let until = self.not_before(&delivery, wait);
                self.scheduler.postponed(delivery, until, whole, self.now);
                return;
            }
            _ if self.parking.remove(&delivery.id) => (Next::Parked, Sign::None),
            End::Done => (Next::Gone, Sign::Good),
            End::Dead => (Next::Gone, Sign::Bad),
            End::OnDisk(wait) if delivery.order_key.is_none() => {
                (Next::OnDisk(self.not_before(&delivery, wait)), Sign::Bad)
            }
            End::Again(wait) | End::OnDisk(wait) => {
                (Next::Again(self.not_before(&delivery, wait)), Sign::Bad)
            }
        };
        let rules = self.rules.get(&target).copied().unwrap_or_default();
        self.known.insert(target);
        self.scheduler.know(target, rules, self.now);
        self.scheduler.ended(&delivery, sign, self.now);
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
        let (id, target) = (delivery.id, delivery.target);
        match next {
            Next::Gone => {
                assert!(self.gone.insert(id), "settled twice");
                assert!(self.disk.remove(&id).is_some());
            }
            Next::Parked | Next::PutBack => self.row_of(id).held = false,
            Next::OnDisk(due) | Next::Again(due) => {
                let row = self.row_of(id);
                row.delivery.attempt += 1;
                row.due = due;
                row.held = matches!(next, Next::Again(_));
            }
        }
        self.scheduler.settled(delivery, next, self.now);
        if next == Next::Parked && !self.paused.contains(&target) {
            self.scheduler.waiting(target, self.now, self.now);
        }
    }

    /// The oldest load comes back, or fails.
    pub fn load(&mut self, works: bool) {
        let Some((target, limit, which)) = self.loads.pop_front() else {
            return;
        };
        if !works {
            let again = self.now + Duration::from_secs(1);
            self.scheduler.not_loaded(target, again, self.now);
            return;
        }
        let found = self.on_disk(target, which);
        let is_due = |(due, _): &&(Moment, i64)| *due <= self.now + AHEAD;
        let mut chosen: BTreeSet<_> = found.iter().filter(is_due).take(limit).copied().collect();
        let heads = self.on_disk(target, Which::Retries).into_iter();
        chosen.extend(heads.filter(|(_, id)| self.disk[id].delivery.order_key.is_some()));
        let rows: Vec<_> = chosen
            .into_iter()
            .map(|(due, id)| {
                let row = self.row_of(id);
                row.held = true;
                (row.delivery.clone(), due)
            })
            .collect();
        let first = |which| self.on_disk(target, which).first().map(|(due, _)| *due);
        let rest = Rest {
            next: first(Which::All),
            next_retry: first(Which::Retries),
        };
        self.scheduler.loaded(target, rows, rest, self.now);
    }

    /// What a load can bring of a target, by the time it is due.
    fn on_disk(&self, target: Uuid, which: Which) -> BTreeSet<(Moment, i64)> {
        if self.paused.contains(&target) {
            return BTreeSet::new();
        }
        let rows = self.disk.values();
        let rows: Vec<_> = rows.filter(|row| row.delivery.target == target).collect();
        let retries = rows.iter().filter(|row| row.delivery.attempt > 1);
        let blocked: HashSet<_> = retries
            .filter_map(|row| row.delivery.order_key.map(Some))
            .collect();
        let rows = rows.into_iter().filter(|row| {
            let is_retry = row.delivery.attempt > 1;
            let wanted = is_retry || which == Which::All;
            wanted && !row.held && (is_retry || !blocked.contains(&row.delivery.order_key))
        });
        rows.map(|row| (row.due, row.delivery.id)).collect()
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// The process ends without a word, and another one begins.
    pub fn restart(&mut self) {
        self.scheduler = Scheduler::new(self.limits.clone());
        self.full.clear();
        self.loads.clear();
        self.flying.clear();
        self.parking.clear();
        self.settling.clear();
        self.known.clear();
        self.times.clear();
        for (id, row) in &mut self.disk {
            row.held = false;
            self.not_before.insert(*id, row.due);
        }
    }

    /// The first walk over the disk after a restart is done.
    pub fn survey(&mut self) {
        self.scheduler.surveyed();
        let mut first = BTreeMap::new();
        for row in self.disk.values().filter(|row| !row.held) {
            if !self.paused.contains(&row.delivery.target) {
                let due = first.entry(row.delivery.target).or_insert(row.due);
                *due = row.due.min(*due);
            }
        }
        for (target, due) in first {
            self.scheduler.waiting(target, due, self.now);
        }
    }

    pub fn resume(&mut self, target: Uuid) {
        if self.paused.remove(&target) {
            self.scheduler.waiting(target, self.now, self.now);
        }
    }

    /// Lets everything end well, and checks that nothing was lost and nothing is left.
    pub fn finish(&mut self) {
        self.may_start = true;
        for target in self.paused.clone() {
            self.resume(target);
        }
        self.survey();
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
        assert_eq!((self.scheduler.held, self.scheduler.resting), (0, 0));
        assert_eq!(self.full, HashSet::new());
        assert!(self.scheduler.ring.is_empty());
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "attempt {}, held {}", self.delivery.attempt, self.held)
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
        cause: Cause::Live,
        order_key: None,
        version: 0,
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Done,
    Dead,
    Again(Duration),
    OnDisk(Duration),
    NotNow(Duration, bool),
}

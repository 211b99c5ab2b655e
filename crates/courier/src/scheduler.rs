//! Decides what is carried next: rows, outcomes and the time go in, actions come out.
//! Pure: no input or output, no clock, no task. The session turns its actions into work.

mod breaker;
mod flow;
mod later;
mod limits;
mod ordered;
mod target;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::collections::VecDeque;
use std::time::Duration;

use gateway::Uuid;
use gateway::delivery::{Delivery, Kind};
use rustc_hash::{FxHashMap, FxHashSet};

pub use self::flow::Rules;
pub use self::limits::Limits;

use self::later::{Later, What};
use self::target::Target;
use crate::client::Answer;
use crate::failure::Failure;
use crate::retry::is_passing;

/// A point in time, as what has passed since the scheduler's start: a step of the wall clock does not move it.
pub type Moment = Duration;

/// What is due later than this does not belong into memory.
pub const HELD_AHEAD: Duration = Duration::from_mins(1);

/// What the scheduler wants done.
#[derive(Debug)]
pub enum Action {
    /// Attempt this now; tell [`Scheduler::ended`] and [`Scheduler::settled`], or [`Scheduler::postponed`].
    Start(Delivery),
    /// Load rows of this target; tell [`Scheduler::loaded`] or [`Scheduler::not_loaded`].
    Load {
        /// Whose.
        target: Uuid,
        /// At most so many.
        limit: usize,
        /// Of which.
        which: Which,
    },
    /// Put this back on disk, where others of its key wait; tell [`Scheduler::settled`].
    PutBack(Delivery),
    /// New rows of this target shall stay on disk, or no longer.
    Full(Uuid, bool),
}

/// Which rows are to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are due.
    All,
    /// Only those that were attempted before.
    Retries,
}

/// When rows are due that stayed on disk: the first one, and the first retry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// The first one of all.
    pub next: Option<Moment>,
    /// The first one that was attempted before.
    pub next_retry: Option<Moment>,
}

/// What an attempt tells of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It works.
    Good,
    /// It is overloaded, broken or away.
    Bad,
    /// Nothing of its strength.
    None,
}

impl Sign {
    /// What the result of an attempt tells.
    pub fn of(result: &Result<Answer, Failure>) -> Self {
        match result {
            Ok(answer) if answer.status.is_success() => Self::Good,
            Ok(answer) if is_passing(answer.status) => Self::Bad,
            Err(failure) if !failure.is_final() => Self::Bad,
            _ => Self::None,
        }
    }
}

/// What becomes of a delivery when the end of its attempt is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The row is gone.
    Gone,
    /// It stays in memory and is due again then.
    Again(Moment),
    /// It waits on disk until then.
    OnDisk(Moment),
    /// Its webhook is paused: it waits on disk, until somebody tells of it.
    Parked,
    /// It waits on disk for the one of its key before it, see [`Action::PutBack`].
    PutBack,
}

/// The plan of one courier for as long as it holds the lease.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
    targets: FxHashMap<Uuid, Target>,
    /// Targets that can start something, in turn.
    ring: VecDeque<Uuid>,
    later: Later,
    /// The rows in memory.
    known: FxHashSet<i64>,
    wants: VecDeque<Action>,
    in_flight: usize,
    held: usize,
    bytes: usize,
    /// Targets that are given a rest.
    resting: usize,
    /// Whether it was told of everything that was on disk in the beginning.
    surveyed: bool,
}

impl Scheduler {
    /// A plan without work.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            targets: FxHashMap::default(),
            ring: VecDeque::new(),
            later: Later::default(),
            known: FxHashSet::default(),
            wants: VecDeque::new(),
            in_flight: 0,
            held: 0,
            bytes: 0,
            resting: 0,
            surveyed: false,
        }
    }

    /// What the webhook asks for.
    pub fn know(&mut self, target: Uuid, rules: Rules, now: Moment) {
        if let Some(known) = self.targets.get_mut(&target)
            && known.flow.know(rules, known.in_flight, now)
        {
            self.touch(target, now);
        }
    }

    /// Everything was told of that was on disk in the beginning.
    pub fn surveyed(&mut self) {
        self.surveyed = true;
    }

    /// Takes a row into memory. A row that is there already is left alone.
    pub fn due(&mut self, delivery: Delivery, due: Moment, now: Moment) {
        if self.known.insert(delivery.id) {
            let target = delivery.target;
            self.bytes += weight(&delivery);
            if delivery.order_key.is_some() && !self.surveyed {
                self.look_first(target, now);
            }
            self.place(delivery, due, now);
            self.touch(target, now);
        }
    }

    /// There are rows of this target on disk, the first due then.
    pub fn waiting(&mut self, target: Uuid, due: Moment, now: Moment) {
        self.target(target).wait_on_disk(due);
        self.touch(target, now);
    }

    /// What a [`Action::Load`] brought, and when what stayed on disk is due.
    pub fn loaded(
        &mut self,
        target: Uuid,
        rows: impl IntoIterator<Item = (Delivery, Moment)>,
        rest: Rest,
        now: Moment,
    ) {
        let mut brought_to = None;
        for (delivery, due) in rows {
            if delivery.order_key.is_some() && delivery.attempt <= 1 {
                brought_to = brought_to.max(Some(delivery.id));
            }
            self.due(delivery, due, now);
        }
        self.target(target).end_load(brought_to, rest);
        self.touch(target, now);
    }

    /// A [`Action::Load`] failed; it is wanted again then.
    pub fn not_loaded(&mut self, target: Uuid, again: Moment, now: Moment) {
        self.target(target).fail_load(again);
        self.touch(target, now);
    }

    /// An attempt is over, but not yet on disk. A webhook's place is free; a phone's wake-ups wait for
    /// the disk, because the phone's rate is counted there.
    pub fn ended(&mut self, delivery: &Delivery, sign: Sign, now: Moment) {
        if delivery.kind == Kind::Push {
            return;
        }
        self.free(delivery.target);
        let most = self.limits.per_webhook;
        let target = self.target(delivery.target);
        let (was_open, in_flight) = (target.flow.is_open(), target.in_flight);
        target.flow.ended(delivery, sign, in_flight, most, now);
        let is_open = target.flow.is_open();
        self.resting = self.resting + usize::from(is_open) - usize::from(was_open);
        self.touch(delivery.target, now);
    }

    /// The end of an attempt is on disk. With a retry the delivery's attempt is counted up here.
    pub fn settled(&mut self, mut delivery: Delivery, next: Next, now: Moment) {
        let target = delivery.target;
        if delivery.kind == Kind::Push {
            self.free(target);
        }
        self.uncount(target);
        match next {
            Next::Gone | Next::Parked | Next::PutBack => {
                self.forget(&delivery);
                let parked = next != Next::Gone;
                self.target(target).gone(&delivery, parked, now);
            }
            Next::OnDisk(due) => {
                self.forget(&delivery);
                self.target(target).retry_on_disk(due);
            }
            Next::Again(due) => {
                delivery.attempt += 1;
                self.place(delivery, due, now);
            }
        }
        self.touch(target, now);
    }

    /// What was started was not attempted. It stays first in its queue, which stands still until then,
    /// or the whole target does.
    pub fn postponed(&mut self, delivery: Delivery, until: Moment, whole: bool, now: Moment) {
        let target = delivery.target;
        self.free(target);
        self.target(target).put_back(delivery, until, whole);
        self.later.look(until, target);
        self.touch(target, now);
    }

    /// What to do now; to be asked until there is nothing. Without `may_start` nothing is started.
    pub fn next(&mut self, now: Moment, may_start: bool) -> Option<Action> {
        self.ripen(now);
        if let Some(action) = self.wants.pop_front() {
            return Some(action);
        }
        if may_start { self.start(now) } else { None }
    }

    /// When [`Scheduler::next`] may have something new though nothing was told.
    pub fn next_wake(&self) -> Option<Moment> {
        self.later.first()
    }

    /// How many rows are in memory.
    pub fn held(&self) -> usize {
        self.known.len()
    }

    /// How many targets are given a rest, because they fail.
    pub fn resting(&self) -> usize {
        self.resting
    }

    /// How many targets are known.
    pub fn targets(&self) -> usize {
        self.targets.len()
    }

    /// The next attempt, each target in turn.
    fn start(&mut self, now: Moment) -> Option<Action> {
        while self.in_flight < self.limits.in_flight {
            let id = self.ring.pop_front()?;
            let cap = self.limits.cap(self.in_flight);
            let Some(target) = self.targets.get_mut(&id) else {
                continue;
            };
            target.in_ring = false;
            if let Some(delivery) = target.take(cap, now) {
                self.in_flight += 1;
                self.touch(id, now);
                return Some(Action::Start(delivery));
            }
        }
        None
    }

    /// Brings up what has become due.
    fn ripen(&mut self, now: Moment) {
        while let Some(what) = self.later.pop_due(now) {
            match what {
                What::Row(delivery, far) => {
                    let target = delivery.target;
                    if far {
                        self.target(target).far -= 1;
                        self.count(target);
                    }
                    self.queue(*delivery);
                    self.touch(target, now);
                }
                What::Look(target) => {
                    if let Some(seen) = self.targets.get_mut(&target) {
                        seen.armed = seen.armed.filter(|armed| *armed > now);
                        self.touch(target, now);
                    }
                }
            }
        }
    }

    /// Puts a row where its time belongs. What is far ahead does not count as work in memory.
    fn place(&mut self, delivery: Delivery, due: Moment, now: Moment) {
        let target = delivery.target;
        let far = due > now + HELD_AHEAD && !comes_at_once(&delivery);
        if far {
            self.target(target).far += 1;
        } else {
            self.count(target);
        }
        if due <= now || comes_at_once(&delivery) {
            self.queue(delivery);
        } else {
            let leave = self.target(target).block(&delivery);
            self.wants.extend(leave.into_iter().map(Action::PutBack));
            self.later.row(due, delivery, far);
        }
    }

    fn queue(&mut self, delivery: Delivery) {
        let leaves = self.target(delivery.target).queue(delivery);
        self.wants.extend(leaves.into_iter().map(Action::PutBack));
    }

    /// Until all is told, an ordered row of an unknown target may have older ones on disk.
    fn look_first(&mut self, target: Uuid, now: Moment) {
        let target = self.target(target);
        if !target.looked {
            target.looked = true;
            target.wait_on_disk(now);
        }
    }

    /// Brings everything that follows from a target's state up to date.
    fn touch(&mut self, id: Uuid, now: Moment) {
        let cap = self.limits.cap(self.in_flight);
        let window = self.limits.window(self.held, self.bytes);
        let Some(target) = self.targets.get_mut(&id) else {
            return;
        };
        if let Some(which) = target.wants_load(window, now) {
            target.begin_load(which);
            self.wants.push_back(Action::Load {
                target: id,
                limit: window.chunk,
                which,
            });
        }
        if let Some(at) = target.arm(now) {
            self.later.look(at, id);
        }
        if target.turn_full(window, now) {
            self.wants.push_back(Action::Full(id, target.full));
        }
        if !target.in_ring && target.can_start(cap, now) {
            target.in_ring = true;
            self.ring.push_back(id);
        }
        if target.is_idle(now) {
            self.resting -= usize::from(target.flow.is_open());
            self.targets.remove(&id);
        }
    }

    fn target(&mut self, id: Uuid) -> &mut Target {
        self.targets.entry(id).or_default()
    }

    fn count(&mut self, target: Uuid) {
        self.held += 1;
        self.target(target).held += 1;
    }

    fn uncount(&mut self, target: Uuid) {
        self.held -= 1;
        self.target(target).held -= 1;
    }

    fn free(&mut self, target: Uuid) {
        self.in_flight -= 1;
        self.target(target).in_flight -= 1;
    }

    fn forget(&mut self, delivery: &Delivery) {
        self.known.remove(&delivery.id);
        self.bytes -= weight(delivery);
    }
}

/// New ordered rows come in the order of their ids, whatever a clock said when they were made.
fn comes_at_once(delivery: &Delivery) -> bool {
    delivery.order_key.is_some() && delivery.attempt <= 1
}

fn weight(delivery: &Delivery) -> usize {
    delivery
        .letter
        .as_ref()
        .map_or(0, |letter| letter.body.len())
}

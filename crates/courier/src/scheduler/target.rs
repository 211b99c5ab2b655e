//! One webhook or phone with something to carry: its queues, what is in flight, what is on disk.
//! Says of itself what may happen next; the scheduler does it.

use std::collections::VecDeque;

use gateway::delivery::{Cause, Delivery, Kind};

use super::flow::{Flow, is_new};
use super::limits::Window;
use super::ordered::Ordered;
use super::{Moment, Rest, Which};

/// Before everything else: what the phone's rate does not hold back. For a webhook: what is promised,
/// retries and tests.
const EXPRESS: usize = 0;
const ORDINARY: usize = 1;
/// What a webhook shall get once more.
const REPLAY: usize = 2;

/// One of so many turns is a replay's, while there is something else.
const TURNS: u8 = 9;

/// So many mails, or posts to a channel, at once.
const MAILS: usize = 2;

/// What the scheduler knows of a target. It is forgotten when there is nothing left to know.
#[derive(Debug, Default)]
pub(super) struct Target {
    kind: Option<Kind>,
    lanes: [Lane; 3],
    ordered: Ordered,
    pub flow: Flow,
    turn: u8,
    /// Attempts that are not over; a phone's also while their end is on the way to the disk.
    pub in_flight: usize,
    /// Rows in memory that are due soon: queued, in flight, or their end on the way to the disk.
    pub held: usize,
    /// Rows in memory that are due much later.
    pub far: usize,
    /// There is more on disk from then on; retries from then on.
    disk: Option<Moment>,
    disk_retries: Option<Moment>,
    /// What is on disk may come before ordered rows in memory.
    unread: bool,
    /// A key was freed while a load was under way, which may not have seen it.
    missed: bool,
    /// When the scheduler will look at it again though nothing is told.
    pub armed: Option<Moment>,
    /// What was on disk in the beginning is known.
    pub looked: bool,
    loading: Option<Which>,
    /// New rows stay on disk.
    pub full: bool,
    /// It has its place in the ring.
    pub in_ring: bool,
}

/// A queue that may stand still.
#[derive(Debug, Default)]
struct Lane {
    rows: VecDeque<Delivery>,
    opens: Moment,
}

impl Lane {
    fn is_ready(&self, now: Moment) -> bool {
        !self.rows.is_empty() && self.opens <= now
    }

    fn close(&mut self, until: Moment) {
        self.opens = self.opens.max(until);
    }
}

/// Where the next row comes from.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Lane(usize),
    /// The ordered one with this id.
    Ordered(i64),
}

impl Target {
    /// Puts a row behind the others; what has to go back to the disk because of it, or itself.
    pub fn queue(&mut self, delivery: Delivery) -> Vec<Delivery> {
        self.kind = Some(delivery.kind);
        if let Some(key) = delivery.order_key {
            return self.ordered.queue(key, delivery);
        }
        self.lane(&delivery).rows.push_back(delivery);
        Vec::new()
    }

    /// A retry waits in memory; what has to go back to the disk because of it.
    pub fn block(&mut self, delivery: &Delivery) -> Vec<Delivery> {
        match delivery.order_key {
            Some(key) => self.ordered.block(key, delivery.id),
            None => Vec::new(),
        }
    }

    /// Puts a row before the others and closes its lane, or all of them.
    pub fn put_back(&mut self, delivery: Delivery, until: Moment, whole: bool) {
        self.flow.untold(&delivery);
        if whole {
            self.lanes.iter_mut().for_each(|lane| lane.close(until));
        }
        if delivery.order_key.is_some() {
            self.lanes[ORDINARY].close(until);
            self.ordered.put_back(delivery);
            return;
        }
        let lane = self.lane(&delivery);
        lane.close(until);
        lane.rows.push_front(delivery);
    }

    /// A row is gone from memory.
    pub fn gone(&mut self, delivery: &Delivery, parked: bool, now: Moment) {
        if self.ordered.gone(delivery, parked) {
            self.missed = self.loading.is_some();
            self.wait_on_disk(now);
        }
    }

    /// The next row, if one may start.
    pub fn take(&mut self, cap: usize, now: Moment) -> Option<Delivery> {
        let taken = match self.pick(cap, now)? {
            Pick::Lane(lane) => self.lanes[lane].rows.pop_front()?,
            Pick::Ordered(id) => self.ordered.take(id)?,
        };
        self.turn = (self.turn + 1) % TURNS;
        self.in_flight += 1;
        if taken.kind == Kind::Webhook {
            self.flow.started(&taken, now);
        }
        Some(taken)
    }

    /// Whether [`Target::take`] would give something.
    pub fn can_start(&self, cap: usize, now: Moment) -> bool {
        self.pick(cap, now).is_some()
    }

    fn pick(&self, cap: usize, now: Moment) -> Option<Pick> {
        if self.kind? != Kind::Webhook {
            let cap = if self.kind? == Kind::Push {
                1
            } else {
                cap.min(MAILS)
            };
            let mut lanes = [EXPRESS, ORDINARY].into_iter();
            let lane = lanes.find(|lane| self.lanes[*lane].is_ready(now));
            return lane.filter(|_| self.in_flight < cap).map(Pick::Lane);
        }
        if self.in_flight >= self.flow.limit(cap) || self.flow.opens() > now {
            return None;
        }
        let may_be_new = self.flow.new_at().is_some_and(|at| at <= now);
        let turns = match self.turn {
            8 => [REPLAY, EXPRESS, ORDINARY],
            turn if turn % 2 == 0 => [EXPRESS, ORDINARY, REPLAY],
            _ => [ORDINARY, EXPRESS, REPLAY],
        };
        let mut turns = turns
            .into_iter()
            .filter(|turn| *turn == EXPRESS || may_be_new);
        turns.find_map(|turn| self.pick_from(turn, now))
    }

    /// The next row of a lane or of the ordered ones beside it, whichever is older.
    fn pick_from(&self, lane: usize, now: Moment) -> Option<Pick> {
        let ready = self.lanes[lane].is_ready(now);
        let row = self.lanes[lane].rows.front().filter(|_| ready);
        let ordered = match lane {
            EXPRESS => self.ordered.again(),
            ORDINARY => self.ordered.first(self.is_read(now)),
            _ => None,
        };
        let ordered = ordered.filter(|_| self.lanes[ORDINARY].opens <= now);
        match (row, ordered) {
            (Some(row), Some(id)) if row.id < id => Some(Pick::Lane(lane)),
            (_, Some(id)) => Some(Pick::Ordered(id)),
            (Some(_), None) => Some(Pick::Lane(lane)),
            (None, None) => None,
        }
    }

    /// There are rows on disk from then on.
    pub fn wait_on_disk(&mut self, due: Moment) {
        bring_forward(&mut self.disk, due);
    }

    /// There is a retry on disk from then on.
    pub fn retry_on_disk(&mut self, due: Moment) {
        bring_forward(&mut self.disk_retries, due);
        self.wait_on_disk(due);
    }

    /// Which rows should come from the disk now.
    pub fn wants_load(&self, window: Window, now: Moment) -> Option<Which> {
        if self.loading.is_some() {
            return None;
        }
        let retries = self.flow.is_open() && self.disk_retries.is_some_and(|due| due <= now);
        if retries && self.lanes[EXPRESS].rows.len() < window.low {
            return Some(Which::Retries);
        }
        // Those that wait for it are no reason not to load.
        let stuck = self.ordered.first(true).is_some() && self.ordered.first(false).is_none();
        let wanted = self.has_due_on_disk(now) && (self.held < window.low || stuck);
        wanted.then_some(Which::All)
    }

    /// What is told of the disk from here on is news to the load that begins.
    pub fn begin_load(&mut self, which: Which) {
        self.loading = Some(which);
        self.disk_retries = None;
        if which == Which::All {
            self.disk = None;
            self.unread = true;
            self.looked = true;
            self.missed = false;
        }
    }

    /// A load is over. It brought new ordered rows up to this id, and left the rest on disk.
    pub fn end_load(&mut self, brought_to: Option<i64>, rest: Rest) {
        if self.loading.take() == Some(Which::All) {
            self.unread = false;
            if let Some(id) = brought_to.filter(|_| !self.missed) {
                self.ordered.loaded_to = self.ordered.loaded_to.max(id);
            }
        }
        if let Some(next) = rest.next {
            self.wait_on_disk(next);
        }
        if let Some(next) = rest.next_retry {
            self.retry_on_disk(next);
        }
    }

    /// A load failed; nothing is known of the disk, and it is looked at again then.
    pub fn fail_load(&mut self, again: Moment) {
        if self.loading.take() == Some(Which::Retries) {
            bring_forward(&mut self.disk_retries, again);
        }
        self.wait_on_disk(again);
    }

    /// When to look at it again, if nobody will yet.
    pub fn arm(&mut self, now: Moment) -> Option<Moment> {
        let retries = self.disk_retries.filter(|_| self.flow.is_open());
        let (rate, new) = match self.kind {
            Some(Kind::Webhook) if self.has_rows() => (Some(self.flow.opens()), self.flow.new_at()),
            _ => (None, None),
        };
        let end = Some(self.flow.matters_until()).filter(|_| !self.has_work());
        let moments = [self.disk, retries, rate, new, end].into_iter().flatten();
        let next = moments.filter(|at| *at > now).min()?;
        if self.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        self.armed = Some(next);
        self.armed
    }

    /// Decides whether new rows stay on disk; true if that is a change.
    ///
    /// They do while older ones are due there, so that these are not overtaken for ever.
    pub fn turn_full(&mut self, window: Window, now: Moment) -> bool {
        let full = if self.full {
            self.loading == Some(Which::All)
                || self.has_due_on_disk(now)
                || self.held >= window.low
                || self.far >= window.low
        } else {
            let enough = self.held >= window.low && self.has_due_on_disk(now);
            enough || self.held >= window.high || self.far >= window.high
        };
        std::mem::replace(&mut self.full, full) != full
    }

    /// Whether there is nothing to know of it.
    pub fn is_idle(&self, now: Moment) -> bool {
        !self.has_work() && !self.full && self.flow.matters_until() <= now
    }

    fn has_work(&self) -> bool {
        self.held + self.far > 0 || self.disk.is_some() || self.loading.is_some()
    }

    fn has_rows(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.rows.is_empty())
            || self.ordered.first(true).is_some()
            || self.ordered.again().is_some()
    }

    fn has_due_on_disk(&self, now: Moment) -> bool {
        self.disk.is_some_and(|due| due <= now)
    }

    /// Whether nothing on disk can come before a row in memory.
    fn is_read(&self, now: Moment) -> bool {
        !self.unread && self.loading.is_none() && !self.has_due_on_disk(now)
    }

    fn lane(&mut self, delivery: &Delivery) -> &mut Lane {
        let lane = match delivery.kind {
            Kind::Webhook if !is_new(delivery) => EXPRESS,
            Kind::Webhook if delivery.cause == Cause::Replay => REPLAY,
            Kind::Push if delivery.exact || delivery.message_id.is_none() => EXPRESS,
            Kind::Webhook | Kind::Push | Kind::Mail | Kind::Discord => ORDINARY,
        };
        &mut self.lanes[lane]
    }
}

fn bring_forward(moment: &mut Option<Moment>, to: Moment) {
    *moment = Some(moment.map_or(to, |moment| moment.min(to)));
}

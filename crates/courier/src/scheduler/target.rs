//! One webhook or phone with something to carry: its queues, what is in flight, what is on disk.
//! Says of itself what may happen next; the scheduler does it.

use std::collections::VecDeque;

use gateway::delivery::{Delivery, Kind};

use super::Moment;
use super::limits::Window;

/// What the scheduler knows of a target. It is forgotten when there is nothing left to know.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// What the phone's rate does not hold back, before everything else.
    express: Lane,
    ordinary: Lane,
    /// Attempts that are not over; a phone's also while their end is on the way to the disk.
    pub in_flight: usize,
    /// Rows in memory that are due soon: queued, in flight, or their end on the way to the disk.
    pub held: usize,
    /// Rows in memory that are due much later.
    pub far: usize,
    /// There is more on disk from then on.
    disk: Option<Moment>,
    /// When the scheduler will look at the disk's due time again.
    pub armed: Option<Moment>,
    /// A load is under way.
    pub loading: bool,
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

impl Target {
    /// Puts a row behind the others.
    pub fn queue(&mut self, delivery: Delivery) {
        self.lane(&delivery).rows.push_back(delivery);
    }

    /// Puts a row before the others and closes its lane, or both.
    pub fn put_back(&mut self, delivery: Delivery, until: Moment, whole: bool) {
        let lane = self.lane(&delivery);
        lane.rows.push_front(delivery);
        lane.close(until);
        if whole {
            self.express.close(until);
            self.ordinary.close(until);
        }
    }

    /// The next row, if one may start.
    pub fn take(&mut self, cap: usize, now: Moment) -> Option<Delivery> {
        if !self.can_start(cap, now) {
            return None;
        }
        self.in_flight += 1;
        let mut lanes = [&mut self.express, &mut self.ordinary].into_iter();
        lanes.find(|lane| lane.is_ready(now))?.rows.pop_front()
    }

    /// Whether [`Target::take`] would give something.
    pub fn can_start(&self, cap: usize, now: Moment) -> bool {
        let lanes = [&self.express, &self.ordinary];
        let lane = lanes.into_iter().find(|lane| lane.is_ready(now));
        lane.and_then(|lane| lane.rows.front())
            .is_some_and(|front| self.in_flight < cap_of(front.kind, cap))
    }

    /// There are rows on disk from then on.
    pub fn wait_on_disk(&mut self, due: Moment) {
        self.disk = Some(self.disk.map_or(due, |disk| disk.min(due)));
    }

    /// Whether rows should come from the disk now.
    pub fn wants_load(&self, window: Window, now: Moment) -> bool {
        self.has_due_on_disk(now) && !self.loading && self.held < window.low
    }

    /// What is told of the disk from here on is news to the load that begins.
    pub fn begin_load(&mut self) {
        self.loading = true;
        self.disk = None;
    }

    /// When to look at the disk's due time, if nobody will yet.
    pub fn arm(&mut self, now: Moment) -> Option<Moment> {
        let due = self.disk.filter(|due| *due > now)?;
        if self.armed.is_some_and(|armed| armed <= due) {
            return None;
        }
        self.armed = Some(due);
        self.armed
    }

    /// Decides whether new rows stay on disk; true if that is a change.
    ///
    /// They do while older ones are due there, so that these are not overtaken for ever.
    pub fn turn_full(&mut self, window: Window, now: Moment) -> bool {
        let full = if self.full {
            self.loading
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
    pub fn is_idle(&self) -> bool {
        let rows = self.held + self.far;
        rows == 0 && self.disk.is_none() && !self.loading && !self.full
    }

    fn has_due_on_disk(&self, now: Moment) -> bool {
        self.disk.is_some_and(|due| due <= now)
    }

    fn lane(&mut self, delivery: &Delivery) -> &mut Lane {
        let nudge = delivery.kind == Kind::Push && delivery.message_id.is_none();
        if delivery.exact || nudge {
            &mut self.express
        } else {
            &mut self.ordinary
        }
    }
}

/// A phone gets one wake-up at a time.
fn cap_of(kind: Kind, webhook: usize) -> usize {
    match kind {
        Kind::Webhook => webhook,
        Kind::Push => 1,
    }
}

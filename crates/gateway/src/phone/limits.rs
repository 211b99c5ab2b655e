//! Limits: how many segments may leave a phone in any minute, hour and day.
//!
//! They hold for slots. A phone with limits has a row for each slot that it gave out, with the
//! segments of all slots up to this one, so that one row says when there is room again. Slots only
//! go forward, and the phone's row is locked, so no two messages take the same room.

use std::time::Duration;

use db::Scalar;

use super::Phone;
use crate::clock::Time;
use crate::{Result, Work};

const DAY: Duration = Duration::from_hours(24);

impl Phone {
    /// The limits, with the stretch of time of each.
    fn limits(&self) -> impl Iterator<Item = (i64, Duration)> + use<> {
        let limits = [
            (self.limit_per_minute, Duration::from_mins(1)),
            (self.limit_per_hour, Duration::from_hours(1)),
            (self.limit_per_day, DAY),
        ];
        let set = |(limit, time): (Option<i64>, Duration)| limit.map(|limit| (limit, time));
        limits.into_iter().filter_map(set)
    }

    /// Whether it has any.
    pub(crate) fn is_limited(&self) -> bool {
        self.limits().next().is_some()
    }
}

db::row! {
    struct Slot { total: i64, segments: i64, slot_at: Time }
}

impl Work<'_, '_> {
    /// The first time at which so many more segments are within the phone's limits. A message that
    /// is larger than a limit waits until nothing else is in its stretch of time.
    pub(crate) fn within_limits(&mut self, phone: &Phone, segments: i64) -> Result<Time> {
        let total = self.total(phone)?;
        let mut free = self.now;
        for (limit, time) in phone.limits() {
            let before = (total + segments - limit).min(total);
            if let Some(slot) = self.slot_that_must_pass(phone, before)? {
                free = free.max(slot + time);
            }
        }
        Ok(free)
    }

    /// Notes that so many segments leave in the phone's last slot. An exact send time that lies
    /// before counts there too: what was given out by then cannot make room for it.
    pub(crate) fn count_segments(&mut self, phone: &Phone, segments: i64) -> Result<()> {
        let slot = phone.last_slot_at.unwrap_or(self.now);
        let over = slot.micros() - i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
        self.tx.execute(
            "DELETE FROM phone_slot WHERE phone_id = $1 AND slot_at <= $2",
            &[&phone.id, &over],
        )?;
        let total = self.total(phone)? + segments;
        self.tx.execute(
            "INSERT INTO phone_slot (phone_id, total, segments, slot_at) VALUES ($1, $2, $3, $4)",
            &[&phone.id, &total, &segments, &slot],
        )?;
        Ok(())
    }

    /// Notes that so many of the segments after the phone's last slot do not leave after all. The
    /// rest of them, of exact send times, counts for that slot.
    pub(crate) fn free_segments(&mut self, phone: &Phone, segments: i64) -> Result<()> {
        let slot = phone.last_slot_at.unwrap_or(self.now);
        let Scalar(after): Scalar<i64> = self.tx.one(
            "SELECT CAST(COALESCE(SUM(segments), 0) AS BIGINT) FROM phone_slot
              WHERE phone_id = $1 AND slot_at > $2",
            &[&phone.id, &slot],
        )?;
        self.tx.execute(
            "DELETE FROM phone_slot WHERE phone_id = $1 AND slot_at > $2",
            &[&phone.id, &slot],
        )?;
        if after > segments {
            self.count_segments(phone, after - segments)?;
        }
        Ok(())
    }

    fn total(&mut self, phone: &Phone) -> Result<i64> {
        let Scalar(total): Scalar<Option<i64>> = self.tx.one(
            "SELECT MAX(total) FROM phone_slot WHERE phone_id = $1",
            &[&phone.id],
        )?;
        Ok(total.unwrap_or(0))
    }

    /// The slot that brought the phone's segments to this number. None, if that was never, or more
    /// than a day ago.
    fn slot_that_must_pass(&mut self, phone: &Phone, number: i64) -> Result<Option<Time>> {
        let slot: Option<Slot> = self.tx.optional(
            "SELECT total, segments, slot_at FROM phone_slot
              WHERE phone_id = $1 AND total >= $2 ORDER BY total LIMIT 1",
            &[&phone.id, &number],
        )?;
        let reached = |slot: &Slot| slot.total - slot.segments < number;
        Ok(slot.filter(reached).map(|slot| slot.slot_at))
    }
}

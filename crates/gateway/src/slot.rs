//! Slots: when a phone may send its next message.

use db::Scalar;

use crate::Result;
use crate::Work;
use crate::clock::Time;
use crate::message::Message;
use crate::phone::Phone;
use crate::schedule::{self, Week};

/// The next slot of a phone: now, but never closer to the last one than its rate allows, and
/// within the hours in which it may send.
pub fn next(phone: &Phone, week: Option<&Week>, now: Time) -> Time {
    let open = |time| week.map_or(time, |week| week.next(time));
    match phone.last_slot_at {
        Some(last) => open(open(now).max(last + phone.spacing())),
        None => open(now),
    }
}

impl Work<'_, '_> {
    /// Gives the phone's next slot to a message. The phone's row is locked, so no two messages get
    /// the same one.
    pub(crate) fn take_slot(&mut self, phone: &mut Phone, message: &Message) -> Result<Time> {
        let week = schedule::week_of(self.tx, phone)?;
        let mut slot = next(phone, week.as_ref(), self.now);
        if phone.is_limited() {
            slot = slot.max(self.within_limits(phone, message.weight())?);
            slot = week.map_or(slot, |week| week.next(slot));
        }
        self.keep_slot(phone, slot, message)?;
        Ok(slot)
    }

    /// Notes that a message goes out then, by an exact send time: later slots keep their distance.
    pub(crate) fn keep_slot(
        &mut self,
        phone: &mut Phone,
        slot: Time,
        message: &Message,
    ) -> Result<()> {
        if phone.last_slot_at.is_none_or(|last| last < slot) {
            phone.last_slot_at = Some(slot);
            self.tx.send(
                "UPDATE phone SET last_slot_at = $2 WHERE id = $1",
                &[&phone.id, &slot],
            )?;
        }
        if phone.is_limited() {
            self.count_segments(phone, message.weight())?;
        }
        Ok(())
    }

    /// Takes back the slots of messages that no wake-up waits for any more, as far as none that is
    /// still waited for comes after them.
    pub(crate) fn give_slots_back(
        &mut self,
        phone: &mut Phone,
        messages: &[&Message],
    ) -> Result<()> {
        let Scalar(waiting): Scalar<Option<Time>> = self.tx.one(
            "SELECT MAX(due_at) FROM delivery WHERE target = $1 AND message_id IS NOT NULL",
            &[&phone.id],
        )?;
        let last = waiting.map_or(self.now, |waiting| waiting.max(self.now));
        if phone.last_slot_at.is_none_or(|slot| slot <= last) {
            return Ok(());
        }
        phone.last_slot_at = Some(last);
        self.tx.send(
            "UPDATE phone SET last_slot_at = $2 WHERE id = $1",
            &[&phone.id, &last],
        )?;
        if phone.is_limited() {
            let free = messages
                .iter()
                .filter(|message| message.scheduled_at > Some(last));
            self.free_segments(phone, free.map(|message| message.weight()).sum())?;
        }
        Ok(())
    }
}

//! Why a message is where it is: by a code, for programs, and in words.

use db::{Scalar, Tx};
use serde::Serialize;

use super::{Kind, Message, Status};
use crate::Result;
use crate::clock::Time;
use crate::names::names;
use crate::phone::Phone;
use crate::schedule::Week;

/// What a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The time that was asked for.
    AskedTime,
    /// Its turn in a bulk send.
    BulkTurn,
    /// That its bulk send goes on, which was paused.
    Resume,
    /// The hours in which its phone may send.
    Hours,
    /// Its slot.
    Slot,
    /// That its phone, which is offline, comes back.
    Phone,
    /// That its phone is woken.
    WakeUp,
    /// That its phone, which was woken, fetches it.
    Fetch,
    /// That its phone says what became of it.
    Report,
    /// That the network says that it arrived.
    DeliveryReport,
    /// Nothing more: its phone was deleted.
    DeletedPhone,
}

names!(Awaited {
    AskedTime => "asked_time",
    BulkTurn => "bulk_turn",
    Resume => "resume",
    Hours => "hours",
    Slot => "slot",
    Phone => "phone",
    WakeUp => "wake_up",
    Fetch => "fetch",
    Report => "report",
    DeliveryReport => "delivery_report",
    DeletedPhone => "deleted_phone",
});

/// What a message waits for, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What for.
    pub code: Awaited,
    /// Until when at most, or at least.
    pub until: Option<Time>,
    /// Of [`Awaited::Phone`]: its last heartbeat; nothing if none ever came.
    pub heartbeat_at: Option<Time>,
    /// Of [`Awaited::Slot`]: how many messages a minute its phone may send; nothing if as many as
    /// it can.
    pub per_minute: Option<i64>,
}

impl Waiting {
    fn new(code: Awaited, until: Option<Time>) -> Self {
        Self {
            code,
            until,
            heartbeat_at: None,
            per_minute: None,
        }
    }

    /// The same in words.
    pub(crate) fn words(&self) -> String {
        let words = match self.code {
            Awaited::AskedTime => "It waits for the time that was asked for.",
            Awaited::BulkTurn => "It waits for its turn in a bulk send.",
            Awaited::Resume => "Its bulk send is paused.",
            Awaited::Hours => "It waits for the hours in which its phone may send.",
            Awaited::Slot => "It waits for its slot, by the rate and the limits of its phone.",
            Awaited::Phone => return self.offline(),
            Awaited::WakeUp => "The phone is being woken.",
            Awaited::Fetch => "The phone was woken and has not fetched it yet.",
            Awaited::Report => "The phone has it; its report is awaited.",
            Awaited::DeliveryReport => "It was sent; a delivery report may still come.",
            Awaited::DeletedPhone => "Its phone was deleted.",
        };
        words.to_owned()
    }

    fn offline(&self) -> String {
        match self.heartbeat_at {
            Some(at) => format!("The phone is offline; its last heartbeat came at {at}."),
            None => "The phone is offline; no heartbeat has ever come.".to_owned(),
        }
    }
}

/// What a message waits for now; nothing, if it is over or has come in. `week` has the hours in
/// which its phone may send.
pub(crate) fn waiting(
    tx: &mut Tx<'_>,
    message: &Message,
    phone: Option<&Phone>,
    week: Option<&Week>,
    now: Time,
) -> Result<Option<Waiting>> {
    if message.kind != Kind::MobileTerminated {
        return Ok(None);
    }
    if is_held(tx, message)? {
        return Ok(Some(Waiting::new(Awaited::Resume, None)));
    }
    let said = |code, until| Some(Waiting::new(code, until));
    Ok(match message.status {
        Status::Pending if message.scheduled_send_time.is_some() => {
            said(Awaited::AskedTime, message.due_at)
        }
        Status::Pending => said(Awaited::BulkTurn, message.due_at),
        Status::Scheduled => Some(scheduled(message, phone, week, now)),
        Status::Sending => said(Awaited::Report, message.due_at),
        Status::Sent => said(Awaited::DeliveryReport, None),
        _ => None,
    })
}

/// Whether it belongs to a bulk send that is paused, and no phone has it.
fn is_held(tx: &mut Tx<'_>, message: &Message) -> Result<bool> {
    let may_be = matches!(
        message.status,
        Status::Pending | Status::Scheduled | Status::Expired
    );
    // Of what is held no timer runs, and bulk sends have names.
    if !may_be || message.due_at.is_some() || message.request_id.is_none() {
        return Ok(false);
    }
    let held: Option<Scalar<i64>> = tx.optional(
        "SELECT 1 FROM message
          WHERE id = $1 AND user_id = $2 AND held_from IS NOT NULL
            AND (status <> 'expired' OR send_attempt_count < max_send_attempts)",
        &[&message.id, &message.user_id],
    )?;
    Ok(held.is_some())
}

fn scheduled(message: &Message, phone: Option<&Phone>, week: Option<&Week>, now: Time) -> Waiting {
    let slot = message.scheduled_at.unwrap_or(now);
    match phone {
        None => Waiting::new(Awaited::DeletedPhone, message.due_at),
        Some(_) if slot > now && message.scheduled_send_time.is_some() => {
            Waiting::new(Awaited::AskedTime, Some(slot))
        }
        Some(_) if slot > now && week.is_some_and(|week| week.next(now) > now) => {
            Waiting::new(Awaited::Hours, Some(slot))
        }
        Some(phone) if slot > now => Waiting {
            per_minute: Some(phone.messages_per_minute).filter(|rate| *rate > 0),
            ..Waiting::new(Awaited::Slot, Some(slot))
        },
        Some(phone) if !phone.online => Waiting {
            heartbeat_at: phone.heartbeat_at,
            ..Waiting::new(Awaited::Phone, message.due_at)
        },
        Some(_) if message.due_at.is_some() => Waiting::new(Awaited::Fetch, message.due_at),
        Some(_) => Waiting::new(Awaited::WakeUp, None),
    }
}

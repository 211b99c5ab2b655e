//! Why a message is where it is, in words.

use super::{Kind, Message, Status};
use crate::clock::Time;
use crate::phone::Phone;
use crate::schedule::Week;

/// What a message waits for, and until when at most, or at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) why: String,
    pub(crate) until: Option<Time>,
}

/// What a message waits for now; nothing, if it is over or has come in. `week` has the hours in
/// which its phone may send.
pub(crate) fn waiting(
    message: &Message,
    phone: Option<&Phone>,
    week: Option<&Week>,
    now: Time,
) -> Option<Waiting> {
    let said = |why: &str, until: Option<Time>| {
        let why = why.to_owned();
        Some(Waiting { why, until })
    };
    if message.kind != Kind::MobileTerminated {
        return None;
    }
    match message.status {
        Status::Pending if message.scheduled_send_time.is_some() => {
            said("It waits for the time that was asked for.", message.due_at)
        }
        Status::Pending => said("It waits for its turn in a bulk send.", message.due_at),
        Status::Scheduled => Some(scheduled(message, phone, week, now)),
        Status::Sending => said("The phone has it; its report is awaited.", message.due_at),
        Status::Sent => said("It was sent; a delivery report may still come.", None),
        _ => None,
    }
}

fn scheduled(message: &Message, phone: Option<&Phone>, week: Option<&Week>, now: Time) -> Waiting {
    let slot = message.scheduled_at.unwrap_or(now);
    let (why, until) = match phone {
        None => ("Its phone was deleted.".to_owned(), message.due_at),
        Some(_) if slot > now && message.scheduled_send_time.is_some() => {
            let why = "It waits for the time that was asked for.";
            (why.to_owned(), Some(slot))
        }
        Some(_) if slot > now && week.is_some_and(|week| week.next(now) > now) => {
            let why = "It waits for the hours in which its phone may send.";
            (why.to_owned(), Some(slot))
        }
        Some(_) if slot > now => {
            let why = "It waits for its slot, by the rate and the limits of its phone.";
            (why.to_owned(), Some(slot))
        }
        Some(phone) if !phone.online => (offline(phone), message.due_at),
        Some(_) if message.due_at.is_some() => {
            let why = "The phone was woken and has not fetched it yet.";
            (why.to_owned(), message.due_at)
        }
        Some(_) => ("The phone is being woken.".to_owned(), None),
    };
    Waiting { why, until }
}

fn offline(phone: &Phone) -> String {
    match phone.heartbeat_at {
        Some(at) => format!("The phone is offline; its last heartbeat came at {at}."),
        None => "The phone is offline; no heartbeat has ever come.".to_owned(),
    }
}

//! What somebody who watches the phone would see, one line each.
//! Numbers and texts are shown, as on a screen; keys never are.

use std::fmt;

use uuid::Uuid;

use crate::wire::{EventName, Sim};

/// Something that happened on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The server knows this number now.
    Registered {
        /// E.164.
        number: String,
        /// Its card.
        sim: Sim,
    },
    /// A message goes out over the air.
    Sending {
        /// Of the message.
        id: Uuid,
        /// The phone's number.
        from: String,
        /// The recipient.
        to: String,
        /// The text.
        content: String,
    },
    /// The server took a report.
    Reported {
        /// Of the message.
        id: Uuid,
        /// SENT, DELIVERED or FAILED.
        event: EventName,
        /// Why it failed.
        reason: Option<&'static str>,
    },
    /// A report was kept back on purpose.
    Dropped {
        /// Of the message.
        id: Uuid,
        /// The report.
        event: EventName,
    },
    /// A push for a message that cannot be claimed.
    NotOurs {
        /// Of the message.
        id: Uuid,
    },
    /// A push for a message that was sent before: answered from memory.
    SentBefore {
        /// Of the message.
        id: Uuid,
    },
    /// Somebody wrote, and the server knows.
    Received {
        /// The sender.
        from: String,
        /// The phone's number.
        to: String,
        /// The text.
        content: String,
    },
    /// Somebody rang, and the server knows.
    MissedCall {
        /// The caller.
        from: String,
        /// The phone's number.
        to: String,
    },
    /// Something was refused for good and is forgotten.
    GaveUp {
        /// What it was about.
        what: String,
        /// The refusal.
        why: String,
    },
    /// The server went away.
    Offline {
        /// What is wrong.
        why: String,
    },
    /// The server is back.
    Online,
    /// Polls come back early and empty, again and again.
    Crowded,
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { number, sim } => write!(f, "{number} is registered as {sim}"),
            Self::Sending {
                id,
                from,
                to,
                content,
            } => write!(f, "{id}: {from} to {to}: {content:?}"),
            Self::Reported {
                id,
                event,
                reason: Some(reason),
            } => write!(f, "{id}: {event} ({reason})"),
            Self::Reported { id, event, .. } => write!(f, "{id}: {event}"),
            Self::Dropped { id, event } => write!(f, "{id}: {event} is kept back"),
            Self::NotOurs { id } => write!(f, "{id}: nothing to send"),
            Self::SentBefore { id } => write!(f, "{id}: was sent before, only reported again"),
            Self::Received { from, to, content } => {
                write!(f, "{to} received from {from}: {content:?}")
            }
            Self::MissedCall { from, to } => write!(f, "{to} missed a call from {from}"),
            Self::GaveUp { what, why } => write!(f, "{what}: given up: {why}"),
            Self::Offline { why } => write!(f, "{why}; trying again"),
            Self::Online => f.write_str("the server is back"),
            Self::Crowded => {
                f.write_str("polls end early: perhaps another phone uses the same API key")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EventName, Happening, Uuid};

    #[test]
    fn a_happening_is_one_line() {
        let id = Uuid::nil();
        let failed = Happening::Reported {
            id,
            event: EventName::Failed,
            reason: Some("NO_SERVICE"),
        };
        assert_eq!(failed.to_string(), format!("{id}: FAILED (NO_SERVICE)"));
        let sending = Happening::Sending {
            id,
            from: "+18005550199".into(),
            to: "+18005550100".into(),
            content: "two\nlines".into(),
        };
        assert_eq!(sending.to_string().lines().count(), 1);
    }
}

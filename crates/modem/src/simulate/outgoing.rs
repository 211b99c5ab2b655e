//! An outgoing message on the phone: claimed, sent over the air, reported.
//! The phone protocol §6 to §8; a repeated push is answered from memory (§15.5).

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Happening;
use super::dice::{Fate, Posting};
use super::handset::Handset;
use super::ledger::{Outcome, Push};
use crate::wire::{Event, EventName, Message};
use crate::{Backoff, Error, Stamp};

const NO_PASSPHRASE: &str = "Outgoing message is encrypted but mobile app has no encryption key";
const NO_FILE: &str = "Failed to download attachment or file size exceeded 1.5MB.";

/// Held from claim to SENT, so that a phone sends only so many at once.
type Turn = Option<OwnedSemaphorePermit>;

/// One thing to say about a message.
#[derive(Clone, Copy)]
struct Report {
    name: EventName,
    reason: Option<&'static str>,
    at: Stamp,
}

impl Report {
    fn new(name: EventName, at: Stamp) -> Self {
        let reason = None;
        Self { name, reason, at }
    }

    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Sent { at, .. } => Self::new(EventName::Sent, at),
            Outcome::Failed { at, reason } => Self {
                name: EventName::Failed,
                reason: Some(reason),
                at,
            },
        }
    }
}

impl Handset {
    /// A push for a message; waits while too many are being sent.
    pub async fn pushed(self: &Arc<Self>, id: Uuid) {
        let push = self.ledger().take(id);
        if push == Push::InHand {
            return;
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        let fate = self.dice().fate(&self.options);
        let phone = Arc::clone(self);
        self.spawn(async move {
            match push {
                Push::Done(outcome) => phone.repeat(id, outcome, &fate).await,
                _ => phone.send(id, &fate, turn).await,
            }
            phone.ledger().put_down(id);
        });
    }

    async fn send(&self, id: Uuid, fate: &Fate, turn: Turn) {
        let Some(message) = self.claim(id).await else {
            return;
        };
        let outcome = self.transmit(&message, fate).await;
        self.ledger().note(id, outcome);
        let known = self
            .report(id, Report::of(outcome), fate.outcome_report)
            .await;
        drop(turn);
        // There are no delivery reports for MMS.
        if let Outcome::Sent { at, .. } = outcome
            && known
            && message.files().is_empty()
        {
            self.deliver(id, at, fate).await;
            self.reply(&message, fate).await;
        }
    }

    /// It went out before, but the server does not know.
    async fn repeat(&self, id: Uuid, outcome: Outcome, fate: &Fate) {
        if self.claim(id).await.is_none() {
            return;
        }
        self.stats.repeated.count();
        self.tell(|| Happening::SentBefore { id });
        let known = self
            .report(id, Report::of(outcome), fate.outcome_report)
            .await;
        if let Outcome::Sent {
            delivered: Some(at),
            ..
        } = outcome
            && known
        {
            let report = Report::new(EventName::Delivered, at);
            self.report(id, report, fate.delivery_report).await;
        }
    }

    /// Nothing when the message is not to be had, or the phone stops before it has it.
    async fn claim(&self, id: Uuid) -> Option<Message> {
        let mut backoff = Backoff::default();
        while !self.stopping.is_cancelled() {
            match self.client.claim(id).await {
                Ok(message) => {
                    self.answered(&backoff);
                    self.stats.claimed.count();
                    return Some(message);
                }
                Err(error) if error.is_transient() => self.wait_out(&error, &mut backoff).await,
                Err(Error::NotFound(_)) => {
                    self.answered(&backoff);
                    self.tell(|| Happening::NotOurs { id });
                    return None;
                }
                Err(error) => {
                    self.give_up(|| format!("{id}: claim"), &error);
                    return None;
                }
            }
        }
        None
    }

    /// The way over the air; the checks before it are the app's (§7).
    async fn transmit(&self, message: &Message, fate: &Fate) -> Outcome {
        self.tell(|| Happening::Sending {
            id: message.id,
            from: message.owner.clone(),
            to: message.contact.clone(),
            content: message.content.clone(),
        });
        let mut refusal = message.encrypted.then_some(NO_PASSPHRASE);
        if refusal.is_none() && !self.fetch(message.files()).await {
            refusal = Some(NO_FILE);
        }
        if refusal.is_none() {
            self.pause(fate.latency).await;
            refusal = fate.refusal;
        }
        let (at, delivered) = (Stamp::now(), None);
        match refusal {
            Some(reason) => Outcome::Failed { at, reason },
            None => Outcome::Sent { at, delivered },
        }
    }

    async fn fetch(&self, files: &[String]) -> bool {
        for url in files {
            if let Err(error) = self.client.transport().file(url).await {
                tracing::warn!(%error, "an attachment cannot be fetched");
                return false;
            }
        }
        true
    }

    async fn deliver(&self, id: Uuid, at: Stamp, fate: &Fate) {
        self.pause(fate.delivery_latency).await;
        let now = Stamp::now();
        let delivered = Some(now);
        self.ledger().note(id, Outcome::Sent { at, delivered });
        let report = Report::new(EventName::Delivered, now);
        self.report(id, report, fate.delivery_report).await;
    }

    async fn reply(&self, message: &Message, fate: &Fate) {
        if let Some(text) = fate.reply {
            self.pause(fate.delivery_latency).await;
            self.hand_in(&message.contact, &message.owner, Some(text))
                .await;
        }
    }

    /// Posts until the server took it; false when the server does not know the message any more,
    /// which ends the matter.
    async fn report(&self, id: Uuid, report: Report, posting: Posting) -> bool {
        if posting == Posting::Never {
            self.stats.dropped.count();
            let event = report.name;
            self.tell(|| Happening::Dropped { id, event });
            return true;
        }
        let event = Event {
            event_name: report.name,
            reason: report.reason.map(Into::into),
            timestamp: report.at,
        };
        match self.persist(|| self.client.report(id, &event)).await {
            Ok(()) => self.reported(id, report),
            Err(Error::NotFound(_)) => return false,
            Err(error) => self.give_up(|| format!("{id}: {}", report.name), &error),
        }
        if posting == Posting::Twice {
            self.stats.duplicated.count();
            // The server has it already: whatever it says now changes nothing.
            let _ = self.client.report(id, &event).await;
        }
        true
    }

    fn reported(&self, id: Uuid, report: Report) {
        match report.name {
            EventName::Sent => self.stats.sent.count(),
            EventName::Delivered => self.stats.delivered.count(),
            EventName::Failed => self.stats.failed.count(),
        }
        self.tell(|| Happening::Reported {
            id,
            event: report.name,
            reason: report.reason,
        });
    }
}

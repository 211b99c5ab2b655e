//! How attempts ended, and what follows from it.

use serde::Serialize;
use uuid::Uuid;

use super::{ON_DISK, Outcome, Settlement};
use crate::clock::Time;
use crate::{Gateway, Result, Work, event};

db::row! {
    /// A delivery that was given up.
    struct Lost {
        target: Uuid,
        user_id: String,
        event_seq: Option<i64>,
        message_id: Option<Uuid>,
        notification_id: Option<Uuid>,
    }

    struct LostEvent { id: Uuid, kind: event::Kind, owner: Option<String>, body: String, url: String }

    /// A wake-up that left.
    pub(crate) struct Wakeup {
        pub target: Uuid,
        pub message_id: Option<Uuid>,
        pub notification_id: Option<Uuid>,
    }
}

#[derive(Serialize)]
struct WebhookFailed<'a> {
    webhook_id: Uuid,
    webhook_url: &'a str,
    owner: &'a str,
    user_id: &'a str,
    event_id: Uuid,
    event_type: event::Kind,
    event_payload: &'a str,
    http_response_status_code: Option<u16>,
    error_message: &'a str,
}

impl Gateway {
    /// Records how attempts ended, all in one transaction. A settlement of an attempt that is not
    /// the row's current one changes nothing.
    pub async fn settle(&self, settlements: Vec<Settlement>) -> Result<()> {
        self.write(move |work| {
            settlements
                .iter()
                .try_for_each(|settlement| work.settle(settlement))
        })
        .await
    }
}

impl Work<'_, '_> {
    fn settle(&mut self, settlement: &Settlement) -> Result<()> {
        let Settlement {
            id,
            attempt,
            outcome,
        } = settlement;
        match outcome {
            Outcome::Delivered | Outcome::Dropped => self
                .tx
                .execute(
                    "DELETE FROM delivery WHERE id = $1 AND attempt = $2",
                    &[id, attempt],
                )
                .map(drop)
                .map_err(Into::into),
            Outcome::Retry { due_at, held } => self.retry(*id, *attempt, *due_at, *held),
            Outcome::Dead { status, error } => self.give_up(*id, *attempt, *status, error),
            Outcome::Pushed { push_id, at } => self.pushed(*id, *attempt, push_id, *at, false),
            Outcome::Offered { at } => self.pushed(*id, *attempt, "", *at, true),
        }
    }

    fn retry(&mut self, id: i64, attempt: i64, due_at: Time, held: bool) -> Result<()> {
        let epoch = if held {
            self.gateway.handoff.epoch()
        } else {
            ON_DISK
        };
        self.tx.execute(
            "UPDATE delivery SET attempt = attempt + 1, due_at = $3, epoch = $4
              WHERE id = $1 AND attempt = $2",
            &[&id, &attempt, &due_at, &epoch],
        )?;
        Ok(())
    }

    fn give_up(&mut self, id: i64, attempt: i64, status: Option<u16>, error: &str) -> Result<()> {
        let lost: Option<Lost> = self.tx.optional(
            "DELETE FROM delivery WHERE id = $1 AND attempt = $2
             RETURNING target, user_id, event_seq, message_id, notification_id",
            &[&id, &attempt],
        )?;
        let Some(lost) = lost else { return Ok(()) };
        if let Some(seq) = lost.event_seq {
            return self.webhook_failed(&lost, seq, status, error);
        }
        match (lost.message_id, lost.notification_id) {
            (Some(message), Some(notification)) => {
                self.message_unwakeable(&lost.user_id, message, lost.target, notification, error)
            }
            _ => Ok(()),
        }
    }

    fn webhook_failed(
        &mut self,
        lost: &Lost,
        seq: i64,
        status: Option<u16>,
        error: &str,
    ) -> Result<()> {
        let event: Option<LostEvent> = self.tx.optional(
            "SELECT event.id, event.kind, owner, body, url FROM event, webhook
              WHERE seq = $1 AND webhook.id = $2",
            &[&seq, &lost.target],
        )?;
        let Some(event) = event else { return Ok(()) };
        let Ok(Envelope { source, data }) = serde_json::from_str(&event.body) else {
            return Ok(());
        };
        let failed = WebhookFailed {
            webhook_id: lost.target,
            webhook_url: &event.url,
            owner: event.owner.as_deref().unwrap_or(""),
            user_id: &lost.user_id,
            event_id: event.id,
            event_type: event.kind,
            event_payload: data.get(),
            http_response_status_code: status,
            error_message: error,
        };
        let about = event::About {
            user_id: &lost.user_id,
            owner: event.owner.as_deref(),
            source: &source,
        };
        self.append(event::Kind::WebhookSendFailed, about, &failed)
    }

    fn pushed(
        &mut self,
        id: i64,
        attempt: i64,
        push_id: &str,
        at: Time,
        offer: bool,
    ) -> Result<()> {
        let wakeup: Option<Wakeup> = self.tx.optional(
            "DELETE FROM delivery WHERE id = $1 AND attempt = $2
             RETURNING target, message_id, notification_id",
            &[&id, &attempt],
        )?;
        match wakeup {
            Some(wakeup) => self.push_left(&wakeup, push_id, at, offer),
            None => Ok(()),
        }
    }
}

/// The parts of a CloudEvent that a failure report repeats.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    source: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

//! How attempts ended, and what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::log::Entry;
use super::{Cause, Kind, ON_DISK, Outcome, Settlement, State};
use crate::clock::Time;
use crate::mail::{Letter, Topic, readable};
use crate::{Gateway, Result, Work, event};

db::row! {
    /// A delivery whose attempt has ended.
    pub(crate) struct Done {
        pub kind: Kind,
        pub target: Uuid,
        pub user_id: String,
        pub event_seq: Option<i64>,
        pub message_id: Option<Uuid>,
        pub notification_id: Option<Uuid>,
        pub cause: Cause,
        pub replay_id: Option<Uuid>,
    }

    struct LostEvent { id: Uuid, kind: event::Kind, owner: Option<String>, body: String, url: String }
}

/// The columns of [`Done`].
const DONE: &str =
    "kind, target, user_id, event_seq, message_id, notification_id, cause, replay_id";

/// How a webhook did in one batch: whether anything arrived, and whether anything was given up.
#[derive(Default, Clone, Copy)]
struct Health {
    delivered: bool,
    gave_up: bool,
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
    pub async fn settle(&self, settlements: impl Into<Arc<[Settlement]>>) -> Result<()> {
        let settlements = settlements.into();
        self.write(move |work| {
            let mut health = BTreeMap::new();
            for settlement in settlements.iter() {
                work.settle(settlement, &mut health)?;
            }
            health
                .into_iter()
                .try_for_each(|(webhook, seen): (_, Health)| {
                    work.note_health(webhook, seen.delivered, seen.gave_up)
                })
        })
        .await
    }
}

impl Work<'_, '_> {
    fn settle(
        &mut self,
        settlement: &Settlement,
        health: &mut BTreeMap<Uuid, Health>,
    ) -> Result<()> {
        let Some(done) = self.take(settlement)? else {
            return Ok(());
        };
        if let (Kind::Mail, Some(mail)) = (done.kind, done.notification_id) {
            return match settlement.outcome {
                Outcome::Retry { .. } => Ok(()),
                _ => self.mail_is_done(mail),
            };
        }
        let state = match &settlement.outcome {
            Outcome::Dropped | Outcome::Parked => return Ok(()),
            Outcome::Pushed { push_id, at } => return self.push_left(&done, push_id, *at, false),
            Outcome::Offered { at } => return self.push_left(&done, "", *at, true),
            Outcome::Delivered => (State::Delivered, None),
            Outcome::Retry { due_at, .. } => (State::Retrying, Some(*due_at)),
            Outcome::Dead { status, error } => {
                self.gave_up(&done, *status, error)?;
                (State::Failed, None)
            }
        };
        self.log(settlement, &done, state)?;
        if done.event_seq.is_some() && done.cause != Cause::Test {
            let seen = health.entry(done.target).or_default();
            seen.delivered |= state.0 == State::Delivered;
            seen.gave_up |= state.0 == State::Failed;
        }
        Ok(())
    }

    /// Deletes the row, or moves it on. `None` if the attempt is not its current one.
    fn take(&mut self, settlement: &Settlement) -> Result<Option<Done>> {
        let (id, attempt) = (settlement.id, settlement.attempt);
        let (due_at, epoch) = match settlement.outcome {
            Outcome::Retry { due_at, held: true } => (due_at, self.gateway.handoff.epoch()),
            Outcome::Retry {
                due_at,
                held: false,
            } => (due_at, ON_DISK),
            Outcome::Parked => {
                self.tx.execute(
                    "UPDATE delivery SET epoch = $3 WHERE id = $1 AND attempt = $2",
                    &[&id, &attempt, &ON_DISK],
                )?;
                return Ok(None);
            }
            _ => {
                return Ok(self.tx.optional(
                    &format!(
                        "DELETE FROM delivery WHERE id = $1 AND attempt = $2 RETURNING {DONE}"
                    ),
                    &[&id, &attempt],
                )?);
            }
        };
        Ok(self.tx.optional(
            &format!(
                "UPDATE delivery SET attempt = attempt + 1, due_at = $3, epoch = $4
                  WHERE id = $1 AND attempt = $2 RETURNING {DONE}"
            ),
            &[&id, &attempt, &due_at, &epoch],
        )?)
    }

    fn log(
        &mut self,
        settlement: &Settlement,
        done: &Done,
        (state, next_attempt_at): (State, Option<Time>),
    ) -> Result<()> {
        let (Some(event_seq), Some(seen)) = (done.event_seq, &settlement.seen) else {
            return Ok(());
        };
        self.log_attempt(&Entry {
            delivery_id: settlement.id,
            webhook_id: done.target,
            event_seq,
            cause: done.cause,
            replay_id: done.replay_id,
            number: settlement.attempt,
            state,
            next_attempt_at,
            seen,
        })
    }

    fn gave_up(&mut self, lost: &Done, status: Option<u16>, error: &str) -> Result<()> {
        if let Some(seq) = lost.event_seq {
            return match lost.cause {
                Cause::Test => Ok(()),
                Cause::Live | Cause::Replay => self.webhook_failed(lost, seq, status, error),
            };
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
        lost: &Done,
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
            message: None,
        };
        self.append(event::Kind::WebhookSendFailed, about, &failed)?;
        self.mail_webhook_failed(lost, &event, status, error)
    }

    fn mail_webhook_failed(
        &mut self,
        lost: &Done,
        event: &LostEvent,
        status: Option<u16>,
        error: &str,
    ) -> Result<()> {
        let facts = vec![
            ("URL", event.url.clone()),
            ("Event", format!("{} {}", event.kind, event.id)),
            ("Number", readable(event.owner.as_deref().unwrap_or("-"))),
            (
                "Status",
                status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
            ),
            ("Error", error.to_owned()),
        ];
        let webhook = lost.target.to_string();
        self.mail(Topic::WebhookFailed, &lost.user_id, &webhook, |_| Letter {
            subject: "A webhook event could not be delivered".to_owned(),
            opening: "An event could not be delivered to your webhook. It is kept, and can be \
                      sent again."
                .to_owned(),
            facts,
        })
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

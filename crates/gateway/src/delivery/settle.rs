//! How attempts ended, and what follows from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use db::{Arg, Engine};
use serde::Serialize;
use uuid::Uuid;

use super::log::Entry;
use super::{Cause, Kind, ON_DISK, Outcome, Settlement, State};
use crate::clock::Time;
use crate::mail::{Letter, Topic, readable};
use crate::many::{self, Texts};
use crate::{Gateway, Result, Work, event};

db::row! {
    /// A delivery whose attempt has ended.
    pub(crate) struct Done {
        pub id: i64,
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
    "id, kind, target, user_id, event_seq, message_id, notification_id, cause, replay_id";

/// Moves a row on. Parameters: its id, its attempt, when it is due again, its epoch.
static MOVE_ON: Texts = Texts::new(|_| {
    format!(
        "UPDATE delivery SET attempt = attempt + 1, due_at = $3, epoch = $4
          WHERE id = $1 AND attempt = $2 RETURNING {DONE}"
    )
});

/// A row by its id and attempt.
static FIND: Texts =
    Texts::new(|_| format!("SELECT {DONE} FROM delivery WHERE id = $1 AND attempt = $2"));

/// Deletes rows. Parameters: their attempt, their ids.
static DELETE: Texts = Texts::new(|count| {
    let ids = many::list(2, count);
    format!("DELETE FROM delivery WHERE attempt = $1 AND id IN ({ids}) RETURNING {DONE}")
});

/// Deletes a row of which everything is known. Parameters: its id, its attempt.
const FORGET: &str = "DELETE FROM delivery WHERE id = $1 AND attempt = $2";

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
            let mut gone = work.take_gone(&settlements)?;
            let mut health = BTreeMap::new();
            let mut log = Vec::with_capacity(settlements.len());
            for settlement in settlements.iter() {
                if let Some(webhook) = work.known_arrival(settlement) {
                    log.extend(work.arrive(settlement, webhook, &mut health)?);
                    continue;
                }
                let done = match &settlement.outcome {
                    Outcome::Retry { due_at, held } => work.move_on(settlement, *due_at, *held)?,
                    Outcome::Parked => work.park(settlement)?,
                    _ => gone.remove(&settlement.id),
                };
                if let Some(done) = done {
                    log.extend(work.settle(settlement, &done, &mut health)?);
                }
            }
            work.log_attempts(&log)?;
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
    /// What follows from the end of an attempt, and how it is logged.
    fn settle<'s>(
        &mut self,
        settlement: &'s Settlement,
        done: &Done,
        health: &mut BTreeMap<Uuid, Health>,
    ) -> Result<Option<Entry<'s>>> {
        if let (Kind::Mail, Some(mail)) = (done.kind, done.notification_id) {
            if !matches!(settlement.outcome, Outcome::Retry { .. }) {
                self.mail_is_done(mail)?;
            }
            return Ok(None);
        }
        let (state, next_attempt_at) = match &settlement.outcome {
            Outcome::Dropped | Outcome::Parked => return Ok(None),
            Outcome::Pushed { push_id, at } => {
                self.push_left(done, push_id, *at, false)?;
                return Ok(None);
            }
            Outcome::Offered { at } => {
                self.push_left(done, "", *at, true)?;
                return Ok(None);
            }
            Outcome::Delivered => (State::Delivered, None),
            Outcome::Retry { due_at, .. } => (State::Retrying, Some(*due_at)),
            Outcome::Dead { status, error } => {
                self.gave_up(done, *status, error)?;
                (State::Failed, None)
            }
        };
        if done.kind == Kind::Webhook && done.cause != Cause::Test {
            let seen = health.entry(done.target).or_default();
            seen.delivered |= state == State::Delivered;
            seen.gave_up |= state == State::Failed;
        }
        let about = (done.target, done.cause, done.replay_id);
        Ok(entry(settlement, about, state, next_attempt_at))
    }

    /// The webhook where an event arrived that is settled without a look at the row. On PostgreSQL
    /// many rows are looked at on one way to the server and back.
    fn known_arrival(&self, settlement: &Settlement) -> Option<Uuid> {
        let known = self.tx.engine() == Engine::Sqlite
            && matches!(settlement.outcome, Outcome::Delivered)
            && settlement.letter.is_some();
        settlement.live_webhook.filter(|_| known)
    }

    /// Settles one of those.
    fn arrive<'s>(
        &mut self,
        settlement: &'s Settlement,
        webhook: Uuid,
        health: &mut BTreeMap<Uuid, Health>,
    ) -> Result<Option<Entry<'s>>> {
        let count = self
            .tx
            .execute(FORGET, &[&settlement.id, &settlement.attempt])?;
        if count == 0 {
            return Ok(None);
        }
        health.entry(webhook).or_default().delivered = true;
        let about = (webhook, Cause::Live, None);
        Ok(entry(settlement, about, State::Delivered, None))
    }

    /// Deletes the rows that need no further attempt: those whose current one has ended, by their ids.
    fn take_gone(&mut self, settlements: &[Settlement]) -> Result<HashMap<i64, Done>> {
        let gone = settlements.iter().filter(|settlement| {
            !matches!(settlement.outcome, Outcome::Retry { .. } | Outcome::Parked)
                && self.known_arrival(settlement).is_none()
        });
        let gone: Vec<&Settlement> = gone.collect();
        match self.tx.engine() {
            Engine::Sqlite => self.take_each(&gone),
            Engine::Postgres => self.take_together(&gone),
        }
    }

    /// One after the other: to return what it deletes would cost SQLite a table for each statement.
    fn take_each(&mut self, settlements: &[&Settlement]) -> Result<HashMap<i64, Done>> {
        let mut gone = HashMap::new();
        for Settlement { id, attempt, .. } in settlements {
            if let Some(done) = self.tx.optional(FIND.of(1), &[id, attempt])? {
                self.tx.execute(FORGET, &[id, attempt])?;
                gone.insert(*id, done);
            }
        }
        Ok(gone)
    }

    /// Many at once: each statement is a way to the server and back.
    fn take_together(&mut self, settlements: &[&Settlement]) -> Result<HashMap<i64, Done>> {
        let mut ids: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for settlement in settlements {
            let of_attempt = ids.entry(settlement.attempt).or_default();
            of_attempt.push(settlement.id);
        }
        let mut gone = HashMap::new();
        for (attempt, ids) in &ids {
            for ids in many::parts(ids) {
                let mut args: Vec<&dyn Arg> = vec![attempt];
                args.extend(ids.iter().map(|id| id as &dyn Arg));
                let rows: Vec<Done> = self.tx.all(DELETE.of(ids.len()), &args)?;
                gone.extend(rows.into_iter().map(|row| (row.id, row)));
            }
        }
        Ok(gone)
    }

    /// Has a row attempted again. `None` if the attempt is not its current one.
    fn move_on(
        &mut self,
        settlement: &Settlement,
        due_at: Time,
        held: bool,
    ) -> Result<Option<Done>> {
        let epoch = if held {
            self.gateway.handoff.epoch()
        } else {
            ON_DISK
        };
        Ok(self.tx.optional(
            MOVE_ON.of(1),
            &[&settlement.id, &settlement.attempt, &due_at, &epoch],
        )?)
    }

    /// Leaves a row on disk, not attempted.
    fn park(&mut self, settlement: &Settlement) -> Result<Option<Done>> {
        self.tx.send(
            "UPDATE delivery SET epoch = $3 WHERE id = $1 AND attempt = $2",
            &[&settlement.id, &settlement.attempt, &ON_DISK],
        )?;
        Ok(None)
    }

    fn gave_up(&mut self, lost: &Done, status: Option<u16>, error: &str) -> Result<()> {
        if let (Kind::Discord, Some(seq)) = (lost.kind, lost.event_seq) {
            return self.discord_failed(lost, seq, status, error);
        }
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

/// How the attempt is logged; not at all if nothing was seen of it.
fn entry(
    settlement: &Settlement,
    (webhook_id, cause, replay_id): (Uuid, Cause, Option<Uuid>),
    state: State,
    next_attempt_at: Option<Time>,
) -> Option<Entry<'_>> {
    let seen = settlement.seen.as_deref()?;
    let letter = settlement.letter.as_ref()?;
    Some(Entry {
        delivery_id: settlement.id,
        webhook_id,
        event_seq: letter.seq,
        event_id: letter.id,
        event_kind: letter.kind,
        cause,
        replay_id,
        number: settlement.attempt,
        state,
        next_attempt_at,
        duration_us: i64::try_from(seen.duration.as_micros()).unwrap_or(i64::MAX),
        status: seen.status.map(i64::from),
        seen,
    })
}

/// The parts of a CloudEvent that a failure report repeats.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    source: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

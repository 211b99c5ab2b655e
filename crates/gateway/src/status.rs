//! Whether all is well with an account: what its owner should look at.

use db::{Scalar, Tx};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::mail::readable;
use crate::names::names;
use crate::phone::{self, Phone};
use crate::webhook::PauseReason;
use crate::{Gateway, Result, schedule};

/// Phones, and webhooks, that are named at most.
const NAMED: i64 = 100;

/// Messages that are counted at most.
const COUNTED: i64 = 10_000;

/// How an account is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing to look at.
    Ok,
    /// Something to look at.
    Attention,
}

names!(State { Ok => "ok", Attention => "attention" });

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No heartbeat has come from a phone for too long.
    PhoneOffline,
    /// Messages wait for the hours in which their phone may send.
    QueueHeld,
    /// A webhook's receiver does not take its events.
    WebhookFailing,
    /// Nothing is sent to a webhook.
    WebhookPaused,
}

names!(Kind {
    PhoneOffline => "phone_offline",
    QueueHeld => "queue_held",
    WebhookFailing => "webhook_failing",
    WebhookPaused => "webhook_paused",
});

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is about.
    pub kind: Kind,
    /// In words.
    pub text: String,
    /// Where the dashboard shows it.
    pub link: String,
    /// Which one: the phone's name or number, the webhook's URL.
    pub subject: String,
    /// Since when; of [`Kind::QueueHeld`]: until when; of [`Kind::PhoneOffline`]: its last heartbeat.
    pub at: Option<Time>,
    /// Of [`Kind::QueueHeld`]: how many messages, 10,000 at most.
    pub count: Option<i64>,
    /// Of [`Kind::WebhookPaused`]: why.
    pub pause_reason: Option<PauseReason>,
}

/// How an account is doing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// `ok` without reasons.
    pub state: State,
    /// What to look at.
    pub reasons: Vec<Reason>,
}

db::row! {
    struct Webhook {
        id: Uuid,
        url: String,
        paused_at: Option<Time>,
        pause_reason: Option<PauseReason>,
        failing_since: Option<Time>,
    }
}

impl Gateway {
    /// How the caller's account is doing.
    pub async fn status(&self, caller: &Caller) -> Result<Status> {
        let (user_id, now) = (caller.user_id.clone(), self.now());
        self.read(move |tx| {
            let mut reasons = offline(tx, &user_id)?;
            reasons.extend(held(tx, &user_id, now)?);
            reasons.extend(webhooks(tx, &user_id)?);
            let state = if reasons.is_empty() {
                State::Ok
            } else {
                State::Attention
            };
            Ok(Status { state, reasons })
        })
        .await
    }
}

fn of_phone(phone: &Phone, kind: Kind, at: Option<Time>, what: &str) -> Reason {
    let name = phone.name.clone();
    let subject = name.unwrap_or_else(|| readable(&phone.phone_number));
    Reason {
        kind,
        text: format!("{subject}: {what}"),
        link: format!("/phones/{}", phone.id),
        subject,
        at,
        count: None,
        pause_reason: None,
    }
}

fn offline(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<Reason>> {
    let phones: Vec<Phone> = tx.all(
        &format!(
            "SELECT {} FROM phone WHERE user_id = $1 AND NOT online ORDER BY created_at LIMIT $2",
            phone::COLUMNS
        ),
        &[&user_id, &NAMED],
    )?;
    let reason = |phone: &Phone| {
        let what = match phone.heartbeat_at {
            Some(at) => format!("offline since the heartbeat of {at}"),
            None => "offline; no heartbeat has ever come".to_owned(),
        };
        of_phone(phone, Kind::PhoneOffline, phone.heartbeat_at, &what)
    };
    Ok(phones.iter().map(reason).collect())
}

fn held(tx: &mut Tx<'_>, user_id: &str, now: Time) -> Result<Vec<Reason>> {
    let phones: Vec<Phone> = tx.all(
        &format!(
            "SELECT {} FROM phone WHERE user_id = $1 AND message_send_schedule_id IS NOT NULL
              ORDER BY created_at LIMIT $2",
            phone::COLUMNS
        ),
        &[&user_id, &NAMED],
    )?;
    let mut reasons = Vec::new();
    for phone in &phones {
        let next = schedule::week_of(tx, phone)?.map(|week| week.next(now));
        let Some(next) = next.filter(|next| *next > now) else {
            continue;
        };
        let Scalar(count): Scalar<i64> = tx.one(
            "SELECT count(*) FROM (SELECT 1 FROM delivery
              WHERE target = $1 AND due_at >= $2 AND message_id IS NOT NULL AND NOT exact
              LIMIT $3) AS waiting",
            &[&phone.id, &next, &COUNTED],
        )?;
        if count > 0 {
            let what = format!("messages that wait until it may send at {next}: {count}");
            reasons.push(Reason {
                count: Some(count),
                ..of_phone(phone, Kind::QueueHeld, Some(next), &what)
            });
        }
    }
    Ok(reasons)
}

fn webhooks(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<Reason>> {
    let webhooks: Vec<Webhook> = tx.all(
        "SELECT id, url, paused_at, pause_reason, failing_since FROM webhook
          WHERE user_id = $1 AND (paused_at IS NOT NULL OR failing_since IS NOT NULL)
          ORDER BY created_at LIMIT $2",
        &[&user_id, &NAMED],
    )?;
    Ok(webhooks.iter().map(of_webhook).collect())
}

fn of_webhook(webhook: &Webhook) -> Reason {
    let url = &webhook.url;
    let (kind, what) = match (webhook.paused_at, webhook.failing_since) {
        (Some(at), _) if webhook.pause_reason == Some(PauseReason::Failing) => {
            let what = format!("paused at {at}, because it failed for too long");
            (Kind::WebhookPaused, what)
        }
        (Some(at), _) => (Kind::WebhookPaused, format!("paused since {at}")),
        (None, Some(since)) => (Kind::WebhookFailing, format!("failing since {since}")),
        (None, None) => (Kind::WebhookFailing, "failing".to_owned()),
    };
    Reason {
        kind,
        text: format!("{url}: {what}"),
        link: format!("/webhooks/{}", webhook.id),
        subject: url.clone(),
        at: webhook.paused_at.or(webhook.failing_since),
        count: None,
        pause_reason: webhook.pause_reason.filter(|_| webhook.paused_at.is_some()),
    }
}

//! Wake-ups of phones: planned when they are due, kept in a mailbox for phones that fetch their own.

use std::time::Duration;

use db::Scalar;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::caller::{Caller, Key};
use crate::clock::Time;
use crate::delivery::{Delivery, Done, PushPlan};
use crate::listen::MAILBOX;
use crate::phone::{self, Phone};
use crate::wake::Mailbox;
use crate::{Error, Gateway, Result, Work, message};

/// A `fcm_token` with this prefix belongs to a phone that fetches its wake-ups itself.
pub const STREAM_PREFIX: &str = "stream:";

/// How often an open poll looks by itself, should no nudge have reached it.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How often to look whether an account is let in again.
const DISABLED: Duration = Duration::from_mins(1);

/// What a wake-up asks of the phone, in the form of the push service's data message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushData {
    /// Fetch this message and send it.
    Message(Uuid),
    /// Send a heartbeat; asked for at this time.
    Heartbeat(Time),
}

impl Serialize for PushData {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Message(id) => map.serialize_entry("KEY_MESSAGE_ID", id)?,
            Self::Heartbeat(at) => {
                map.serialize_entry("KEY_HEARTBEAT_ID", &at.truncated_to_seconds())?;
            }
        }
        map.end()
    }
}

/// A wake-up in a mailbox.
#[derive(Debug, Clone, Serialize)]
pub struct Notification {
    /// What the phone acknowledges it by.
    pub id: Uuid,
    /// What it asks for.
    pub data: PushData,
}

db::row! {
    struct Row { id: Uuid, message_id: Option<Uuid>, created_at: Time }

    struct Live { status: message::Status, disabled: bool }
}

impl Gateway {
    /// What to do with a wake-up that is due now.
    pub async fn plan_push(&self, delivery: &Delivery) -> Result<PushPlan> {
        let (gateway, delivery) = (self.clone(), delivery.clone());
        self.lookup(move |tx| {
            let phone: Option<Phone> = tx.optional(
                &format!("SELECT {} FROM phone WHERE id = $1", phone::COLUMNS),
                &[&delivery.target],
            )?;
            let Some(phone) = phone else {
                return Ok(match delivery.message_id {
                    Some(_) => PushPlan::Fail("the phone was deleted".to_owned()),
                    None => PushPlan::Drop,
                });
            };
            if let Some(message) = delivery.message_id {
                // Without its row the wake-up was taken back meanwhile.
                let live: Option<Live> = tx.optional(
                    "SELECT message.status AS status,
                            CASE WHEN disabled_at IS NULL THEN FALSE ELSE TRUE END AS disabled
                       FROM delivery, message, account
                      WHERE delivery.id = $1 AND message.id = $2
                        AND account.id = message.user_id",
                    &[&delivery.id, &message],
                )?;
                match live {
                    Some(row) if row.status == message::Status::Scheduled => {
                        if row.disabled {
                            return Ok(PushPlan::Later(gateway.now() + DISABLED));
                        }
                    }
                    _ => return Ok(PushPlan::Drop),
                }
            }
            Ok(gateway.plan(&phone, &delivery))
        })
        .await
    }

    fn plan(&self, phone: &Phone, delivery: &Delivery) -> PushPlan {
        let now = self.now();
        let token = phone.fcm_token.as_deref().unwrap_or("");
        if token.is_empty() {
            return match delivery.message_id {
                Some(_) => PushPlan::Fail(format!("phone with id [{}] has no FCM token", phone.id)),
                None => PushPlan::Drop,
            };
        }
        if let (false, Some(pushed)) = (delivery.exact, phone.pushed_at) {
            let free = pushed + phone.spacing();
            if free > now {
                return PushPlan::Later(free);
            }
        }
        if !self.0.settings.fcm || token.starts_with(STREAM_PREFIX) {
            return PushPlan::Offer;
        }
        PushPlan::Send {
            token: token.to_owned(),
            owner: phone.phone_number.clone(),
            data: delivery
                .message_id
                .map_or(PushData::Heartbeat(now), PushData::Message),
            ttl: delivery.message_id.map(|_| phone.expiration()),
            high_priority: delivery.message_id.is_none(),
        }
    }

    /// The wake-ups of the caller's phones, waiting up to `wait` for the first. Those in `ack` are
    /// taken out before. `None` when the wait is over, or a newer poll of the same key has begun.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] if the caller's phone key was revoked meanwhile.
    pub async fn notifications(
        &self,
        caller: &Caller,
        ack: Vec<Uuid>,
        wait: Duration,
    ) -> Result<Option<Vec<Notification>>> {
        if !ack.is_empty() {
            self.acknowledge(caller, ack).await?;
        }
        let deadline = Instant::now() + wait;
        let mut poll = self.0.wake.open(mailbox(caller));
        loop {
            let found = self.pending_notifications(caller).await?;
            if !found.is_empty() {
                return Ok(Some(found));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            let until = deadline.min(Instant::now() + LOOK_AGAIN);
            if let Ok(false) = timeout_at(until, poll.news()).await {
                return Ok(None);
            }
        }
    }

    async fn acknowledge(&self, caller: &Caller, ack: Vec<Uuid>) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            for id in &ack {
                work.tx.send(
                    "DELETE FROM notification WHERE id = $1
                        AND phone_id IN (SELECT id FROM phone WHERE user_id = $2)",
                    &[id, &user_id],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn pending_notifications(&self, caller: &Caller) -> Result<Vec<Notification>> {
        let (now, caller) = (self.now(), caller.clone());
        self.lookup(move |tx| {
            let rows: Vec<Row> = match &caller.key {
                Key::Phone { id, .. } => tx.all(
                    "SELECT notification.id, message_id, notification.created_at
                       FROM phone JOIN notification ON phone_id = phone.id
                      WHERE phone_key_id = $1 AND expires_at > $2
                      ORDER BY notification.created_at LIMIT 100",
                    &[id, &now],
                )?,
                _ => tx.all(
                    "SELECT notification.id, message_id, notification.created_at
                       FROM phone JOIN notification ON phone_id = phone.id
                      WHERE user_id = $1 AND expires_at > $2
                      ORDER BY notification.created_at LIMIT 100",
                    &[&caller.user_id, &now],
                )?,
            };
            // Nothing: perhaps because the key was revoked while its poll was open.
            if let (true, Some(key)) = (rows.is_empty(), caller.phone_key()) {
                let known: Option<Scalar<Uuid>> = tx.optional(
                    "SELECT id FROM phone_key WHERE id = $1
                        AND EXISTS (SELECT 1 FROM account
                                     WHERE account.id = phone_key.user_id AND disabled_at IS NULL)",
                    &[&key],
                )?;
                known.ok_or(Error::Unauthorized)?;
            }
            Ok(rows.into_iter().map(Notification::from).collect())
        })
        .await
    }
}

impl From<Row> for Notification {
    fn from(row: Row) -> Self {
        let data = row
            .message_id
            .map_or(PushData::Heartbeat(row.created_at), PushData::Message);
        Self { id: row.id, data }
    }
}

fn mailbox(caller: &Caller) -> Mailbox {
    match &caller.key {
        Key::Phone { id, .. } => Mailbox::Key(*id),
        _ => Mailbox::Account(caller.user_id.clone()),
    }
}

impl Work<'_, '_> {
    /// A wake-up left, through the push service or into the mailbox.
    pub(crate) fn push_left(
        &mut self,
        wakeup: &Done,
        push_id: &str,
        at: Time,
        offer: bool,
    ) -> Result<()> {
        let phone: Option<Phone> = self.tx.optional(
            &format!(
                "UPDATE phone SET pushed_at = $2 WHERE id = $1 RETURNING {}",
                phone::COLUMNS
            ),
            &[&wakeup.target, &at],
        )?;
        let (Some(phone), Some(notification)) = (phone, wakeup.notification_id) else {
            return Ok(());
        };
        let mut wanted = true;
        if let Some(message) = wakeup.message_id {
            let woken = self.message_woken(message, &phone, push_id, notification)?;
            wanted = woken.is_some_and(|message| message.status == message::Status::Scheduled);
        }
        if offer && wanted {
            self.put_in_mailbox(&phone, notification, wakeup.message_id)?;
        }
        Ok(())
    }

    fn put_in_mailbox(&mut self, phone: &Phone, id: Uuid, message: Option<Uuid>) -> Result<()> {
        self.tx.send(
            "INSERT INTO notification (id, phone_id, message_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            &[
                &id,
                &phone.id,
                &message,
                &self.now,
                &(self.now + phone.expiration()),
            ],
        )?;
        self.tx.notify(MAILBOX, &phone.id.to_string())?;
        let phone = phone.clone();
        self.on_commit(move |gateway| gateway.wake.mailboxes_of(&phone));
        Ok(())
    }

    /// Takes back the wake-ups for a message, queued and in the mailbox.
    pub(crate) fn forget_wakeups(&mut self, message: Uuid) -> Result<()> {
        self.tx.send(
            "DELETE FROM notification WHERE message_id = $1",
            &[&message],
        )?;
        self.tx
            .send("DELETE FROM delivery WHERE message_id = $1", &[&message])?;
        Ok(())
    }

    /// Takes back the nudges for a heartbeat that are in the mailbox.
    pub(crate) fn forget_nudges(&mut self, phone: Uuid) -> Result<()> {
        self.tx.send(
            "DELETE FROM notification WHERE phone_id = $1 AND message_id IS NULL",
            &[&phone],
        )?;
        Ok(())
    }
}

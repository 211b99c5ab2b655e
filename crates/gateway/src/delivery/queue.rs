//! New work for the courier, made in the transaction of its cause.

use std::time::Duration;

use db::{Later, Scalar};
use uuid::Uuid;

use super::{COURIER, Cause, Delivery, Kind, Letter, News, ON_DISK};
use crate::clock::Time;
use crate::phone::Phone;
use crate::{Result, Work, id};

/// What is due later waits on disk: a bulk request must not fill the courier's memory.
const TOLD_AHEAD: Duration = Duration::from_mins(1);

/// How long a mail server may be away before its mails are given up.
const MAIL_WORTH: Duration = Duration::from_hours(48);

/// Where a new row begins its life.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Birth {
    /// In memory, if the courier has room.
    Told,
    /// On disk, from where the courier loads it.
    OnDisk,
    /// On disk, and nobody is told: its webhook is paused.
    Parked,
}

impl Work<'_, '_> {
    /// Queues an event for a webhook.
    pub(crate) fn queue_letter(
        &mut self,
        user_id: &str,
        webhook: Uuid,
        version: i64,
        letter: &Letter,
        order_key: Option<i64>,
        paused: bool,
    ) -> Result<()> {
        let delivery = Delivery {
            kind: Kind::Webhook,
            letter: Some(letter.clone()),
            order_key,
            version,
            ..self.delivery(webhook)
        };
        let birth = if paused { Birth::Parked } else { Birth::Told };
        self.queue(user_id, delivery, birth)
    }

    /// Queues an event of the log for a webhook once more; the delivery's id.
    pub(crate) fn queue_again(
        &mut self,
        user_id: &str,
        webhook: Uuid,
        seq: i64,
        cause: Cause,
        replay: Option<Uuid>,
    ) -> Result<i64> {
        // Its text is read when it is loaded: a replay of many must not fill the memory.
        let delivery = Delivery {
            kind: Kind::Webhook,
            cause,
            ..self.delivery(webhook)
        };
        let id = self.insert(
            user_id,
            &delivery,
            Some(seq),
            replay,
            ON_DISK,
            Birth::OnDisk,
        )?;
        self.tx.wait()?;
        let id = id.take().pop().ok_or(db::Error::NoRow)?;
        Ok(id.0)
    }

    /// Queues a wake-up for a message at its slot.
    pub(crate) fn queue_push(
        &mut self,
        phone: &Phone,
        message: Uuid,
        notification: Uuid,
        slot: Time,
        exact: bool,
    ) -> Result<()> {
        let delivery = Delivery {
            message_id: Some(message),
            notification_id: Some(notification),
            exact,
            due_at: slot,
            expires_at: Some(slot + phone.expiration()),
            ..self.delivery(phone.id)
        };
        self.queue(&phone.user_id, delivery, Birth::Told)
    }

    /// Queues a nudge for a heartbeat, worth trying until then.
    pub(crate) fn queue_nudge(&mut self, phone: &Phone, until: Time) -> Result<()> {
        if phone.fcm_token.as_deref().unwrap_or("").is_empty() {
            return Ok(());
        }
        let delivery = Delivery {
            notification_id: Some(id::new(self.now)),
            exact: true,
            expires_at: Some(until),
            ..self.delivery(phone.id)
        };
        self.queue(&phone.user_id, delivery, Birth::Told)
    }

    /// Queues a mail.
    pub(crate) fn queue_mail(&mut self, user_id: &str, mail: Uuid) -> Result<()> {
        let delivery = Delivery {
            kind: Kind::Mail,
            notification_id: Some(mail),
            expires_at: Some(self.now + MAIL_WORTH),
            ..self.delivery(crate::mail::SERVER)
        };
        self.queue(user_id, delivery, Birth::Told)
    }

    /// Queues an event for a channel of Discord.
    pub(crate) fn queue_for_discord(
        &mut self,
        user_id: &str,
        discord: Uuid,
        letter: &Letter,
    ) -> Result<()> {
        let delivery = Delivery {
            kind: Kind::Discord,
            letter: Some(letter.clone()),
            ..self.delivery(discord)
        };
        self.queue(user_id, delivery, Birth::Told)
    }

    /// A wake-up for this target, due now, with nothing to say yet.
    fn delivery(&self, target: Uuid) -> Delivery {
        Delivery {
            id: 0,
            kind: Kind::Push,
            target,
            letter: None,
            message_id: None,
            notification_id: None,
            exact: false,
            attempt: 1,
            due_at: self.now,
            expires_at: None,
            cause: Cause::Live,
            order_key: None,
            version: 0,
        }
    }

    fn queue(&mut self, user_id: &str, mut delivery: Delivery, birth: Birth) -> Result<()> {
        let soon = delivery.due_at <= self.now + TOLD_AHEAD;
        let epoch = match birth {
            Birth::Told if soon => self.gateway.handoff.epoch_for(delivery.target),
            Birth::Told | Birth::OnDisk | Birth::Parked => ON_DISK,
        };
        let seq = delivery.letter.as_ref().map(|letter| letter.seq);
        let id = self.insert(user_id, &delivery, seq, None, epoch, birth)?;
        if epoch != ON_DISK {
            self.on_commit(move |gateway| {
                for Scalar(id) in id.take() {
                    delivery.id = id;
                    gateway.handoff.tell(News::Due(vec![delivery.clone()]));
                }
            });
        }
        Ok(())
    }

    fn insert(
        &mut self,
        user_id: &str,
        delivery: &Delivery,
        seq: Option<i64>,
        replay: Option<Uuid>,
        epoch: i64,
        birth: Birth,
    ) -> Result<Later<Scalar<i64>>> {
        let id = self.tx.insert(
            "INSERT INTO delivery (kind, target, user_id, event_seq, message_id, notification_id,
                 exact, cause, replay_id, order_key, attempt, due_at, expires_at, epoch)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            "id",
            &[
                &delivery.kind,
                &delivery.target,
                &user_id,
                &seq,
                &delivery.message_id,
                &delivery.notification_id,
                &delivery.exact,
                &delivery.cause,
                &replay,
                &delivery.order_key,
                &delivery.attempt,
                &delivery.due_at,
                &delivery.expires_at,
                &epoch,
            ],
        )?;
        if epoch == ON_DISK && birth != Birth::Parked {
            let (target, due_at) = (delivery.target, delivery.due_at);
            self.tx.notify(COURIER, &target.to_string())?;
            self.on_commit(move |gateway| gateway.handoff.tell(News::Waiting(target, due_at)));
        }
        Ok(id)
    }
}

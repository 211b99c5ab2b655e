//! New work for the courier, made in the transaction of its cause.

use std::time::Duration;

use db::Scalar;
use uuid::Uuid;

use super::{COURIER, Delivery, Kind, Letter, News, ON_DISK};
use crate::clock::Time;
use crate::phone::Phone;
use crate::{Result, Work, id};

/// What is due later waits on disk: a bulk request must not fill the courier's memory.
const TOLD_AHEAD: Duration = Duration::from_mins(1);

impl Work<'_, '_> {
    /// Queues an event for a webhook.
    pub(crate) fn queue_letter(
        &mut self,
        user_id: &str,
        webhook: Uuid,
        version: i64,
        letter: &Letter,
    ) -> Result<()> {
        self.queue(
            user_id,
            Delivery {
                id: 0,
                kind: Kind::Webhook,
                target: webhook,
                letter: Some(letter.clone()),
                message_id: None,
                notification_id: None,
                exact: false,
                attempt: 1,
                due_at: self.now,
                expires_at: None,
                version,
            },
        )
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
        self.queue(
            &phone.user_id,
            Delivery {
                id: 0,
                kind: Kind::Push,
                target: phone.id,
                letter: None,
                message_id: Some(message),
                notification_id: Some(notification),
                exact,
                attempt: 1,
                due_at: slot,
                expires_at: Some(slot + phone.expiration()),
                version: 0,
            },
        )
    }

    /// Queues a nudge for a heartbeat, worth trying until then.
    pub(crate) fn queue_nudge(&mut self, phone: &Phone, until: Time) -> Result<()> {
        if phone.fcm_token.as_deref().unwrap_or("").is_empty() {
            return Ok(());
        }
        self.queue(
            &phone.user_id,
            Delivery {
                id: 0,
                kind: Kind::Push,
                target: phone.id,
                letter: None,
                message_id: None,
                notification_id: Some(id::new(self.now)),
                exact: true,
                attempt: 1,
                due_at: self.now,
                expires_at: Some(until),
                version: 0,
            },
        )
    }

    fn queue(&mut self, user_id: &str, mut delivery: Delivery) -> Result<()> {
        let epoch = if delivery.due_at > self.now + TOLD_AHEAD {
            ON_DISK
        } else {
            self.gateway.handoff.epoch_for(delivery.target)
        };
        let seq = delivery.letter.as_ref().map(|letter| letter.seq);
        let Scalar(id) = self.tx.one(
            "INSERT INTO delivery (kind, target, user_id, event_seq, message_id, notification_id,
                                   exact, attempt, due_at, expires_at, epoch)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
            &[
                &delivery.kind,
                &delivery.target,
                &user_id,
                &seq,
                &delivery.message_id,
                &delivery.notification_id,
                &delivery.exact,
                &delivery.attempt,
                &delivery.due_at,
                &delivery.expires_at,
                &epoch,
            ],
        )?;
        delivery.id = id;
        if epoch == ON_DISK {
            let (target, due_at) = (delivery.target, delivery.due_at);
            self.tx.notify(COURIER, &target.to_string())?;
            self.on_commit(move |gateway| gateway.handoff.tell(News::Waiting(target, due_at)));
        } else {
            self.on_commit(move |gateway| gateway.handoff.tell(News::Due(vec![delivery])));
        }
        Ok(())
    }
}

//! One attempt as a task of its own: it takes a delivery out and always brings it back, with its end.

use std::sync::Arc;
use std::time::Duration;

use gateway::delivery::{Delivery, Kind, Outcome, Seen};
use tokio::sync::mpsc::UnboundedSender;

use crate::discord::Posts;
use crate::mail::Mails;
use crate::push::Pushes;
use crate::scheduler::Sign;
use crate::webhook::{Hook, Visit, Webhooks};

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// That was the last one.
    Settled(Outcome),
    /// It is tried again, so long after the end.
    Again(Duration),
    /// It was not attempted, and this is not counted. The `whole` target waits, or what is like it.
    NotNow { wait: Duration, whole: bool },
}

/// The database could not be asked what to do.
pub(crate) const UNAVAILABLE: Ending = Ending::NotNow {
    wait: Duration::from_secs(1),
    whole: true,
};

/// An attempt that panics is made again after so long, up to this attempt.
const AFTER_CRASH: Duration = Duration::from_secs(30);
const CRASHES: i64 = 5;

/// A delivery that is back.
pub(crate) struct Ended {
    pub delivery: Delivery,
    pub ending: Ending,
    /// What the webhook was found to be now.
    pub found: Option<Arc<Hook>>,
    /// What was seen of an attempt at a webhook.
    pub seen: Option<Box<Seen>>,
    /// What it tells of the target.
    pub sign: Sign,
    /// Of the knowledge about webhooks when it started, see [`crate::hooks::Hooks`].
    pub changes: u64,
}

/// Carries deliveries of every kind.
pub(crate) struct Carrier {
    pub webhooks: Webhooks,
    pub pushes: Pushes,
    pub mails: Mails,
    pub posts: Posts,
}

/// A delivery that is under way. Dropped without having landed, it lands as failed.
pub(crate) struct Flight {
    delivery: Option<Delivery>,
    changes: u64,
    back: UnboundedSender<Ended>,
}

impl Flight {
    pub fn new(delivery: Delivery, changes: u64, back: UnboundedSender<Ended>) -> Self {
        Self {
            delivery: Some(delivery),
            changes,
            back,
        }
    }

    /// Attempts it in a task.
    pub fn start(self, carrier: Arc<Carrier>, hook: Option<Arc<Hook>>) {
        match self.delivery.as_ref().map(|delivery| delivery.kind) {
            Some(Kind::Webhook) => drop(tokio::spawn(self.visit_webhook(carrier, hook))),
            Some(Kind::Push) => drop(tokio::spawn(self.visit_phone(carrier))),
            Some(Kind::Mail) => drop(tokio::spawn(self.visit_mail_server(carrier))),
            Some(Kind::Discord) => drop(tokio::spawn(self.visit_channel(carrier))),
            None => {}
        }
    }

    async fn visit_webhook(mut self, carrier: Arc<Carrier>, hook: Option<Arc<Hook>>) {
        if let Some(delivery) = &self.delivery {
            let visit = carrier.webhooks.attempt(delivery, hook).await;
            self.land(visit);
        }
    }

    async fn visit_phone(mut self, carrier: Arc<Carrier>) {
        if let Some(delivery) = &self.delivery {
            let ending = carrier.pushes.attempt(delivery).await;
            self.land(Visit::without_attempt(ending));
        }
    }

    async fn visit_mail_server(mut self, carrier: Arc<Carrier>) {
        if let Some(delivery) = &self.delivery {
            let ending = carrier.mails.attempt(delivery).await;
            self.land(Visit::without_attempt(ending));
        }
    }

    async fn visit_channel(mut self, carrier: Arc<Carrier>) {
        if let Some(delivery) = &self.delivery {
            let ending = carrier.posts.attempt(delivery).await;
            self.land(Visit::without_attempt(ending));
        }
    }

    fn land(&mut self, visit: Visit) {
        if let Some(delivery) = self.delivery.take() {
            // Nobody waits for it after the shutdown's grace: the row is still on disk.
            let _ = self.back.send(Ended {
                delivery,
                ending: visit.ending,
                found: visit.found,
                seen: visit.seen,
                sign: visit.sign,
                changes: self.changes,
            });
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Only a panic comes here with a delivery. Its place must be freed, and it must not go on for ever.
        let attempt = self
            .delivery
            .as_ref()
            .map_or(0, |delivery| delivery.attempt);
        let ending = if attempt < CRASHES {
            Ending::Again(AFTER_CRASH)
        } else {
            Ending::Settled(Outcome::Dead {
                status: None,
                error: "internal error".to_owned(),
            })
        };
        self.land(Visit::without_attempt(ending));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::{Time, Uuid};
    use tokio::sync::mpsc::unbounded_channel;

    fn delivery(attempt: i64) -> Delivery {
        Delivery {
            id: 1,
            kind: Kind::Webhook,
            target: Uuid::from_u128(1),
            letter: None,
            message_id: None,
            notification_id: None,
            exact: false,
            attempt,
            due_at: Time::from_micros(0),
            expires_at: None,
            cause: gateway::delivery::Cause::Live,
            order_key: None,
            version: 0,
        }
    }

    #[tokio::test]
    async fn a_flight_that_is_lost_comes_back_as_failed() {
        let (back, mut landed) = unbounded_channel();
        drop(Flight::new(delivery(1), 0, back.clone()));
        let ended = landed.recv().await.unwrap();
        assert!(matches!(ended.ending, Ending::Again(_)));
        drop(Flight::new(delivery(5), 0, back));
        let ended = landed.recv().await.unwrap();
        assert!(matches!(
            ended.ending,
            Ending::Settled(Outcome::Dead { .. })
        ));
        assert!(landed.recv().await.is_none());
    }
}

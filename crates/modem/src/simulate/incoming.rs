//! Strangers who write to the phone or ring, and recipients who write back.
//! The phone protocol §9 and §10; nothing is lost while the server is away.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::Happening;
use super::handset::Handset;
use crate::wire::{MissedCall, Received};
use crate::{Error, Stamp};

impl Handset {
    /// A stranger at each interval.
    pub async fn traffic(self: &Arc<Self>) -> Infallible {
        let Some(every) = self.options.incoming_every else {
            return pending().await;
        };
        let phase = self.dice().phase(every);
        sleep(phase).await;
        let mut clock = interval(every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            clock.tick().await;
            self.stranger().await;
        }
    }

    async fn stranger(self: &Arc<Self>) {
        let room = Arc::clone(&self.outbox).acquire_owned().await;
        let stranger = self.dice().stranger(&self.options);
        let phone = Arc::clone(self);
        self.spawn(async move {
            let to = &phone.options.numbers[stranger.to];
            phone.hand_in(&stranger.from, to, stranger.text).await;
            drop(room);
        });
    }

    /// Tells the server of a text, or of a call when there is none, until it knows.
    pub async fn hand_in(&self, from: &str, to: &str, text: Option<&str>) {
        let at = Stamp::now();
        let handed_in = match text {
            Some(text) => self.hand_in_text(from, to, text, at).await,
            None => self.hand_in_call(from, to, at).await,
        };
        if let Err(error) = handed_in {
            self.give_up(|| format!("from {from} to {to}"), &error);
        }
    }

    async fn hand_in_text(&self, from: &str, to: &str, text: &str, at: Stamp) -> Result<(), Error> {
        let received = Received {
            sim: self.sim_of(to),
            from,
            to,
            content: text,
            encrypted: false,
            timestamp: at,
            attachments: None,
        };
        self.persist(|| self.client.receive(&received)).await?;
        self.stats.received.count();
        self.tell(|| Happening::Received {
            from: from.to_owned(),
            to: to.to_owned(),
            content: text.to_owned(),
        });
        Ok(())
    }

    async fn hand_in_call(&self, from: &str, to: &str, at: Stamp) -> Result<(), Error> {
        let call = MissedCall {
            sim: self.sim_of(to),
            from,
            timestamp: at,
            to,
        };
        self.persist(|| self.client.missed_call(&call)).await?;
        self.stats.missed_calls.count();
        self.tell(|| Happening::MissedCall {
            from: from.to_owned(),
            to: to.to_owned(),
        });
        Ok(())
    }
}

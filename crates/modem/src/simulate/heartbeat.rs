//! Logging in and staying alive: the token of each number, then heartbeats.
//! The phone protocol §4 and §11.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use super::Happening;
use super::handset::Handset;
use crate::wire::{HeartbeatRequest, Registration, Sim};
use crate::{Backoff, Error};

/// The server takes no more numbers in one heartbeat.
const NUMBERS_PER_BEAT: usize = 2;

impl Handset {
    /// Registers each number, however long the server is away.
    pub async fn register(&self) -> Result<(), Error> {
        for (number, sim) in self.cards() {
            self.register_number(number, sim).await?;
            self.stats.registered.count();
            self.tell(|| Happening::Registered {
                number: number.to_owned(),
                sim,
            });
        }
        Ok(())
    }

    async fn register_number(&self, number: &str, sim: Sim) -> Result<(), Error> {
        let registration = Registration {
            fcm_token: &self.token,
            phone_number: number,
            sim,
        };
        let mut backoff = Backoff::default();
        loop {
            match self.client.register(&registration).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_transient() => {
                    self.tell(|| Happening::Offline {
                        why: error.to_string(),
                    });
                    self.wait_out(&error, &mut backoff).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A heartbeat now, then at each interval and whenever the server asks for one.
    pub async fn beat(&self) -> Infallible {
        let mut backoff = Backoff::default();
        loop {
            let rest = self.rest_after(self.beat_once().await, &mut backoff);
            tokio::select! {
                () = sleep(rest) => {}
                () = self.nudge.notified() => {}
            }
        }
    }

    async fn beat_once(&self) -> Result<(), Error> {
        for numbers in self.options.numbers.chunks(NUMBERS_PER_BEAT) {
            let beat = HeartbeatRequest {
                charging: true,
                phone_numbers: numbers,
            };
            self.client.heartbeat(&beat).await?;
            self.stats.heartbeats.add(numbers.len() as u64);
        }
        Ok(())
    }

    /// Some servers bind a number to its key a moment after they answered (§4): 401 is tried again.
    fn rest_after(&self, beat: Result<(), Error>, backoff: &mut Backoff) -> Duration {
        let every = self.options.heartbeat_every;
        match beat {
            Ok(()) => {
                backoff.reset();
                every
            }
            Err(error) if error.is_transient() || matches!(error, Error::Unauthorized) => {
                self.stats.errors.count();
                tracing::debug!(%error, "heartbeat will be tried again");
                backoff.pause().min(every)
            }
            Err(error) => {
                self.give_up(|| "heartbeat".to_owned(), &error);
                every
            }
        }
    }
}

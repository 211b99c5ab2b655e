//! One attempt to hand a mail to the mail server, and what becomes of the mail then.
//! The mails themselves are made by the gateway; this says when they are tried again.

mod letter;
mod line;
mod mailer;
mod server;
mod talk;
mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::Gateway;
use gateway::delivery::{Delivery, Outcome};
use gateway::mail::Mail;
use tracing::{debug, error, info, warn};

pub use mailer::{BadMailSettings, Mailer, Refusal};

use crate::carry::{Ending, UNAVAILABLE};
use crate::retry;

/// The waits after the first attempts; from then on it is [`LAST_WAIT`].
const FIRST_WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];
const LAST_WAIT: Duration = Duration::from_mins(30);

/// Mails account owners.
pub(crate) struct Mails {
    pub gateway: Gateway,
    pub mailer: Option<Mailer>,
    /// Whether the operator has been told that no mail leaves.
    pub complained: AtomicBool,
}

impl Mails {
    /// Hands a mail to the server, if it is still wanted.
    pub async fn attempt(&self, delivery: &Delivery) -> Ending {
        let mail = match delivery.notification_id {
            Some(id) => self.gateway.mail(id).await,
            None => Ok(None),
        };
        match mail {
            Ok(Some(mail)) => self.send(delivery, &mail).await,
            Ok(None) => Ending::Settled(Outcome::Dropped),
            Err(error) => {
                debug!(delivery = delivery.id, %error, "a mail could not be read");
                UNAVAILABLE
            }
        }
    }

    async fn send(&self, delivery: &Delivery, mail: &Mail) -> Ending {
        let sent = match &self.mailer {
            Some(mailer) => mailer.send(mail, self.gateway.now()).await,
            None => Err(Refusal::Unusable("no mail server is set up".to_owned())),
        };
        let (id, attempt) = (mail.id, delivery.attempt);
        match sent {
            Ok(()) => {
                debug!(mail = %id, attempt, "mail sent");
                if self.complained.swap(false, Ordering::Relaxed) {
                    info!("mails leave again");
                }
                Ending::Settled(Outcome::Delivered)
            }
            Err(Refusal::Never(words)) => {
                warn!(mail = %id, to = domain(mail), words, "a mail is refused for good");
                dead(words)
            }
            Err(Refusal::Later(words)) => self.again(delivery, mail, words),
            Err(Refusal::Unusable(words)) => {
                self.complain(&words);
                self.again(delivery, mail, words)
            }
        }
    }

    /// Tries again while the mail is worth it.
    fn again(&self, delivery: &Delivery, mail: &Mail, words: String) -> Ending {
        let (id, attempt) = (mail.id, delivery.attempt);
        let wait = retry::longer(wait_after(attempt), rand::random());
        let then = self.gateway.now() + wait;
        if delivery.expires_at.is_some_and(|expires| expires <= then) {
            warn!(mail = %id, to = domain(mail), attempt, words, "a mail is given up");
            return dead(words);
        }
        debug!(mail = %id, attempt, words, "mail not sent");
        Ending::Again(wait)
    }

    /// Tells the operator once, until it works again.
    fn complain(&self, words: &str) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            error!(words, "mails cannot be sent: check the mail server");
        }
    }
}

fn wait_after(attempt: i64) -> Duration {
    let index = usize::try_from(attempt - 1).unwrap_or(0);
    FIRST_WAITS.get(index).copied().unwrap_or(LAST_WAIT)
}

/// As much of the address as the log may show.
fn domain(mail: &Mail) -> &str {
    mail.to.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn dead(error: String) -> Ending {
    Ending::Settled(Outcome::Dead {
        status: None,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_an_hour() {
        let waits: Vec<_> = (1..=8)
            .map(|attempt| wait_after(attempt).as_secs())
            .collect();
        assert_eq!(waits, [10, 30, 60, 300, 900, 1_800, 1_800, 1_800]);
        assert_eq!(wait_after(i64::MAX), LAST_WAIT);
    }
}

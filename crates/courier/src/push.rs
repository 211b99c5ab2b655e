//! One attempt to wake a phone: what is to be done with it now, and what the push service says.

use std::sync::atomic::{AtomicBool, Ordering};

use gateway::delivery::{Delivery, Outcome, PushPlan};
use gateway::{Gateway, Time};
use http::HeaderValue;
use tracing::{debug, error, warn};

use crate::carry::{Ending, UNAVAILABLE};
use crate::fcm::{Fcm, Push, Refusal};
use crate::retry::push_wait;

/// Wakes phones.
pub(crate) struct Pushes {
    pub gateway: Gateway,
    pub fcm: Option<Fcm>,
    /// Whether the operator has been told that the set-up is wrong.
    pub complained: AtomicBool,
}

impl Pushes {
    /// Does what the gateway plans for this wake-up.
    pub async fn attempt(&self, delivery: &Delivery) -> Ending {
        let plan = match self.gateway.plan_push(delivery).await {
            Ok(plan) => plan,
            Err(error) => {
                debug!(phone = %delivery.target, %error, "a wake-up could not be planned");
                return UNAVAILABLE;
            }
        };
        let now = self.gateway.now();
        match plan {
            PushPlan::Offer => Ending::Settled(Outcome::Offered { at: now }),
            PushPlan::Later(then) => Ending::NotNow {
                wait: then.since(now),
                whole: false,
            },
            PushPlan::Fail(words) => dead(None, words),
            PushPlan::Drop => Ending::Settled(Outcome::Dropped),
            PushPlan::Send {
                token,
                owner,
                data,
                ttl,
                high_priority,
            } => {
                let push = Push {
                    token,
                    data,
                    ttl,
                    high_priority,
                };
                self.send(delivery, &owner, &push, now).await
            }
        }
    }

    async fn send(&self, delivery: &Delivery, owner: &str, push: &Push, now: Time) -> Ending {
        let sent = match &self.fcm {
            Some(fcm) => fcm.send(push, now).await,
            None => Err(Refusal::Passing {
                status: None,
                retry_after: None,
                words: "the push service is not set up".to_owned(),
                setup: true,
            }),
        };
        match sent {
            Ok(push_id) => {
                debug!(phone = %delivery.target, attempt = delivery.attempt, "wake-up sent");
                self.complained.store(false, Ordering::Relaxed);
                Ending::Settled(Outcome::Pushed { push_id, at: now })
            }
            Err(Refusal::Dead { status }) => {
                warn!(phone = %delivery.target, status, "the push service refuses the phone's token");
                dead(Some(status), reinstall(owner))
            }
            Err(Refusal::Passing {
                status,
                retry_after,
                words,
                setup,
            }) => {
                debug!(phone = %delivery.target, attempt = delivery.attempt, words, "wake-up not sent");
                self.complain(setup, &words);
                let words = format!("cannot send notification to your phone [{owner}]: {words}");
                self.again(delivery, status, retry_after.as_ref(), words)
            }
        }
    }

    /// Tries again while the wake-up is worth it.
    fn again(
        &self,
        delivery: &Delivery,
        status: Option<u16>,
        retry_after: Option<&HeaderValue>,
        words: String,
    ) -> Ending {
        let now = self.gateway.now();
        let wait = push_wait(delivery.attempt, retry_after, now, rand::random());
        match delivery.expires_at {
            Some(expires) if expires <= now + wait => {
                warn!(phone = %delivery.target, attempt = delivery.attempt, "wake-up given up");
                dead(status, words)
            }
            _ => Ending::Again(wait),
        }
    }

    /// Tells the operator once, until it works again.
    fn complain(&self, setup: bool, words: &str) {
        if setup && !self.complained.swap(true, Ordering::Relaxed) {
            error!(
                words,
                "wake-ups cannot be sent: check the Firebase credentials"
            );
        }
    }
}

fn dead(status: Option<u16>, error: String) -> Ending {
    Ending::Settled(Outcome::Dead { status, error })
}

/// The reason that the reference gives for a token that is refused (contract: phone, §5).
fn reinstall(owner: &str) -> String {
    format!(
        "cannot send notification to your phone [{owner}]. \
         Reinstall the httpSMS app on your Android phone."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_token_names_the_number_and_the_cure() {
        assert_eq!(
            reinstall("+37250001111"),
            "cannot send notification to your phone [+37250001111]. Reinstall the httpSMS app on your Android phone."
        );
    }
}

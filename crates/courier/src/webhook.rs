//! One attempt to deliver an event to a webhook: the request, the answer, what it means
//! (contract: events, §4.3 and §4.6).

mod binary;
mod hook;
mod seen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::Gateway;
use gateway::delivery::{Delivery, Outcome, Seen};
use tracing::{debug, warn};

pub use self::hook::Hook;

use self::seen::Sent;
use crate::carry::{Ending, UNAVAILABLE};
use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::retry::{Schedule, Verdict, judge};
use crate::scheduler::Sign;

/// An attempt gets so long for everything (published webhook documentation).
pub const LIMIT: Duration = Duration::from_secs(5);

/// Characters of an answer that the owner is shown when the delivery is given up.
const SHOWN: usize = 2_000;

/// Carries events to webhooks.
pub(crate) struct Webhooks {
    pub gateway: Gateway,
    pub client: Client,
}

/// What came of a delivery to a webhook.
pub(crate) struct Visit {
    pub ending: Ending,
    /// What the webhook was found to be now.
    pub found: Option<Arc<Hook>>,
    /// What was seen, if there was an attempt.
    pub seen: Option<Box<Seen>>,
    pub sign: Sign,
}

impl Visit {
    /// Without an attempt at a webhook.
    pub fn without_attempt(ending: Ending) -> Self {
        Self {
            ending,
            found: None,
            seen: None,
            sign: Sign::None,
        }
    }
}

impl Webhooks {
    /// Attempts a delivery, with what was prepared before or what the webhook is now; the latter is
    /// handed back to be kept.
    pub async fn attempt(&self, delivery: &Delivery, hook: Option<Arc<Hook>>) -> Visit {
        let (hook, found) = match hook {
            Some(hook) => (hook, None),
            // Rare, and no part of what every attempt carries with it.
            None => match Box::pin(self.find(delivery)).await {
                Ok(hook) => (Arc::clone(&hook), Some(hook)),
                Err(visit) => return *visit,
            },
        };
        let mut visit = self.deliver(delivery, &hook).await;
        visit.found = found;
        visit
    }

    /// The webhook as it is now, or how the delivery ends without it.
    async fn find(&self, delivery: &Delivery) -> Result<Arc<Hook>, Box<Visit>> {
        let visit = match self.gateway.endpoint(delivery.target).await {
            Ok(None) => Visit::without_attempt(Ending::Settled(Outcome::Dropped)),
            Ok(Some(endpoint)) => match Hook::new(&endpoint) {
                Some(hook) => return Ok(Arc::new(hook)),
                None => self.cannot_call(delivery, &endpoint.url),
            },
            Err(error) => {
                debug!(webhook = %delivery.target, %error, "the webhook could not be read");
                Visit::without_attempt(UNAVAILABLE)
            }
        };
        Err(Box::new(visit))
    }

    async fn deliver(&self, delivery: &Delivery, hook: &Hook) -> Visit {
        let Some(letter) = &delivery.letter else {
            // The event is gone, and with it what there was to tell.
            return Visit::without_attempt(Ending::Settled(Outcome::Dropped));
        };
        if hook.paused {
            return Visit::without_attempt(Ending::Settled(Outcome::Parked));
        }
        let (began, at) = (Instant::now(), self.gateway.now());
        let request = hook.request(letter, delivery.cause, at);
        let sent = Sent {
            at,
            url: &hook.url,
            headers: seen::json(request.headers()),
        };
        let result = self.client.send(request, LIMIT).await;
        let duration = began.elapsed();
        debug!(
            webhook = %delivery.target,
            event = letter.seq,
            attempt = delivery.attempt,
            status = status(&result),
            failure = result.as_ref().err().map(tracing::field::display),
            millis = duration.as_millis() as u64,
            "webhook called"
        );
        Visit {
            ending: self.conclude(delivery, &hook.schedule, &result),
            found: None,
            seen: Some(sent.seen(duration, &result)),
            sign: Sign::of(&result),
        }
    }

    fn cannot_call(&self, delivery: &Delivery, url: &str) -> Visit {
        let sent = Sent {
            at: self.gateway.now(),
            url,
            headers: "{}".to_owned(),
        };
        let result = Err(Failure::Url);
        Visit {
            ending: self.conclude(delivery, &Schedule::default(), &result),
            found: None,
            seen: Some(sent.seen(Duration::ZERO, &result)),
            sign: Sign::None,
        }
    }

    fn conclude(
        &self,
        delivery: &Delivery,
        schedule: &Schedule,
        result: &Result<Answer, Failure>,
    ) -> Ending {
        let now = self.gateway.now();
        match judge(schedule, delivery.attempt, result, now, rand::random()) {
            Verdict::Done => Ending::Settled(Outcome::Delivered),
            Verdict::Again(wait) => Ending::Again(wait),
            Verdict::GiveUp => {
                warn!(
                    webhook = %delivery.target,
                    event = delivery.letter.as_ref().map(|letter| letter.seq),
                    attempt = delivery.attempt,
                    status = status(result),
                    failure = result.as_ref().err().map(tracing::field::display),
                    "webhook delivery given up"
                );
                Ending::Settled(Outcome::Dead {
                    status: status(result),
                    error: words(result),
                })
            }
        }
    }
}

pub(crate) fn status(result: &Result<Answer, Failure>) -> Option<u16> {
    result.as_ref().ok().map(|answer| answer.status.as_u16())
}

/// What went wrong: what the receiver says of it, or what its status means.
pub(crate) fn words(result: &Result<Answer, Failure>) -> String {
    let answer = match result {
        Ok(answer) => answer,
        Err(failure) => return failure.to_string(),
    };
    let said = shown(&answer.body);
    if answer.status.is_redirection() {
        format!("{}: redirects are not followed", answer.status)
    } else if said.trim().is_empty() {
        let reason = answer.status.canonical_reason();
        reason.map_or_else(
            || format!("status {}", answer.status.as_u16()),
            str::to_owned,
        )
    } else {
        said
    }
}

/// The beginning of a body as text.
fn shown(body: &[u8]) -> String {
    seen::text(body, body.len()).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    /// What an attempt costs beside the network. To be run alone, and read.
    #[test]
    #[ignore = "measures"]
    fn the_cost_of_an_attempt() {
        let endpoint = gateway::delivery::Endpoint {
            id: gateway::Uuid::nil(),
            user_id: "u7Kq2fTzR9".to_owned(),
            url: "https://example.org/hook".to_owned(),
            keys: vec![gateway::webhook::SigningKey {
                secret: "signing-key-of-at-least-thirty-two-bytes".to_owned(),
                active_from: gateway::Time::from_micros(0),
                retired_at: None,
            }],
            policy: gateway::webhook::policy::Policy::default(),
            headers: Vec::new(),
            paused: false,
            version: 1,
        };
        let hook = Hook::new(&endpoint).unwrap();
        let start = r#"{"specversion":"1.0","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","data":"#;
        let letter = gateway::delivery::Letter {
            seq: 1,
            id: gateway::Uuid::nil(),
            kind: gateway::event::Kind::MessagePhoneReceived,
            body: format!("{start}\"{}\"}}", "x".repeat(600)).into(),
        };
        let result = Ok(Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"ok"),
        });
        let (at, cause) = (
            gateway::Time::from_micros(1_772_442_000_000_000),
            gateway::delivery::Cause::Live,
        );
        let (began, times) = (Instant::now(), 20_000);
        let mut signed = Duration::ZERO;
        for _ in 0..times {
            let start = Instant::now();
            let request = hook.request(&letter, cause, at);
            signed += start.elapsed();
            let headers = seen::json(request.headers());
            let sent = Sent {
                at,
                url: &hook.url,
                headers,
            };
            std::hint::black_box(sent.seen(Duration::ZERO, &result));
        }
        let each = (began.elapsed() / times, signed / times);
        println!(
            "{:?} an attempt, {:?} of it the signed request",
            each.0, each.1
        );
    }

    #[test]
    fn the_owner_reads_what_went_wrong() {
        let answer = |status: u16, body: &'static [u8]| {
            Ok(Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Bytes::from_static(body),
            })
        };
        assert_eq!(words(&answer(500, b"no\0 disk")), "no\u{fffd} disk");
        assert_eq!(words(&answer(503, b" ")), "Service Unavailable");
        assert_eq!(words(&answer(599, b"")), "status 599");
        assert_eq!(
            words(&answer(302, b"x")),
            "302 Found: redirects are not followed"
        );
        assert_eq!(words(&Err(Failure::Refused)), "connection refused");
        let long = vec![b'x'; 10_000].leak();
        assert_eq!(words(&answer(400, long)).len(), SHOWN);
    }
}

//! One attempt to deliver an event to a webhook: the request, the answer, what it means
//! (contract: events, §4.3 and §4.6).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::delivery::{Delivery, Endpoint, Letter, Outcome};
use gateway::{Gateway, Time, event};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tokio::time::Instant;
use tracing::{debug, warn};
use url::Url;

use crate::carry::{Ending, UNAVAILABLE};
use crate::client::{Answer, Client};
use crate::discord;
use crate::failure::Failure;
use crate::retry::{Schedule, Verdict, judge};
use crate::signature::Signer;

/// An attempt gets so long for everything (published webhook documentation).
pub const LIMIT: Duration = Duration::from_secs(5);

/// Characters of an answer that the owner is shown when the delivery is given up.
const SHOWN: usize = 2_000;

const EVENT_TYPE: HeaderName = HeaderName::from_static("x-event-type");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("httpsms/", env!("CARGO_PKG_VERSION")));

/// What is prepared once for all requests to a webhook.
pub struct Hook {
    /// The version of the webhook that this was made of.
    pub version: i64,
    uri: Uri,
    signer: Option<Signer>,
    discord: bool,
}

impl Hook {
    /// None if the URL is not one that can be called.
    pub fn new(endpoint: &Endpoint) -> Option<Self> {
        let mut url = Url::parse(&endpoint.url).ok()?;
        let named = !url.username().is_empty() || url.password().is_some();
        if named || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_fragment(None);
        Some(Self {
            version: endpoint.version,
            uri: url.as_str().parse().ok()?,
            signer: Signer::new(&endpoint.signing_key, &endpoint.user_id, &endpoint.url),
            discord: discord::is_webhook(&endpoint.url),
        })
    }

    /// The request that carries an event.
    pub fn request(&self, letter: &Letter, now: Time) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body(letter)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(EVENT_TYPE, HeaderValue::from_static(letter.kind.as_str()));
        headers.insert(USER_AGENT, AGENT);
        let signer = self.signer.as_ref();
        if let Some(token) = signer.and_then(|signer| signer.bearer(now.seconds())) {
            headers.insert(AUTHORIZATION, token);
        }
        request
    }

    /// The event byte for byte; for Discord, which takes no events, its own kind of message.
    fn body(&self, letter: &Letter) -> Bytes {
        if self.discord && letter.kind == event::Kind::MessagePhoneReceived {
            discord::message(&letter.body).unwrap_or_else(|| letter.body.clone())
        } else {
            letter.body.clone()
        }
    }
}

/// Carries events to webhooks.
pub(crate) struct Webhooks {
    pub gateway: Gateway,
    pub client: Client,
    pub schedule: Schedule,
}

impl Webhooks {
    /// Attempts a delivery, with what was prepared before or what the webhook is now; the latter is
    /// handed back to be kept.
    pub async fn attempt(
        &self,
        delivery: &Delivery,
        hook: Option<Arc<Hook>>,
    ) -> (Ending, Option<Arc<Hook>>) {
        if let Some(hook) = hook {
            return (self.deliver(delivery, &hook).await, None);
        }
        match self.gateway.endpoint(delivery.target).await {
            Ok(None) => (Ending::Settled(Outcome::Dropped), None),
            Ok(Some(endpoint)) => match Hook::new(&endpoint) {
                Some(hook) => {
                    let hook = Arc::new(hook);
                    (self.deliver(delivery, &hook).await, Some(hook))
                }
                None => (self.conclude(delivery, &Err(Failure::Url)), None),
            },
            Err(error) => {
                debug!(webhook = %delivery.target, %error, "the webhook could not be read");
                (UNAVAILABLE, None)
            }
        }
    }

    async fn deliver(&self, delivery: &Delivery, hook: &Hook) -> Ending {
        let Some(letter) = &delivery.letter else {
            // The event is gone, and with it what there was to tell.
            return Ending::Settled(Outcome::Dropped);
        };
        let began = Instant::now();
        let request = hook.request(letter, self.gateway.now());
        let result = self.client.send(request, LIMIT).await;
        debug!(
            webhook = %delivery.target,
            event = letter.seq,
            attempt = delivery.attempt,
            status = status(&result),
            failure = result.as_ref().err().map(tracing::field::display),
            millis = began.elapsed().as_millis() as u64,
            "webhook called"
        );
        self.conclude(delivery, &result)
    }

    fn conclude(&self, delivery: &Delivery, result: &Result<Answer, Failure>) -> Ending {
        let now = self.gateway.now();
        match judge(
            &self.schedule,
            delivery.attempt,
            result,
            now,
            rand::random(),
        ) {
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

fn status(result: &Result<Answer, Failure>) -> Option<u16> {
    result.as_ref().ok().map(|answer| answer.status.as_u16())
}

/// What went wrong: what the receiver says of it, or what its status means.
fn words(result: &Result<Answer, Failure>) -> String {
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

/// The beginning of a body as text. PostgreSQL takes no NUL in a text.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let chars = text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c });
    chars.take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::Uuid;
    use http::StatusCode;
    use http_body_util::BodyExt;

    const NOW: Time = Time::from_micros(1_772_442_000_000_000);

    fn endpoint(url: &str, signing_key: &str) -> Endpoint {
        Endpoint {
            id: Uuid::from_u128(7),
            user_id: "u7Kq2fTzR9".to_owned(),
            url: url.to_owned(),
            signing_key: signing_key.to_owned(),
            version: 3,
        }
    }

    fn letter(kind: event::Kind, body: &'static str) -> Letter {
        Letter {
            seq: 1,
            kind,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn request(url: &str, signing_key: &str) -> Request<Full<Bytes>> {
        let letter = letter(event::Kind::MessagePhoneSent, r#"{"specversion":"1.0"}"#);
        let hook = Hook::new(&endpoint(url, signing_key)).unwrap();
        hook.request(&letter, NOW)
    }

    #[tokio::test]
    async fn the_request_is_the_contract_s() {
        let request = request("https://example.org/hook?a=1", "key");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://example.org/hook?a=1");
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("x-event-type"), "message.phone.sent");
        assert!(header("user-agent").starts_with("httpsms/"));
        let expected = Signer::new("key", "u7Kq2fTzR9", "https://example.org/hook?a=1")
            .unwrap()
            .token(NOW.seconds());
        assert_eq!(header("authorization"), format!("Bearer {expected}"));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"specversion":"1.0"}"#);
    }

    #[test]
    fn a_blank_key_sends_no_token() {
        assert!(
            !request("https://example.org", "")
                .headers()
                .contains_key(AUTHORIZATION)
        );
    }

    #[test]
    fn addresses_in_disguise_are_addresses() {
        for (url, uri) in [
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://2130706433:81/", "http://127.0.0.1:81/"),
            ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
            ("http://EXAMPLE.org#part", "http://example.org/"),
            (
                "http://bücher.example/ü?ß",
                "http://xn--bcher-kva.example/%C3%BC?%C3%9F",
            ),
        ] {
            assert_eq!(request(url, "").uri(), uri, "{url}");
        }
        for url in [
            "ftp://example.org",
            "mailto:a@b.c",
            "example.org",
            "http://",
            "http://name:word@example.org",
            "",
        ] {
            assert!(Hook::new(&endpoint(url, "")).is_none(), "{url}");
        }
    }

    #[tokio::test]
    async fn discord_gets_its_own_message_for_received_ones_only() {
        let url = "https://discord.com/api/webhooks/1/token";
        let hook = Hook::new(&endpoint(url, "")).unwrap();
        let event = r#"{"data":{"message_id":"b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02","owner":"+37250001111","contact":"+37250002222","content":"on my way"}}"#;
        let body = hook.body(&letter(event::Kind::MessagePhoneReceived, event));
        assert!(body.starts_with(br#"{"avatar_url""#));
        let body = hook.body(&letter(event::Kind::MessagePhoneSent, event));
        assert_eq!(body, event);
    }

    #[test]
    fn the_owner_reads_what_went_wrong() {
        let answer = |status: u16, body: &'static [u8]| {
            Ok(Answer {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
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

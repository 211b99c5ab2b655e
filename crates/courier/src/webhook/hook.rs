//! A webhook as requests are made for it: what can be prepared once is, and each event adds its own
//! (contract: events, §4.3; Standard Webhooks; CloudEvents HTTP binding).

use bytes::Bytes;
use gateway::delivery::{Cause, Endpoint, Letter};
use gateway::webhook::policy::{Mode, Policy};
use gateway::webhook::{SigningKey, active, valid};
use gateway::{Time, Uuid, event};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use url::Url;

use super::binary;
use crate::discord;
use crate::retry::Schedule;
use crate::scheduler::Rules;
use crate::signature::{Signer, Stamp};
use crate::three_cx;

const EVENT_TYPE: HeaderName = HeaderName::from_static("x-event-type");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const WEBHOOK_TEST: HeaderName = HeaderName::from_static("webhook-test");
const WEBHOOK_REPLAY: HeaderName = HeaderName::from_static("webhook-replay");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("httpsms/", env!("CARGO_PKG_VERSION")));

/// Headers that a request has, beside some extra ones.
const USUAL: usize = 16;

/// What is prepared once for all requests to a webhook.
pub struct Hook {
    /// The version of the webhook that this was made of.
    pub version: i64,
    /// Nothing is to be sent now.
    pub paused: bool,
    /// As it was configured.
    pub url: String,
    /// When to try again.
    pub schedule: Schedule,
    /// How fast it wants to be told.
    pub rules: Rules,
    uri: Uri,
    keys: Vec<SigningKey>,
    /// Of each key; none for a blank one.
    signers: Vec<Option<Signer>>,
    headers: HeaderMap,
    mode: Mode,
    sign_body: bool,
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
        let signer = |key: &SigningKey| Signer::new(&key.secret, &endpoint.user_id, &endpoint.url);
        let policy: &Policy = &endpoint.policy;
        Some(Self {
            version: endpoint.version,
            paused: endpoint.paused,
            url: endpoint.url.clone(),
            schedule: Schedule::new(policy.retry_schedule.delays()),
            rules: Rules::of(policy),
            uri: url.as_str().parse().ok()?,
            signers: endpoint.keys.iter().map(signer).collect(),
            keys: endpoint.keys.clone(),
            headers: extra(&endpoint.headers),
            mode: policy.mode,
            sign_body: policy.sign_body,
            discord: discord::is_webhook(&endpoint.url),
        })
    }

    /// The request that carries an event. What nobody may read later is marked as sensitive.
    pub fn request(&self, letter: &Letter, cause: Cause, now: Time) -> Request<Bytes> {
        let mut headers = HeaderMap::with_capacity(USUAL);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(EVENT_TYPE, HeaderValue::from_static(letter.kind.as_str()));
        headers.insert(USER_AGENT, AGENT);
        let body = self.body(letter, &mut headers);
        match cause {
            Cause::Live => {}
            Cause::Test => drop(headers.insert(WEBHOOK_TEST, TRUE)),
            Cause::Replay => drop(headers.insert(WEBHOOK_REPLAY, TRUE)),
        }
        self.sign(letter, &body, now, &mut headers);
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }

    /// The event byte for byte, or its data alone; for Discord and 3CX, which take no events, their
    /// own kinds of message.
    fn body(&self, letter: &Letter, headers: &mut HeaderMap) -> Bytes {
        let for_discord = self.discord && letter.kind == event::Kind::MessagePhoneReceived;
        let other = if for_discord {
            discord::message(&letter.body)
        } else {
            match self.mode {
                Mode::Structured => None,
                Mode::Binary => binary::split(letter, headers),
                Mode::ThreeCx => {
                    headers.insert(CONTENT_TYPE, three_cx::JSON);
                    three_cx::message(letter)
                }
            }
        };
        other.unwrap_or_else(|| letter.body.clone())
    }

    fn sign(&self, letter: &Letter, body: &Bytes, now: Time, headers: &mut HeaderMap) {
        let seconds = now.seconds();
        if !self.headers.contains_key(AUTHORIZATION)
            && let Some(signer) = active(&self.keys, now).and_then(|key| self.signer(key))
            && let Some(token) = signer.bearer(seconds, self.sign_body.then_some(&body[..]))
        {
            headers.insert(AUTHORIZATION, token);
        }
        let mut signers = valid(&self.keys, now).filter_map(|key| self.signer(key));
        let Some(first) = signers.next() else { return };
        let mut id = Uuid::encode_buffer();
        let id = &*letter.id.hyphenated().encode_lower(&mut id);
        let stamp = Stamp::new(id, seconds, body);
        let mut signatures = first.signature(&stamp);
        for signer in signers {
            signatures.push(' ');
            signatures.push_str(&signer.signature(&stamp));
        }
        let (Ok(id), Ok(mut signatures)) =
            (HeaderValue::try_from(id), HeaderValue::try_from(signatures))
        else {
            return;
        };
        signatures.set_sensitive(true);
        headers.insert(WEBHOOK_ID, id);
        headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(seconds));
        headers.insert(WEBHOOK_SIGNATURE, signatures);
    }

    /// What signs with this one of the keys.
    fn signer(&self, key: &SigningKey) -> Option<&Signer> {
        let place = self
            .keys
            .iter()
            .position(|other| std::ptr::eq(other, key))?;
        self.signers.get(place)?.as_ref()
    }
}

/// The webhook's own headers, without those that are the request's.
fn extra(headers: &[(String, String)]) -> HeaderMap {
    let mut extra = HeaderMap::new();
    for (name, value) in headers {
        let (Ok(name), Ok(mut value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) else {
            continue;
        };
        if !is_reserved(name.as_str()) {
            value.set_sensitive(true);
            extra.insert(name, value);
        }
    }
    extra
}

/// Whether a header is the request's own, or the connection's.
fn is_reserved(name: &str) -> bool {
    const OURS: [&str; 4] = ["content-type", "content-length", "host", "x-event-type"];
    const THE_CONNECTION_S: [&str; 7] = [
        "connection",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    OURS.contains(&name)
        || THE_CONNECTION_S.contains(&name)
        || name.starts_with("webhook-")
        || name.starts_with("ce-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(1_772_442_000_000_000);
    const EVENT: &str = r#"{"specversion":"1.0","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","source":"/v1","type":"x","time":"2026-03-02T09:00:00Z","data":{"a": 1}}"#;

    fn endpoint(url: &str, signing_key: &str) -> Endpoint {
        Endpoint {
            id: Uuid::from_u128(7),
            user_id: "u7Kq2fTzR9".to_owned(),
            url: url.to_owned(),
            keys: vec![SigningKey {
                secret: signing_key.to_owned(),
                active_from: Time::from_micros(0),
                retired_at: None,
            }],
            policy: Policy::default(),
            headers: Vec::new(),
            paused: false,
            version: 3,
        }
    }

    fn letter(kind: event::Kind, body: &'static str) -> Letter {
        Letter {
            seq: 1,
            id: "0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006".parse().unwrap(),
            kind,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn request_of(endpoint: &Endpoint, cause: Cause) -> Request<Bytes> {
        let letter = letter(event::Kind::MessagePhoneSent, EVENT);
        Hook::new(endpoint).unwrap().request(&letter, cause, NOW)
    }

    fn request(url: &str, signing_key: &str) -> Request<Bytes> {
        request_of(&endpoint(url, signing_key), Cause::Live)
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
        assert_eq!(header("webhook-id"), "0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006");
        assert_eq!(header("webhook-timestamp"), "1772442000");
        let expected = Signer::new("key", "u7Kq2fTzR9", "https://example.org/hook?a=1")
            .unwrap()
            .token(NOW.seconds(), None);
        assert_eq!(header("authorization"), format!("Bearer {expected}"));
        let body = request.into_body();
        assert_eq!(body, EVENT);
    }

    #[test]
    fn a_blank_key_signs_nothing() {
        let request = request("https://example.org", " ");
        for name in ["authorization", "webhook-id", "webhook-signature"] {
            assert!(!request.headers().contains_key(name), "{name}");
        }
    }

    #[test]
    fn why_it_is_sent_is_told() {
        let endpoint = endpoint("https://example.org", "");
        let names = |cause| {
            let request = request_of(&endpoint, cause);
            ["webhook-test", "webhook-replay"].map(|name| request.headers().contains_key(name))
        };
        assert_eq!(names(Cause::Live), [false, false]);
        assert_eq!(names(Cause::Test), [true, false]);
        assert_eq!(names(Cause::Replay), [false, true]);
    }

    #[test]
    fn extra_headers_are_added_and_take_the_token_s_place_only() {
        let mut endpoint = endpoint("https://example.org", "key");
        endpoint.headers = [
            ("Authorization", "Basic abc"),
            ("X-Tenant", "seven"),
            ("Content-Type", "text/plain"),
            ("Webhook-Id", "forged"),
            ("ce-id", "forged"),
            ("Transfer-Encoding", "chunked"),
            ("not a name", "x"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let request = request_of(&endpoint, Cause::Live);
        let headers = request.headers();
        assert_eq!(headers["authorization"], "Basic abc");
        assert_eq!(headers["x-tenant"], "seven");
        assert!(headers["x-tenant"].is_sensitive());
        assert_eq!(headers["content-type"], "application/json");
        assert_ne!(headers["webhook-id"], "forged");
        assert!(!headers.contains_key("ce-id") && !headers.contains_key("transfer-encoding"));
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

    #[test]
    fn three_cx_gets_its_own_form() {
        let mut endpoint = endpoint("https://pbx.example.org/sms/generic", "");
        endpoint.policy.mode = Mode::ThreeCx;
        let event = r#"{"id":"e","time":"t","data":{"id":"m","owner":"+37250001111","contact":"+37250002222","content":"x","timestamp":"s"}}"#;
        let letter = letter(event::Kind::MessagePhoneDelivered, event);
        let request = Hook::new(&endpoint)
            .unwrap()
            .request(&letter, Cause::Live, NOW);
        let content_type = &request.headers()["content-type"];
        assert_eq!(content_type, "application/json; charset=UTF-8");
        let mut headers = HeaderMap::new();
        let body = Hook::new(&endpoint).unwrap().body(&letter, &mut headers);
        assert!(body.starts_with(br#"{"data":{"event_type":"message.finalized""#));
    }

    #[test]
    fn discord_gets_its_own_message_for_received_ones_only() {
        let url = "https://discord.com/api/webhooks/1/token";
        let hook = Hook::new(&endpoint(url, "")).unwrap();
        let event = r#"{"data":{"message_id":"b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02","owner":"+37250001111","contact":"+37250002222","content":"on my way"}}"#;
        let body = |kind| hook.body(&letter(kind, event), &mut HeaderMap::new());
        assert!(body(event::Kind::MessagePhoneReceived).starts_with(br#"{"avatar_url""#));
        assert_eq!(body(event::Kind::MessagePhoneSent), event);
    }
}

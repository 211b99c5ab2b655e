//! Requests as the server signs them, and as somebody else would like to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jwt_compact::alg::{Hs256, Hs256Key, Hs512, Hs512Key};
use jwt_compact::{Algorithm, AlgorithmSignature as _};
use serde_json::{Value, json};

/// The receivers' key.
pub const KEY: &str = "a signing key as somebody types it";
/// The key that takes over from it, of the other kind.
pub const NEXT: &str = "whsec_dGhlIGtleSB0aGF0IHRha2VzIG92ZXIgZnJvbSBpdA==";
/// A key that the receivers do not know.
pub const FOREIGN: &str = "a signing key of somebody else, sadly";

/// The SHA-256 of the body of event 7, as `sha256sum` knows it, in base64url.
pub const DIGEST_OF_7: &str = "1ILcCavN58W4IMwBar2DuwR0Xb2OCaHR64Wd4iqVPF4";

/// Headers and a body.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Request {
    /// One that carries this event and has no signature yet.
    pub fn of(event: u32) -> Self {
        let id = id(event);
        // As no JSON library would write it: what is verified are the bytes.
        let data = r#"{"content":"grüße \u003cb\u003e & 😀"}"#;
        let body = format!(
            r#"{{"specversion": "1.0", "id":"{id}","type":"message.phone.received",  "data":{data}}}"#
        );
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-event-type", "message.phone.received".to_owned()),
        ];
        Self { headers, body }
    }

    /// With this header, instead of the one of that name.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self = self.without(name);
        self.headers.push((name, value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(present, _)| *present != name);
        self
    }

    /// With another body, and all its headers.
    pub fn changed(mut self) -> Self {
        self.body = self.body.replace("grüße", "küsse");
        self
    }

    /// With the headers of Standard Webhooks, signed by these keys, sent so many seconds from now.
    pub fn signed(self, keys: &[&str], event: u32, seconds: i64) -> Self {
        let (id, sent) = (id(event), now() + seconds);
        let signatures = keys.iter().map(|key| signature(key, &id, sent, &self.body));
        let signatures: Vec<_> = signatures.collect();
        self.with("webhook-id", id)
            .with("webhook-timestamp", sent.to_string())
            .with("webhook-signature", signatures.join(" "))
    }

    /// With a token by this key.
    pub fn bearer(self, key: &str, claims: &Value) -> Self {
        self.with("authorization", format!("Bearer {}", token(key, claims)))
    }
}

/// The id of an event.
pub fn id(event: u32) -> String {
    format!("0c0e7a52-5f0e-4e0c-9f0a-{event:012}")
}

/// What a token of the server says, sent so many seconds from now.
pub fn claims(seconds: i64) -> Value {
    let now = now() + seconds;
    json!({
        "iss": "api.httpsms.com", "sub": "u7Kq2fTzR9", "aud": ["http://127.0.0.1:9000/webhook"],
        "exp": now + 600, "nbf": now - 600, "iat": now,
    })
}

/// The JWT, signed with HS256 and the key as it was typed.
pub fn token(key: &str, claims: &Value) -> String {
    let signed = format!(
        "{}.{}",
        part(&json!({"alg": "HS256", "typ": "JWT"})),
        part(claims)
    );
    let tag = tag(key.as_bytes(), &signed);
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// The same by another algorithm.
pub fn hs512_token(key: &str, claims: &Value) -> String {
    let signed = format!(
        "{}.{}",
        part(&json!({"alg": "HS512", "typ": "JWT"})),
        part(claims)
    );
    let tag = Hs512.sign(&Hs512Key::new(key.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag.as_bytes()))
}

/// A token that nobody signed.
pub fn unsigned_token(claims: &Value) -> String {
    format!(
        "{}.{}.",
        part(&json!({"alg": "none", "typ": "JWT"})),
        part(claims)
    )
}

fn part(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

fn signature(key: &str, id: &str, sent: i64, body: &str) -> String {
    let secret = match key.strip_prefix("whsec_") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).unwrap(),
        None => key.as_bytes().to_vec(),
    };
    let tag = tag(&secret, &format!("{id}.{sent}.{body}"));
    format!("v1,{}", BASE64_STANDARD.encode(tag))
}

/// HMAC-SHA256.
fn tag(key: &[u8], signed: &str) -> Vec<u8> {
    let tag = Hs256.sign(&Hs256Key::new(key), signed.as_bytes());
    tag.as_bytes().into_owned()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs() as i64
}

/// The example of `docs/webhooks.md`, whose signatures were made by `openssl`.
#[test]
fn signatures_are_those_of_the_documentation() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/webhooks.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (id, body) = (
        "0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006",
        r#"{"specversion":"1.0"}"#,
    );
    for (key, expected) in [
        (KEY, "v1,mKp8+teeeDP2JGmXXp6uOTJy4nBluwfoskAQQTm2MsI="),
        (NEXT, "v1,SBfnUvAfupJ6im66REiCKn52+7zhvNEjv5iu2jarjBg="),
    ] {
        assert_eq!(signature(key, id, 1_772_442_123, body), expected);
        for shown in [key, id, body, "1772442123", expected] {
            assert!(docs.contains(shown), "{shown}");
        }
    }
}

//! By what a receiver knows that a request is from here: a JWT, signed with HS256 (contract: events,
//! §4.3), and signatures as of Standard Webhooks. Made for every attempt, so most is prepared once.

use std::io::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64};
use http::HeaderValue;

/// `{"alg":"HS256","typ":"JWT"}` in base64url.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Who signs, on every installation: receivers check it.
const ISSUER: &str = "api.httpsms.com";

/// How far the clocks of both sides may be apart, in seconds.
const LEEWAY: i64 = 600;

/// What a key begins with whose rest is base64 (Standard Webhooks).
const ENCODED: &str = "whsec_";

/// Takes base64 with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Signs for one webhook with one of its keys.
pub struct Signer {
    key: hmac::Key,
    /// The same, unless the secret says that it is encoded.
    decoded: Option<hmac::Key>,
    /// The claims up to the value of `exp`.
    claims: String,
}

impl Signer {
    /// None for a blank key: such a webhook gets no token.
    pub fn new(signing_key: &str, user_id: &str, url: &str) -> Option<Self> {
        if signing_key.trim().is_empty() {
            return None;
        }
        let (user, audience) = (quoted(user_id), quoted(url));
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, signing_key.as_bytes()),
            decoded: decoded(signing_key).map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
            claims: format!(r#"{{"iss":"{ISSUER}","sub":{user},"aud":[{audience}],"exp":"#),
        })
    }

    /// The token at this time, in seconds since 1970; with the digest of a body if it shall vouch for it.
    pub fn token(&self, now: i64, body: Option<&[u8]>) -> String {
        let mut claims = format!(
            r#"{}{},"nbf":{},"iat":{now}"#,
            self.claims,
            now + LEEWAY,
            now - LEEWAY
        );
        if let Some(body) = body {
            claims.push_str(r#","body":""#);
            BASE64.encode_string(digest::digest(&digest::SHA256, body), &mut claims);
            claims.push('"');
        }
        claims.push('}');
        let mut token = String::with_capacity(HEADER.len() + claims.len() * 4 / 3 + 50);
        token.push_str(HEADER);
        token.push('.');
        BASE64.encode_string(claims, &mut token);
        let tag = hmac::sign(&self.key, token.as_bytes());
        token.push('.');
        BASE64.encode_string(tag, &mut token);
        token
    }

    /// The value of the `Authorization` header.
    pub fn bearer(&self, now: i64, body: Option<&[u8]>) -> Option<HeaderValue> {
        let token = format!("Bearer {}", self.token(now, body));
        let mut value = HeaderValue::try_from(token).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// One signature of `webhook-signature` (Standard Webhooks, symmetric).
    pub fn signature(&self, stamp: &Stamp<'_>) -> String {
        let key = self.decoded.as_ref().unwrap_or(&self.key);
        let mut hash = hmac::Context::with_key(key);
        hash.update(&stamp.head);
        hash.update(stamp.body);
        let mut signature = String::with_capacity(48);
        signature.push_str("v1,");
        BASE64_STANDARD.encode_string(hash.sign(), &mut signature);
        signature
    }
}

/// What is signed of a request as of Standard Webhooks: its id, its time and its body.
pub struct Stamp<'a> {
    head: Vec<u8>,
    body: &'a [u8],
}

impl<'a> Stamp<'a> {
    /// For a message with this id at this time, in seconds since 1970.
    pub fn new(id: &str, now: i64, body: &'a [u8]) -> Self {
        let mut head = Vec::with_capacity(id.len() + 16);
        // A vector takes everything.
        let _ = write!(head, "{id}.{now}.");
        Self { head, body }
    }
}

/// The bytes of a key that is typed in base64.
fn decoded(key: &str) -> Option<Vec<u8>> {
    let bytes = LENIENT.decode(key.strip_prefix(ENCODED)?.trim()).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::{Value, json};

    const KEY: &str = "a signing key as somebody types it";
    const URL: &str = "https://example.org/hook?tag=\"a\\b\"&ü=1";
    const NOW: i64 = 1_772_442_123;

    fn token() -> String {
        Signer::new(KEY, "u7Kq2fTzR9", URL)
            .unwrap()
            .token(NOW, None)
    }

    #[test]
    fn another_library_reads_every_claim() {
        let token = token();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[URL]);
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(KEY.as_bytes());
        let read = decode::<Value>(&token, &key, &validation).unwrap();
        let expected = json!({
            "iss": "api.httpsms.com",
            "sub": "u7Kq2fTzR9",
            "aud": [URL],
            "exp": NOW + 600,
            "nbf": NOW - 600,
            "iat": NOW,
        });
        assert_eq!(read.claims, expected);
        let header = decode_header(&token).unwrap();
        assert_eq!(
            (header.alg, header.typ.as_deref()),
            (Algorithm::HS256, Some("JWT"))
        );
        let wrong = DecodingKey::from_secret(b"another key");
        assert!(decode::<Value>(&token, &wrong, &validation).is_err());
    }

    #[test]
    fn the_parts_are_in_the_order_of_the_contract() {
        let token = token();
        let parts: Vec<_> = token.split('.').take(2).collect();
        let text = |part: &str| String::from_utf8(BASE64.decode(part).unwrap()).unwrap();
        assert_eq!(text(parts[0]), r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = text(parts[1]);
        let places = ["iss", "sub", "aud", "exp", "nbf", "iat"]
            .map(|name| claims.find(&format!("\"{name}\":")).unwrap());
        assert!(places.is_sorted(), "{claims}");
    }

    #[test]
    fn the_signature_is_what_an_independent_program_computes() {
        let signer = Signer::new(
            "secret-of-thirty-two-characters!",
            "user",
            "https://a.test/",
        )
        .unwrap();
        assert_eq!(signer.token(1_700_000_000, None), KNOWN);
    }

    #[test]
    fn a_token_can_vouch_for_the_body_in_its_last_claim() {
        let signer = Signer::new(KEY, "user", URL).unwrap();
        let token = signer.token(NOW, Some(b"{}"));
        let claims = BASE64.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        // sha256 of the two bytes.
        let digest = "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o";
        let end = format!(r#""iat":{NOW},"body":"{digest}"}}"#);
        assert!(claims.ends_with(&end), "{claims}");
    }

    #[test]
    fn a_signature_is_the_example_of_standard_webhooks() {
        // The example of the published libraries.
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "user", URL).unwrap();
        let stamp = Stamp::new(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signer.signature(&stamp), expected);
    }

    #[test]
    fn a_key_that_is_no_base64_is_its_text() {
        for key in ["plain", "whsec_", "whsec_!!"] {
            assert_eq!(decoded(key), None, "{key}");
        }
        assert_eq!(decoded("whsec_AAE=").unwrap(), [0, 1]);
        assert_eq!(decoded("whsec_AAE").unwrap(), [0, 1]);
    }

    #[test]
    fn a_blank_key_signs_nothing() {
        assert!(Signer::new("", "user", URL).is_none());
        assert!(Signer::new(" \t", "user", URL).is_none());
    }

    #[test]
    fn the_header_does_not_show_in_debug_output() {
        let value = Signer::new(KEY, "user", URL)
            .unwrap()
            .bearer(NOW, None)
            .unwrap();
        assert_eq!(format!("{value:?}"), "Sensitive");
        assert!(value.to_str().unwrap().starts_with("Bearer eyJ"));
    }

    const KNOWN: &str = concat!(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhcGkuaHR0cHNtcy5jb20iLCJzdWIiOiJ1c2VyIiwiY",
        "XVkIjpbImh0dHBzOi8vYS50ZXN0LyJdLCJleHAiOjE3MDAwMDA2MDAsIm5iZiI6MTY5OTk5OTQwMCwiaWF0IjoxNzA",
        "wMDAwMDAwfQ.ghEdMdKkRoC-Gd0m3idUxIb_kgRiqso-dQX6jF6T5dA",
    );
}

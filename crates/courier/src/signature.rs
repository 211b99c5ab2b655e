//! The token by which a receiver knows that a request is from here: a JWT, signed with HS256
//! (contract: events, §4.3). Made for every attempt, so most of it is prepared once per webhook.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::HeaderValue;

/// `{"alg":"HS256","typ":"JWT"}` in base64url.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Who signs, on every installation: receivers check it.
const ISSUER: &str = "api.httpsms.com";

/// How far the clocks of both sides may be apart, in seconds.
const LEEWAY: i64 = 600;

/// Signs the tokens of one webhook.
pub struct Signer {
    key: hmac::Key,
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
            claims: format!(r#"{{"iss":"{ISSUER}","sub":{user},"aud":[{audience}],"exp":"#),
        })
    }

    /// The token at this time, in seconds since 1970.
    pub fn token(&self, now: i64) -> String {
        let claims = format!(
            r#"{}{},"nbf":{},"iat":{now}}}"#,
            self.claims,
            now + LEEWAY,
            now - LEEWAY
        );
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
    pub fn bearer(&self, now: i64) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.token(now))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
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
        Signer::new(KEY, "u7Kq2fTzR9", URL).unwrap().token(NOW)
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
        assert_eq!(signer.token(1_700_000_000), KNOWN);
    }

    #[test]
    fn a_blank_key_signs_nothing() {
        assert!(Signer::new("", "user", URL).is_none());
        assert!(Signer::new(" \t", "user", URL).is_none());
    }

    #[test]
    fn the_header_does_not_show_in_debug_output() {
        let value = Signer::new(KEY, "user", URL).unwrap().bearer(NOW).unwrap();
        assert_eq!(format!("{value:?}"), "Sensitive");
        assert!(value.to_str().unwrap().starts_with("Bearer eyJ"));
    }

    const KNOWN: &str = concat!(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhcGkuaHR0cHNtcy5jb20iLCJzdWIiOiJ1c2VyIiwiY",
        "XVkIjpbImh0dHBzOi8vYS50ZXN0LyJdLCJleHAiOjE3MDAwMDA2MDAsIm5iZiI6MTY5OTk5OTQwMCwiaWF0IjoxNzA",
        "wMDAwMDAwfQ.ghEdMdKkRoC-Gd0m3idUxIb_kgRiqso-dQX6jF6T5dA",
    );
}

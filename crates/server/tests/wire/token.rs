//! The JWT of a webhook request, read by a library of its own.

use jiff::Timestamp;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt as _, UntrustedToken};
use serde_json::{Value, json};
use testkit::Received;

/// What a receiver can read from `Authorization`.
pub struct Token {
    pub header: Value,
    pub claims: Value,
}

impl Token {
    /// Verifies the token with HS256 and the UTF-8 bytes of the key; panics unless it is right.
    pub fn verified(request: &Received, key: &str) -> Self {
        let header = request.header("authorization").expect("a token");
        let token = header.strip_prefix("Bearer ").expect("a bearer token");
        let untrusted = UntrustedToken::new(token).expect("a JWT");
        let key = Hs256Key::new(key.as_bytes());
        let _: jwt_compact::Token<Value> = Hs256
            .validator(&key)
            .validate(&untrusted)
            .expect("signed with the key");
        let mut parts = token.split('.').map(part);
        Self {
            header: parts.next().unwrap(),
            claims: parts.next().unwrap(),
        }
    }

    /// Seconds since 1970.
    pub fn issued_at(&self) -> i64 {
        self.claims["iat"].as_i64().expect("whole seconds")
    }

    /// Panics unless the claims are exactly these, made when the request was.
    pub fn expect(&self, request: &Received, user_id: &str, url: &str) {
        assert_eq!(self.header, json!({"alg": "HS256", "typ": "JWT"}));
        let iat = self.issued_at();
        let expected = json!({
            "iss": "api.httpsms.com", "sub": user_id, "aud": [url],
            "exp": iat + 600, "nbf": iat - 600, "iat": iat,
        });
        assert_eq!(self.claims, expected);
        let arrived = Timestamp::try_from(request.time).unwrap().as_second();
        assert!(
            (arrived - 5..=arrived).contains(&iat),
            "{iat} is not {arrived}"
        );
    }
}

fn part(base64: &str) -> Value {
    use base64::Engine as _;
    let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(base64);
    serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default()
}

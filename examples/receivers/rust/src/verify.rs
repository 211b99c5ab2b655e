//! Whether a request is from the server, and from now: by the headers of Standard Webhooks, or by
//! the JWT.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

/// Seconds that the clocks of both sides may be apart.
const TOLERANCE: u64 = 300;

/// By what a request is known, with the keys that are right.
pub enum Verify {
    Standard(Vec<hmac::Key>),
    Jwt(Vec<DecodingKey>, Box<Validation>),
}

impl Verify {
    pub fn new(by: &str, keys: &[String]) -> Result<Self, &'static str> {
        if keys.is_empty() {
            return Err("HTTPSMS_WEBHOOK_SIGNING_KEY is not set");
        }
        match by {
            "standard" => {
                let keys: Result<_, _> = keys.iter().map(|key| standard(key)).collect();
                Ok(Self::Standard(keys?))
            }
            "jwt" => {
                // The key as it was typed.
                let key = |key: &String| DecodingKey::from_secret(key.as_bytes());
                let keys = keys.iter().map(key).collect();
                Ok(Self::Jwt(keys, Box::new(validation())))
            }
            _ => Err("HTTPSMS_VERIFY is neither standard nor jwt"),
        }
    }

    /// Says why not.
    pub fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
        match self {
            Self::Standard(keys) => check_standard(keys, headers, body),
            Self::Jwt(keys, validation) => check_jwt(keys, validation, headers, body),
        }
    }
}

/// A key that begins with `whsec_` is the base64 of the HMAC's key; any other is the key itself.
fn standard(key: &str) -> Result<hmac::Key, &'static str> {
    let secret = match key.strip_prefix("whsec_") {
        Some(encoded) => BASE64_STANDARD_NO_PAD
            .decode(encoded.trim_end_matches('='))
            .map_err(|_| "the signing key is not base64 after whsec_")?,
        None => key.as_bytes().to_vec(),
    };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret))
}

/// `webhook-signature` has a `v1,` and an HMAC of id, time and body for each key that is valid.
fn check_standard(
    keys: &[hmac::Key],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let (id, sent) = (
        header(headers, "webhook-id"),
        header(headers, "webhook-timestamp"),
    );
    let of_now = |sent| now().abs_diff(sent) <= TOLERANCE;
    if id.is_empty() || !sent.parse().is_ok_and(of_now) {
        return Err("no webhook-id, or a webhook-timestamp that is not of now");
    }
    let signed = [format!("{id}.{sent}.").as_bytes(), body].concat();
    let ours = header(headers, "webhook-signature")
        .split(' ')
        .filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .any(|tag| {
            keys.iter()
                .any(|key| hmac::verify(key, &signed, &tag).is_ok())
        });
    ours.then_some(())
        .ok_or("no signature of ours in webhook-signature")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[derive(Deserialize)]
struct Claims {
    /// Only there if the webhook has `sign_body`: the body's SHA-256.
    body: Option<String>,
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "nbf", "iss"]);
    validation.set_issuer(&["api.httpsms.com"]);
    validation.validate_nbf = true;
    // The audience is the webhook's URL; check it if one key signs for several webhooks.
    validation.validate_aud = false;
    validation.leeway = 0;
    validation
}

/// `Authorization` has a JWT, signed with HS256.
fn check_jwt(
    keys: &[DecodingKey],
    validation: &Validation,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let token = header(headers, "authorization")
        .strip_prefix("Bearer ")
        .ok_or("no token in Authorization")?;
    let claims = keys
        .iter()
        .find_map(|key| decode::<Claims>(token, key, validation).ok())
        .ok_or("the token is not of the server, or not of now")?
        .claims;
    let digest = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body));
    match claims.body {
        Some(signed) if signed != digest => Err("the token is of another body"),
        _ => Ok(()),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

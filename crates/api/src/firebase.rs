//! Firebase ID tokens as `Authorization: Bearer …`, for clients of the reference that sign in there.
//!
//! A token is signed by Google with a key whose certificate is published; certificates are kept as
//! long as their answer says. Whoever may have an account is decided in the Firebase project.

use std::collections::HashMap;
use std::time::Duration;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Where Google publishes the certificates.
pub const CERTIFICATES: &str =
    "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";

/// Fetching gets so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two fetches, whatever keys are asked for.
const AGAIN: Duration = Duration::from_mins(1);
/// Certificates are kept so long if their answer does not say.
const USUAL: Duration = Duration::from_hours(1);
/// Bytes of a user's id at most.
const MAX_ID: usize = 128;

/// Verifies the tokens of one Firebase project.
pub struct Firebase {
    certificates: String,
    http: reqwest::Client,
    validation: Validation,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched_at: Option<Instant>,
    good_until: Option<Instant>,
}

/// What a token says of its user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    #[serde(default)]
    pub(crate) email: String,
}

impl std::fmt::Debug for Firebase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Firebase").finish_non_exhaustive()
    }
}

impl Firebase {
    /// The tokens of this project; certificates come from this URL, [`CERTIFICATES`] as a rule.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(project: &str, certificates: &str) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[project]);
        validation.set_issuer(&[format!("https://securetoken.google.com/{project}")]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        Ok(Self {
            certificates: certificates.to_owned(),
            http,
            validation,
            keys: Mutex::default(),
        })
    }

    /// Whom the token is of, if it is genuine and names an e-mail address.
    pub(crate) async fn verify(&self, token: &str) -> Option<Claims> {
        let key_id = decode_header(token).ok()?.kid?;
        let key = self.key(&key_id).await?;
        let claims = decode::<Claims>(token, &key, &self.validation).ok()?.claims;
        let fits = (1..=MAX_ID).contains(&claims.sub.len()) && claims.email.contains('@');
        fits.then_some(claims)
    }

    async fn key(&self, id: &str) -> Option<DecodingKey> {
        // Held while they are fetched, so that only one request does.
        let mut keys = self.keys.lock().await;
        let now = Instant::now();
        let good = keys.good_until.is_some_and(|until| now < until);
        let recent = keys.fetched_at.is_some_and(|at| now < at + AGAIN);
        if !recent && (!good || !keys.by_id.contains_key(id)) {
            keys.fetched_at = Some(now);
            match self.fetch().await {
                Ok((by_id, lasts)) => {
                    keys.by_id = by_id;
                    keys.good_until = Some(now + lasts);
                }
                Err(error) => {
                    let error = error.without_url();
                    tracing::warn!(%error, "Firebase's certificates cannot be fetched");
                }
            }
        }
        let good = keys.good_until.is_some_and(|until| now < until);
        keys.by_id.get(id).filter(|_| good).cloned()
    }

    async fn fetch(&self) -> Result<(HashMap<String, DecodingKey>, Duration), reqwest::Error> {
        let answer = self.http.get(&self.certificates).send().await?;
        let answer = answer.error_for_status()?;
        let lasts = max_age(answer.headers()).unwrap_or(USUAL);
        let certificates: HashMap<String, String> = answer.json().await?;
        let keys = certificates.into_iter().filter_map(|(id, pem)| {
            let key = DecodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
            Some((id, key))
        });
        Ok((keys.collect(), lasts))
    }
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let seconds = value
        .split(',')
        .find_map(|part| part.trim().strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let mut headers = HeaderMap::new();
        assert_eq!((bearer(&headers), max_age(&headers)), (None, None));
        headers.insert("authorization", "bearer  x.y.z ".parse().unwrap());
        let control = "public, max-age=21600, must-revalidate";
        headers.insert("cache-control", control.parse().unwrap());
        assert_eq!(bearer(&headers), Some("x.y.z"));
        assert_eq!(max_age(&headers), Some(Duration::from_hours(6)));
        headers.insert("authorization", "Basic eDp5".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}

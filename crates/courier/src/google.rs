//! Access to Google's services for a service account: a signed assertion is traded for a token,
//! which is kept until shortly before it ends.

use std::time::Duration;

use gateway::Time;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::Client;
use crate::fcm::Refusal;

/// What the token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// The trade gets so long.
const LIMIT: Duration = Duration::from_secs(5);

/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_mins(1);

/// An assertion is good for so long, in seconds.
const LIFETIME: i64 = 3_600;

/// What the service account's JSON must have.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: String,
}

/// The credentials cannot be used. The words repeat nothing of them.
#[derive(Debug, thiserror::Error)]
pub enum BadCredentials {
    /// It is a path, and the file cannot be read.
    #[error("the file with the Firebase credentials cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// It is not the JSON of a service account, with `project_id`, `client_email`, `private_key`, `token_uri`.
    #[error("the Firebase credentials are not the JSON of a service account")]
    Incomplete,
    /// The private key is no RSA key in PEM.
    #[error("the private key of the Firebase credentials is not an RSA key in PEM")]
    BadKey,
}

/// The access of one service account.
pub(crate) struct Access {
    account: Account,
    key: EncodingKey,
    trade: Uri,
    /// Held while a new one is fetched, so that only one is.
    token: Mutex<Option<Token>>,
}

struct Token {
    bearer: HeaderValue,
    ends: Instant,
}

impl Access {
    /// Reads the JSON, or the file that has it.
    pub fn new(credentials: &str) -> Result<Self, BadCredentials> {
        let json = if credentials.trim_start().starts_with('{') {
            credentials.to_owned()
        } else {
            std::fs::read_to_string(credentials.trim())
                .map_err(|error| BadCredentials::Unreadable(error.kind()))?
        };
        let account: Account =
            serde_json::from_str(&json).map_err(|_| BadCredentials::Incomplete)?;
        let key = EncodingKey::from_rsa_pem(account.private_key.as_bytes());
        let trade = account.token_uri.parse();
        Ok(Self {
            key: key.map_err(|_| BadCredentials::BadKey)?,
            trade: trade.map_err(|_| BadCredentials::Incomplete)?,
            token: Mutex::default(),
            account,
        })
    }

    /// The project that the account belongs to.
    pub fn project(&self) -> &str {
        &self.account.project_id
    }

    /// The value of an `Authorization` header, fetched if there is none that is still good.
    pub async fn bearer(&self, client: &Client, now: Time) -> Result<HeaderValue, Refusal> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref()
            && Instant::now() + EARLY < token.ends
        {
            return Ok(token.bearer.clone());
        }
        let fetched = self.fetch(client, now).await?;
        Ok(token.insert(fetched).bearer.clone())
    }

    /// The service does not accept the token any more.
    pub async fn forget(&self) {
        *self.token.lock().await = None;
    }

    async fn fetch(&self, client: &Client, now: Time) -> Result<Token, Refusal> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            expires_in: u64,
        }
        let began = Instant::now();
        let answer = client.send(self.trade(now)?, LIMIT).await?;
        let granted: Granted = serde_json::from_slice(&answer.body)
            .map_err(|_| Refusal::passing(&answer, answer.status.is_client_error()))?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", granted.access_token))
            .map_err(|_| Refusal::passing(&answer, false))?;
        bearer.set_sensitive(true);
        Ok(Token {
            bearer,
            ends: began + Duration::from_secs(granted.expires_in),
        })
    }

    fn trade(&self, now: Time) -> Result<Request<bytes::Bytes>, Refusal> {
        let assertion = self.assertion(now).map_err(|error| Refusal::Passing {
            status: None,
            retry_after: None,
            words: format!("the assertion for the push service cannot be signed: {error}"),
            setup: true,
        })?;
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        );
        let mut request = Request::new(bytes::Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.trade.clone();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        Ok(request)
    }

    fn assertion(&self, now: Time) -> Result<String, jsonwebtoken::errors::Error> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iss: &'a str,
            scope: &'a str,
            aud: &'a str,
            iat: i64,
            exp: i64,
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid.clone_from(&self.account.private_key_id);
        let claims = Claims {
            iss: &self.account.client_email,
            scope: SCOPE,
            aud: &self.account.token_uri,
            iat: now.seconds(),
            exp: now.seconds() + LIFETIME,
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use gateway::Clock;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::{Value, json};
    use testkit::{Receiver, Respond};

    use crate::guard::PrivateNetworks;

    /// Access through this receiver, and the public half of its key.
    fn access(receiver: &Receiver) -> (Access, DecodingKey) {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private = AsDer::<Pkcs8V1Der>::as_der(&pair).unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(private.as_ref())
        );
        let account = json!({
            "type": "service_account",
            "project_id": "a-project",
            "client_email": "sender@a-project.example",
            "private_key": pem,
            "private_key_id": "key-1",
            "token_uri": receiver.url("/token"),
        });
        let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
        (Access::new(&account.to_string()).unwrap(), public)
    }

    fn granting(seconds: u64) -> Vec<Respond> {
        let granted = |token: &str| {
            Respond::json(200, &json!({"access_token": token, "expires_in": seconds}))
        };
        vec![granted("first"), granted("second")]
    }

    async fn bearer(access: &Access) -> Result<HeaderValue, Refusal> {
        let client = Client::new(PrivateNetworks::Allow);
        access.bearer(&client, Clock::system().now()).await
    }

    #[tokio::test]
    async fn a_signed_assertion_is_traded_once_for_all() {
        let receiver = Receiver::answering(granting(3_600)).await;
        let (access, public) = access(&receiver);
        assert_eq!(access.project(), "a-project");
        let (one, two) = tokio::join!(bearer(&access), bearer(&access));
        assert_eq!(
            (one.unwrap(), two.unwrap()),
            (
                "Bearer first".parse().unwrap(),
                "Bearer first".parse().unwrap()
            )
        );
        assert_eq!(receiver.count(), 1);

        let request = &receiver.requests()[0];
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        let form: Vec<_> = url::form_urlencoded::parse(&request.body)
            .into_owned()
            .collect();
        assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let assertion = &form[1].1;
        assert_eq!(
            decode_header(assertion).unwrap().kid.as_deref(),
            Some("key-1")
        );
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[receiver.url("/token")]);
        validation.set_issuer(&["sender@a-project.example"]);
        let claims = decode::<Value>(assertion, &public, &validation)
            .unwrap()
            .claims;
        assert_eq!(claims["scope"], SCOPE);

        access.forget().await;
        assert_eq!(bearer(&access).await.unwrap(), "Bearer second");
    }

    #[tokio::test]
    async fn a_token_about_to_end_is_renewed() {
        let receiver = Receiver::answering(granting(59)).await;
        let (access, _) = access(&receiver);
        bearer(&access).await.unwrap();
        assert_eq!(bearer(&access).await.unwrap(), "Bearer second");
    }

    #[tokio::test]
    async fn credentials_that_google_refuses_are_the_operator_s_to_mend() {
        let refused = Respond::json(400, &json!({"error": "invalid_grant"}));
        let receiver = Receiver::answering(vec![refused, Respond::status(503)]).await;
        let (access, _) = access(&receiver);
        let is_setup = |refusal| match refusal {
            Err(Refusal::Passing { setup, .. }) => setup,
            other => panic!("{other:?}"),
        };
        assert!(is_setup(bearer(&access).await));
        assert!(!is_setup(bearer(&access).await));
    }

    #[test]
    fn credentials_that_cannot_be_used_say_why() {
        let error = |credentials: &str| Access::new(credentials).err().unwrap().to_string();
        assert!(error("/nowhere/at/all.json").contains("cannot be read"));
        assert!(error("{}").contains("not the JSON of a service account"));
        let account = r#"{"project_id":"p","client_email":"a@b","private_key":"secret","token_uri":"https://x"}"#;
        let words = error(account);
        assert!(words.contains("not an RSA key") && !words.contains("secret"));
    }
}

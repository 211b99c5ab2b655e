//! The requests that the demo makes with the account's key.
//! A plain client of the public API: nothing here knows that the server runs in the same process.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

const PATIENCE: Duration = Duration::from_secs(10);

/// The account, over HTTP.
pub struct Account {
    http: reqwest::Client,
    server: Url,
}

/// A phone's key.
#[derive(Deserialize)]
pub struct PhoneKey {
    name: String,
    /// In clear.
    pub api_key: String,
    /// Made just now.
    #[serde(skip)]
    pub new: bool,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Account {
    /// Talks to the server at this address with the account's key.
    pub fn new(server: &Url, api_key: &str) -> Result<Self> {
        let mut key = HeaderValue::from_str(api_key)
            .ok()
            .context("the account's key cannot be sent in a header")?;
        key.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([("x-api-key".parse()?, key)]))
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            server: server.clone(),
        })
    }

    /// The phone key with this name, made if there is none.
    pub async fn phone_key(&self, name: &str) -> Result<PhoneKey> {
        let known = self
            .request(Method::GET, "/v1/phone-api-keys")
            .query(&[("query", name), ("limit", "100")]);
        let known: Vec<PhoneKey> = ask(known).await?;
        if let Some(key) = known.into_iter().find(|key| key.name == name) {
            return Ok(key);
        }
        let made = self.request(Method::POST, "/v1/phone-api-keys");
        let made: PhoneKey = ask(made.json(&json!({ "name": name }))).await?;
        Ok(PhoneKey { new: true, ..made })
    }

    /// A phone that sends briskly and answers callers.
    pub async fn tune(&self, number: &str, auto_reply: &str) -> Result<()> {
        let phone = json!({
            "phone_number": number,
            "messages_per_minute": 60,
            "missed_call_auto_reply": auto_reply,
        });
        let changed = self.request(Method::PUT, "/v1/phones").json(&phone);
        ask::<Value>(changed).await.map(drop)
    }

    /// Sends a message.
    pub async fn send(&self, from: &str, to: &str, content: &str) -> Result<()> {
        let message = json!({"from": from, "to": to, "content": content});
        let sent = self.request(Method::POST, "/v1/messages/send");
        ask::<Value>(sent.json(&message)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.server.clone();
        url.set_path(path);
        self.http.request(method, url)
    }
}

/// The `data` of a success.
async fn ask<T: for<'de> Deserialize<'de>>(request: RequestBuilder) -> Result<T> {
    let answer = request.send().await?;
    let (path, status) = (answer.url().path().to_owned(), answer.status());
    if !status.is_success() {
        bail!("{path} answered {status}: {}", answer.text().await?);
    }
    let envelope: Envelope<T> = answer
        .json()
        .await
        .with_context(|| format!("{path}: not understood"))?;
    Ok(envelope.data)
}

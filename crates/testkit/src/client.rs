//! Clients shaped like their callers: a user with an API key, a phone with a phone key, and nobody at all.
//! An [`Answer`] is checked with `.expect(200)`; the shortcuts are the calls that most stories begin with.

use std::ops::Deref;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::within;

/// Longer than the longest answer a server may wait with, the 60 s of an open poll.
const PATIENCE: Duration = Duration::from_secs(75);

/// The calls every kind of caller can make; paths begin with a slash and are used as they are.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

impl Client {
    fn new(base: &str, headers: HeaderMap) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap_or_else(|error| panic!("no HTTP client: {error}"));
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            headers,
        }
    }

    /// The same caller with one more header on every request.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value)
            .unwrap_or_else(|_| panic!("the value for {name} does not fit into a header"));
        let mut same = self.clone();
        same.headers.insert(HeaderName::from_static(name), value);
        same
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.sure(Method::GET, path, None).await
    }

    /// `GET path` with a query, which is encoded here: a `+` in a number arrives as one.
    pub async fn get_with(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::GET, path).query(query);
        Answer::to(request)
            .await
            .unwrap_or_else(|error| panic!("GET {path}: {error:?}"))
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.sure(Method::POST, path, Some(body)).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.sure(Method::PUT, path, Some(body)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.sure(Method::DELETE, path, None).await
    }

    /// A request with this caller's headers, for whatever the other calls do not cover; see [`Answer::to`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone())
    }

    async fn sure(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::to(request)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }
}

/// Somebody without a key.
#[derive(Clone)]
pub struct Anonymous(Client);

/// A user, known by an API key.
#[derive(Clone)]
pub struct UserClient(Client);

/// A phone, known by a phone key.
#[derive(Clone)]
pub struct PhoneClient(Client);

impl Anonymous {
    /// Talks to the server at `base`, such as `http://127.0.0.1:8000`.
    pub fn new(base: &str) -> Self {
        Self(Client::new(base, HeaderMap::new()))
    }
}

impl UserClient {
    /// Talks to the server at `base` with a user's API key.
    pub fn new(base: &str, api_key: &str) -> Self {
        Self(Client::new(base, HeaderMap::new()).with_header("x-api-key", api_key))
    }

    /// Makes a phone key and returns the phone that holds it; no number is bound to it yet.
    pub async fn create_phone_key(&self, name: &str) -> PhoneClient {
        let answer = self
            .post("/v1/phone-api-keys", &json!({"name": name}))
            .await
            .expect(200);
        let key = answer.data()["api_key"].as_str().unwrap_or_default();
        PhoneClient::new(&self.base, key)
    }

    /// Sends a message and returns it as stored.
    pub async fn send(&self, from: &str, to: &str, content: &str) -> Value {
        let message = json!({"from": from, "to": to, "content": content});
        self.post("/v1/messages/send", &message)
            .await
            .expect(200)
            .into_data()
    }

    /// Subscribes `url` to `events` of these phone numbers and returns the webhook.
    pub async fn create_webhook(
        &self,
        url: &str,
        signing_key: &str,
        events: &[&str],
        phone_numbers: &[&str],
    ) -> Value {
        let webhook = json!({
            "url": url,
            "signing_key": signing_key,
            "events": events,
            "phone_numbers": phone_numbers,
        });
        self.post("/v1/webhooks", &webhook)
            .await
            .expect(201)
            .into_data()
    }

    /// The message with this id.
    pub async fn message(&self, id: &str) -> Value {
        self.get(&format!("/v1/messages/{id}"))
            .await
            .expect(200)
            .into_data()
    }

    /// Waits until the message has this status and returns it; panics after `deadline`.
    pub async fn wait_for_status(&self, id: &str, status: &str, deadline: Duration) -> Value {
        let mut last = Value::Null;
        let reached = within(deadline, async || {
            last = self.message(id).await;
            (last["status"] == status).then_some(())
        })
        .await;
        assert!(
            reached.is_some(),
            "after {deadline:?} message {id} is not {status}: {last}"
        );
        last
    }
}

impl PhoneClient {
    /// Talks to the server at `base` with a phone key.
    pub fn new(base: &str, phone_key: &str) -> Self {
        let client = Client::new(base, HeaderMap::new())
            .with_header("x-api-key", phone_key)
            .with_header("x-client-version", "testkit-1");
        Self(client)
    }

    /// Registers a number with its push token, which binds it to this key, and returns the phone.
    pub async fn register(&self, phone_number: &str, sim: &str, fcm_token: &str) -> Value {
        let phone = json!({"phone_number": phone_number, "sim": sim, "fcm_token": fcm_token});
        self.put("/v1/phones/fcm-token", &phone)
            .await
            .expect(200)
            .into_data()
    }

    /// Takes a message over for sending; 404 when there is nothing to take.
    pub async fn claim(&self, id: &str) -> Answer {
        self.get_with("/v1/messages/outstanding", &[("message_id", id)])
            .await
    }

    /// Says what became of a message: `SENT`, `DELIVERED` or `FAILED`, as of now.
    pub async fn report(&self, id: &str, event_name: &str) -> Answer {
        let event = json!({"event_name": event_name, "reason": null, "timestamp": now()});
        self.post(&format!("/v1/messages/{id}/events"), &event)
            .await
    }

    /// Hands in an SMS that arrived now at the number `to`, and returns the message as stored.
    pub async fn receive(&self, from: &str, to: &str, content: &str) -> Value {
        let message = json!({
            "sim": "SIM1",
            "from": from,
            "to": to,
            "content": content,
            "encrypted": false,
            "timestamp": now(),
            "attachments": null,
        });
        self.post("/v1/messages/receive", &message)
            .await
            .expect(200)
            .into_data()
    }

    /// Posts a heartbeat for these numbers.
    pub async fn heartbeat(&self, phone_numbers: &[&str]) -> Answer {
        let heartbeat = json!({"charging": false, "phone_numbers": phone_numbers});
        self.post("/v1/heartbeats", &heartbeat).await
    }
}

impl Deref for Anonymous {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl Deref for UserClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl Deref for PhoneClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

/// The time as a phone writes it: nine digits of fraction and a `Z`.
fn now() -> String {
    format!("{:.9}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Received, Receiver, Respond};

    const SOON: Duration = Duration::from_secs(10);

    fn enveloped(code: u16, data: &Value) -> Respond {
        Respond::json(
            code,
            &json!({"data": data, "message": "told", "status": "success"}),
        )
    }

    fn key(one: &Received) -> Option<&str> {
        one.header("x-api-key")
    }

    #[tokio::test]
    async fn each_caller_says_who_it_is() {
        let api = Receiver::with(|_| enveloped(200, &json!({"api_key": "pk_1"}))).await;
        Anonymous::new(&api.url("/")).get("/a").await.expect(200);
        let user = UserClient::new(&api.url(""), "uk_1").with_header("x-client-version", "7");
        user.delete("/b").await.expect(200);
        let user = UserClient::new(&api.url(""), "uk_1");
        let phone = user.create_phone_key("desk").await;
        phone.get_with("/c", &[("owner", "+1 8")]).await.expect(200);

        let seen = api.requests();
        assert_eq!(
            seen.iter().map(key).collect::<Vec<_>>(),
            [None, Some("uk_1"), Some("uk_1"), Some("pk_1")]
        );
        assert_eq!(seen[0].path(), "/a");
        assert_eq!(seen[1].header("x-client-version"), Some("7"));
        assert_eq!(seen[2].json(), json!({"name": "desk"}));
        assert_eq!(seen[3].uri, "/c?owner=%2B1+8");
    }

    #[tokio::test]
    async fn reads_the_envelope_and_the_field_errors() {
        let errors = json!({"to": ["is required", "is too short"]});
        let api = Receiver::with(move |_| enveloped(422, &errors)).await;
        let nobody = Anonymous::new(&api.url(""));
        let answer = nobody
            .post("/v1/messages/send", &json!({}))
            .await
            .expect(422);
        assert_eq!(answer.message(), "told");
        assert_eq!(answer.field_errors("to"), ["is required", "is too short"]);
        assert!(answer.field_errors("from").is_empty());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.into_data()["to"][0], "is required");
    }

    #[tokio::test]
    #[should_panic(expected = "/v1/phones: wanted 200, got 401: no key")]
    async fn another_status_fails_with_the_body() {
        let api = Receiver::answering(vec![Respond::text(401, "no key")]).await;
        Anonymous::new(&api.url(""))
            .get("/v1/phones")
            .await
            .expect(200);
    }

    #[tokio::test]
    async fn waits_for_a_status() {
        let statuses = ["pending", "sending", "sent"];
        let answers = statuses.map(|status| enveloped(200, &json!({"status": status})));
        let api = Receiver::answering(answers.into()).await;
        let user = UserClient::new(&api.url(""), "uk_1");
        let message = user.wait_for_status("m-1", "sent", SOON).await;
        assert_eq!(message, json!({"status": "sent"}));
        assert_eq!(
            (api.count(), api.requests()[2].path()),
            (3, "/v1/messages/m-1")
        );
    }

    #[tokio::test]
    async fn a_phone_writes_the_time_with_nine_digits() {
        let api = Receiver::with(|_| enveloped(200, &Value::Null)).await;
        let phone = PhoneClient::new(&api.url(""), "pk_1");
        phone.receive("+18005550100", "+18005550199", "yo").await;
        phone.report("m-1", "SENT").await.expect(200);
        for one in api.requests() {
            let time = one.json()["timestamp"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let (_, fraction) = time.split_once('.').expect("a fraction");
            assert_eq!(
                (fraction.len(), fraction.ends_with('Z')),
                (10, true),
                "{time}"
            );
            time.parse::<Timestamp>().expect("RFC 3339");
        }
    }
}

//! The requests of a phone, one method each (the phone protocol §1).
//! Nothing is retried here: the agents decide what is worth another try.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use crate::transport::{PATIENCE, answer, data, drain};
use crate::wire::{
    Event, Heartbeat, HeartbeatRequest, Message, MissedCall, Notification, Phone, Received,
    Registration,
};
use crate::{Address, Error, Transport};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An account key (`uk_…`) or a phone key (`pk_…`); never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl<T: Into<String>> From<T> for ApiKey {
    fn from(key: T) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// One phone's way to its server.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    address: Address,
    key: HeaderValue,
    version: HeaderValue,
}

impl Client {
    /// `version` goes along as `X-Client-Version`; the server keeps it with heartbeats.
    pub fn new(
        transport: &Transport,
        server: &Url,
        key: &ApiKey,
        version: &str,
    ) -> Result<Self, Error> {
        let mut secret = HeaderValue::from_str(key.0.trim())
            .map_err(|_| Error::setting("the API key holds characters that cannot be sent"))?;
        secret.set_sensitive(true);
        let version = HeaderValue::from_str(version)
            .map_err(|_| Error::setting("the version holds characters that cannot be sent"))?;
        Ok(Self {
            transport: transport.clone(),
            address: Address::new(server)?,
            key: secret,
            version,
        })
    }

    /// Logs a number in, or renews its token (§4).
    pub async fn register(&self, registration: &Registration<'_>) -> Result<Phone, Error> {
        let call = self.call(Method::PUT, "/v1/phones/fcm-token", registration)?;
        self.fetch(call).await
    }

    /// "I am alive", for one or two numbers (§11).
    pub async fn heartbeat(&self, beat: &HeartbeatRequest<'_>) -> Result<Vec<Heartbeat>, Error> {
        let call = self.call(Method::POST, "/v1/heartbeats", beat)?;
        self.fetch(call).await
    }

    /// Long poll: waits up to `wait` (at most a minute) for something to do, and takes over `ack`.
    pub async fn notifications(
        &self,
        wait: Duration,
        ack: &[Uuid],
    ) -> Result<Vec<Notification>, Error> {
        let mut url = self.address.join("/v1/phones/notifications");
        url.set_query(Some(&poll_query(wait, ack)));
        let request = self.request(Call::get(url)).timeout(wait + PATIENCE);
        let response = answer(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Vec::new());
        }
        data(response).await
    }

    /// Claims one message for sending; 404 when it is not to be had (§6).
    pub async fn claim(&self, id: Uuid) -> Result<Message, Error> {
        let mut url = self.address.join("/v1/messages/outstanding");
        url.set_query(Some(&format!("message_id={id}")));
        self.fetch(Call::get(url)).await
    }

    /// What became of a claimed message (§8); 404 when it was deleted meanwhile.
    pub async fn report(&self, id: Uuid, event: &Event<'_>) -> Result<(), Error> {
        let call = self.call(Method::POST, &format!("/v1/messages/{id}/events"), event)?;
        self.say(call).await
    }

    /// An SMS or MMS came in (§9).
    pub async fn receive(&self, received: &Received<'_>) -> Result<(), Error> {
        let call = self.call(Method::POST, "/v1/messages/receive", received)?;
        self.say(call).await
    }

    /// Somebody rang and nobody answered (§10).
    pub async fn missed_call(&self, call: &MissedCall<'_>) -> Result<(), Error> {
        let call = self.call(Method::POST, "/v1/messages/calls/missed", call)?;
        self.say(call).await
    }

    /// The pool behind this client, for files of other servers.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let _lane = self.transport.lane().await;
        data(answer(self.request(call)).await?).await
    }

    async fn say(&self, call: Call) -> Result<(), Error> {
        let _lane = self.transport.lane().await;
        drain(answer(self.request(call)).await?).await;
        Ok(())
    }

    fn call(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Call, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::setting(format!("no JSON: {error}")))?;
        Ok(Call {
            method,
            url: self.address.join(path),
            body: Some(body),
        })
    }

    fn request(&self, call: Call) -> RequestBuilder {
        let http = &self.transport.http;
        let request = http
            .request(call.method, call.url)
            .header("x-api-key", self.key.clone())
            .header("x-client-version", self.version.clone());
        match call.body {
            Some(body) => request.header(header::CONTENT_TYPE, JSON).body(body),
            None => request,
        }
    }
}

/// A request that waits for its lane: much smaller than one that is ready to go.
struct Call {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
}

impl Call {
    fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
        }
    }
}

fn poll_query(wait: Duration, ack: &[Uuid]) -> String {
    let mut query = format!("wait={}", wait.as_secs());
    for (place, id) in ack.iter().enumerate() {
        query.push_str(if place == 0 { "&ack=" } else { "," });
        query.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, Client, Duration, Uuid, poll_query};
    use crate::Transport;

    #[test]
    fn a_poll_names_what_it_takes_over() {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        assert_eq!(poll_query(Duration::from_secs(50), &[]), "wait=50");
        assert_eq!(
            poll_query(Duration::ZERO, &ids),
            "wait=0&ack=00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002"
        );
    }

    #[test]
    fn keys_are_never_printed() {
        let key = ApiKey::from("pk_very-secret");
        let server = "http://localhost:8000".parse().unwrap();
        let client = Client::new(&Transport::new().unwrap(), &server, &key, "1").unwrap();
        let printed = format!("{key:?} {client:?}");
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn a_key_with_a_line_break_inside_is_refused() {
        let server = "http://localhost:8000".parse().unwrap();
        let transport = Transport::new().unwrap();
        let made = Client::new(&transport, &server, &"pk_a\nb".into(), "1");
        assert!(!format!("{:?}", made.unwrap_err()).contains("pk_a"));
        assert!(Client::new(&transport, &server, &"pk_a\n".into(), "1").is_ok());
    }
}

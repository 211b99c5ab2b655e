//! How the model engine delivers: so many kept-alive connections to its receiver, each with one signed request
//! at a time. An answer is written down whatever it is; there is no second attempt.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::store::{self, Outcome, Outcomes};
use crate::wire::Line;

/// As many as the server has to one webhook.
const CONNECTIONS: usize = 64;

/// As long as the one that the scenarios give to their webhooks.
const SIGNING_KEY: &[u8] = b"a signing key of the load program, 64 characters long, or nearly.";

/// How long a token is good, in seconds.
const GOOD_FOR: i64 = 600;

/// What goes to the receiver.
pub struct Delivery {
    /// The one that the store gave out.
    pub id: i64,
    /// As it was handed in.
    pub body: Vec<u8>,
}

/// The claims of a token, those of the server's.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: [&'a str; 1],
    exp: i64,
    nbf: i64,
    iat: i64,
}

/// Connects; each connection with its queue.
pub async fn start(
    receiver: SocketAddr,
    outcomes: &Arc<Outcomes>,
) -> Result<Vec<UnboundedSender<Delivery>>> {
    let mut queues = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let line = Line::open(receiver).await?;
        let (queue, deliveries) = unbounded_channel();
        let (signer, outcomes) = (Signer::new(receiver), Arc::clone(outcomes));
        tokio::spawn(async move {
            super::end_on_error(deliver(line, &signer, deliveries, &outcomes).await);
        });
        queues.push(queue);
    }
    Ok(queues)
}

async fn deliver(
    mut line: Line,
    signer: &Signer,
    mut queue: UnboundedReceiver<Delivery>,
    outcomes: &Outcomes,
) -> Result<()> {
    while let Some(delivery) = queue.recv().await {
        let (started_at, began) = (store::now(), Instant::now());
        let request = signer.request(started_at / 1_000_000, &delivery.body)?;
        let status = line.ask(&request).await?.status;
        outcomes.push(Outcome {
            id: delivery.id,
            status,
            started_at,
            duration: began.elapsed(),
        });
    }
    Ok(())
}

/// Makes requests with a token of their own.
struct Signer {
    url: String,
    head: String,
    header: Header,
    key: EncodingKey,
}

impl Signer {
    fn new(receiver: SocketAddr) -> Self {
        Self {
            url: format!("http://{receiver}/hook"),
            head: format!(
                "POST /hook HTTP/1.1\r\nhost: {receiver}\r\ncontent-type: application/json\r\n\
                 x-event-type: message.phone.received\r\nauthorization: Bearer "
            ),
            header: Header::default(),
            key: EncodingKey::from_secret(SIGNING_KEY),
        }
    }

    /// The bytes of a request at this time, in seconds since 1970.
    fn request(&self, now: i64, body: &[u8]) -> Result<Vec<u8>> {
        let claims = Claims {
            iss: "api.httpsms.com",
            sub: "account-0",
            aud: [&self.url],
            exp: now + GOOD_FOR,
            nbf: now - GOOD_FOR,
            iat: now,
        };
        let token = encode(&self.header, &claims, &self.key)?;
        let length = format!("\r\ncontent-length: {}\r\n\r\n", body.len());
        Ok([
            self.head.as_bytes(),
            token.as_bytes(),
            length.as_bytes(),
            body,
        ]
        .concat())
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    use super::*;
    use crate::wire::{find, frame};

    #[test]
    fn a_request_carries_its_body_and_a_token() {
        let receiver = "127.0.0.1:80".parse().unwrap();
        let now = store::now() / 1_000_000;
        let request = Signer::new(receiver).request(now, b"{}").unwrap();
        assert_eq!(&request[frame(&request).unwrap().unwrap()], b"{}");
        let start = find(&request, b"Bearer ").unwrap() + 7;
        let length = find(&request[start..], b"\r").unwrap();
        let token = std::str::from_utf8(&request[start..start + length]).unwrap();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&["http://127.0.0.1:80/hook"]);
        let key = DecodingKey::from_secret(SIGNING_KEY);
        let claims = decode::<serde_json::Value>(token, &key, &rules)
            .unwrap()
            .claims;
        assert_eq!(claims["iat"], now);
    }
}

//! One delivery to a webhook as it arrives at a receiver, byte for byte.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use courier::PrivateNetworks;
use courier::client::Client;
use courier::webhook::{Hook, LIMIT};
use gateway::delivery::{Cause, Endpoint, Letter};
use gateway::webhook::SigningKey;
use gateway::webhook::policy::Policy;
use gateway::{Clock, Time, Uuid, event};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;
use testkit::{Receiver, Respond};

const KEY: &str = "signing-key-of-at-least-thirty-two-bytes";

const EVENT: &str = r#"{"specversion":"1.0","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","data":{"content":"a \u003c b ü"}}"#;

fn endpoint(url: String, signing_key: &str) -> Endpoint {
    Endpoint {
        id: Uuid::from_u128(1),
        user_id: "u7Kq2fTzR9".to_owned(),
        url,
        keys: vec![SigningKey {
            secret: signing_key.to_owned(),
            active_from: Time::from_micros(0),
            retired_at: None,
        }],
        policy: Policy::default(),
        headers: Vec::new(),
        paused: false,
        version: 1,
    }
}

fn letter() -> Letter {
    Letter {
        seq: 1,
        id: gateway::Uuid::from_u128(0x0c0e_7a52_5f0e_4e0c_9f0a_6b1f_0a4a_1006),
        kind: event::Kind::MessagePhoneReceived,
        body: Bytes::from_static(EVENT.as_bytes()),
    }
}

#[tokio::test]
async fn an_event_arrives_as_the_contract_says() {
    let receiver = Receiver::start().await;
    let url = receiver.url("/hook?from=httpsms");
    let hook = Hook::new(&endpoint(url.clone(), KEY)).unwrap();
    let client = Client::new(PrivateNetworks::Deny);
    assert!(
        client
            .send(
                hook.request(&letter(), Cause::Live, Clock::system().now()),
                LIMIT
            )
            .await
            .is_err()
    );
    let client = Client::new(PrivateNetworks::Allow);
    let request = hook.request(&letter(), Cause::Live, Clock::system().now());
    assert_eq!(client.send(request, LIMIT).await.unwrap().status, 200);

    let request = &receiver.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.uri.to_string().as_str()),
        ("POST", "/hook?from=httpsms")
    );
    assert_eq!(request.body, EVENT);
    let mut names: Vec<_> = request
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    let expected = [
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-event-type",
    ];
    assert_eq!(names, expected);
    let header = |name| request.header(name).unwrap();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("content-length"), EVENT.len().to_string());
    assert_eq!(header("x-event-type"), "message.phone.received");
    assert_eq!(header("host"), receiver.address().to_string());

    let token = header("authorization").strip_prefix("Bearer ").unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["api.httpsms.com"]);
    validation.set_audience(&[url]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_secret(KEY.as_bytes());
    let claims = decode::<Value>(token, &key, &validation).unwrap().claims;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let issued = claims["iat"].as_u64().unwrap();
    assert!(issued <= now && now - issued < 60);
    assert_eq!(claims["exp"].as_u64(), Some(issued + 600));
    assert_eq!(claims["nbf"].as_u64(), Some(issued - 600));
}

#[tokio::test]
async fn many_at_once_share_connections() {
    let receiver = Receiver::answering(vec![Respond::ok().after(Duration::from_millis(20))]).await;
    let hook = Hook::new(&endpoint(receiver.url("/"), "")).unwrap();
    let client = Client::new(PrivateNetworks::Allow);
    for _ in 0..4 {
        let round = (0..32).map(|_| {
            let request = hook.request(&letter(), Cause::Live, Clock::system().now());
            let client = client.clone();
            tokio::spawn(async move { client.send(request, LIMIT).await.unwrap().status })
        });
        let round: Vec<_> = round.collect();
        for sent in round {
            assert_eq!(sent.await.unwrap(), 200);
        }
    }
    assert_eq!(receiver.count(), 128);
    assert!(receiver.connections() <= 64, "{}", receiver.connections());
}

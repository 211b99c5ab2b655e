//! Firebase ID tokens as bearer tokens, with certificates from a server of ours.

use std::sync::Arc;

use api::Firebase;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use testkit::{Receiver, Respond};

use crate::support::{Answer, USER_KEY, World};

const PROJECT: &str = "a-project";

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Somebody who signs tokens as Google does.
struct Google {
    receiver: Receiver,
    key: EncodingKey,
}

impl Google {
    async fn open() -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let names = vec!["securetoken.example".to_owned()];
        let certificate = CertificateParams::new(names).unwrap();
        let certificate = certificate.self_signed(&pair).unwrap();
        let published = json!({"key-1": pem("CERTIFICATE", certificate.der())});
        let receiver = Receiver::with(move |_| Respond::json(200, &published)).await;
        let private = pem("PRIVATE KEY", &pair.serialize_der());
        let key = EncodingKey::from_rsa_pem(private.as_bytes()).unwrap();
        Self { receiver, key }
    }

    async fn world(&self) -> World {
        let firebase = Firebase::new(PROJECT, &self.receiver.url("/certificates")).unwrap();
        World::with(None, |options| options.firebase = Some(Arc::new(firebase))).await
    }

    fn sign(&self, key_id: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(key_id.to_owned());
        encode(&header, claims, &self.key).unwrap()
    }
}

fn claims() -> Value {
    json!({
        "sub": "firebase-uid", "user_id": "firebase-uid", "email": "eve@example.org",
        "aud": PROJECT, "iss": "https://securetoken.google.com/a-project",
        "iat": 1_700_000_000, "exp": 9_999_999_999_u64,
    })
}

async fn me(world: &World, token: &str, key: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .uri("/v1/users/me")
        .header("authorization", format!("Bearer {token}"));
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    world.call(request.body("".into()).unwrap()).await
}

#[tokio::test]
async fn a_token_of_the_project_makes_an_account_and_opens_it() {
    let google = Google::open().await;
    let world = google.world().await;
    let token = google.sign("key-1", &claims());
    let made = me(&world, &token, None).await.ok();
    assert_eq!(
        (&made["id"], &made["email"]),
        (&json!("firebase-uid"), &json!("eve@example.org"))
    );
    assert!(made["api_key"].as_str().unwrap().starts_with("uk_"));
    assert_eq!(me(&world, &token, None).await.ok(), made);
    // The account's key wins; one that nobody knows does not hurt.
    assert_eq!(
        me(&world, &token, Some(USER_KEY)).await.ok()["id"],
        "ann-ID"
    );
    assert_eq!(
        me(&world, &token, Some("unknown")).await.ok()["id"],
        "firebase-uid"
    );
    assert_eq!(google.receiver.count(), 1, "the certificates are kept");
}

#[tokio::test]
async fn other_tokens_open_nothing() {
    let google = Google::open().await;
    let world = google.world().await;
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        google.sign("key-1", &claims)
    };
    let genuine = google.sign("key-1", &claims());
    let (head, rest) = genuine.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let others = google.sign("key-1", &json!({"sub": "x"}));
    let forged = others.split('.').nth(1).unwrap();
    for token in [
        changed("aud", json!("another-project")),
        changed(
            "iss",
            json!("https://securetoken.google.com/another-project"),
        ),
        changed("exp", json!(1_700_003_600)),
        changed("sub", json!("")),
        changed("email", json!("")),
        changed("email", json!("ann@example.org")),
        google.sign("key-2", &claims()),
        format!("{head}.{forged}.{signature}"),
        "no.token".to_owned(),
        USER_KEY.to_owned(),
    ] {
        me(&world, &token, None).await.unauthorized();
    }
    assert_eq!(
        google.receiver.count(),
        1,
        "unknown keys are not looked for each time"
    );
    me(&World::open(None).await, &genuine, None)
        .await
        .unauthorized();
}

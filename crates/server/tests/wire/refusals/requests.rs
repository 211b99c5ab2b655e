//! Requests that make no sense: each gets the contract's error, and writes nothing.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client};

use super::excess;
use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, Stage, incoming};

pub const SEND: &str = "/v1/messages/send";
const RECEIVE: &str = "/v1/messages/receive";
const WEBHOOKS: &str = "/v1/webhooks";

#[tokio::test]
async fn nonsense_writes_nothing() {
    on_each_engine(nonsense).await;
}

async fn nonsense(engine: Engine) {
    let stage = Stage::on(engine).await;
    let before = stage.row_counts().await;
    malformed(&stage).await;
    invalid(&stage).await;
    webhooks(&stage).await;
    strangers(&stage).await;
    excess::routes(&stage).await;
    excess::too_much(&stage).await;
    assert_eq!(stage.row_counts().await, before);
    nul_characters(&stage).await;
    understood(&stage).await;
}

pub async fn post(client: &Client, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = client
        .request(Method::POST, path)
        .header("content-type", "application/json")
        .body(body);
    Answer::to(request).await.unwrap()
}

/// An error as every client of the reference reads it.
fn error(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.body["status"], "error", "{}", answer.text());
    assert!(!answer.message().is_empty(), "{}", answer.text());
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/json")
    );
}

async fn malformed(stage: &Stage) {
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"{\"from\":",
        b"null",
        b"[]",
        b"\"text\"",
        b"{} {}",
        b"{\"from\":5,\"to\":\"+18005550100\",\"content\":\"x\"}",
        b"{\"from\":\"+18005550199\",\"to\":[\"+18005550100\"],\"content\":\"x\"}",
        b"{\"from\":\"+18005550199\",\"to\":\"+18005550100\",\"content\":\"x\",\"encrypted\":\"no\"}",
        b"{\"from\":\"+18005550199\",\"to\":\"+18005550100\",\"content\":\"x\",\"send_at\":\"soon\"}",
        b"{\"from\":\"+18005550199\",\"to\":\"+18005550100\",\"content\":\"x\",\"send_at\":\"2026-01-02T03:04:05\"}",
        b"{\"from\":\"+18005550199\",\"to\":\"+18005550100\",\"content\":\"\xff\xfe\"}",
        b"<sms/>",
    ];
    for body in bodies {
        let answer = post(&stage.user, SEND, body).await;
        // `null` and lists leave every field empty, or are no object: either is said.
        match answer.status {
            422 if body == b"null" => error(&answer, 422),
            _ => {
                error(&answer, 400);
                assert_eq!(answer.message(), "The request isn't properly formed");
            }
        }
        let text = answer.text();
        assert!(!text.contains("serde") && !text.contains("Rust"), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    error(&post(&stage.user, SEND, deep.clone()).await, 400);
    let deep = format!("{{\"from\":{deep}}}");
    error(&post(&stage.user, SEND, deep).await, 400);
}

/// A wrong value, and the field that is named for it.
async fn invalid(stage: &Stage) {
    let good = json!({"from": OWNER, "to": CONTACT, "content": "x"});
    let long = "x".repeat(2_049);
    let wrong: [(&str, Value); 13] = [
        ("content", "".into()),
        ("content", long.clone().into()),
        // Bytes are counted: 1,025 letters of two.
        ("content", "é".repeat(1_025).into()),
        ("from", "".into()),
        ("from", "abc".into()),
        ("from", "+999123456".into()),
        ("from", "+18005550111".into()),
        ("to", "".into()),
        ("to", "not a number".into()),
        ("to", "+1234567890123456".into()),
        ("request_id", "r".repeat(256).into()),
        ("attachments", vec!["https://example.org/a"; 11].into()),
        ("send_at", "2999-01-01T00:00:00Z".into()),
    ];
    for (field, value) in wrong {
        let mut sms = good.clone();
        sms[field] = value;
        let answer = stage.user.post(SEND, &sms).await;
        error(&answer, 422);
        assert!(
            !answer.field_errors(field).is_empty(),
            "{field}: {}",
            answer.text()
        );
    }
    let mut file = good.clone();
    file["attachments"] = json!(["ftp://example.org/a"]);
    error(&stage.user.post(SEND, &file).await, 422);

    let unknown = json!({"from": "+18005550111", "to": CONTACT, "content": "x"});
    let answer = stage.user.post(SEND, &unknown).await.expect(422);
    assert_eq!(answer.message(), "validation errors while sending message");
    assert_eq!(
        answer.field_errors("from"),
        [
            "no phone found with with 'from' number [+18005550111]. install the android app on your \
         phone to start sending messages",
            "could not validate 'from' number [+18005550111], please try again later",
        ]
    );
    for (to, content) in [("abc", "x"), (OWNER, ""), (OWNER, long.as_str())] {
        error(
            &stage
                .phone
                .post(RECEIVE, &incoming(CONTACT, to, content))
                .await,
            422,
        );
    }
    for settings in [
        json!({"phone_number": OWNER, "messages_per_minute": 61}),
        json!({"phone_number": OWNER, "message_expiration_seconds": 59}),
        json!({"phone_number": OWNER, "message_expiration_seconds": 3_601}),
        json!({"phone_number": OWNER, "max_send_attempts": 6, "message_expiration_seconds": 60}),
        json!({"phone_number": "abc"}),
        json!({"phone_number": OWNER, "fcm_token": "t".repeat(1_001)}),
    ] {
        error(&stage.user.put("/v1/phones", &settings).await, 422);
    }
    error(
        &stage
            .user
            .put(
                "/v1/phones",
                &json!({"phone_number": OWNER, "max_send_attempts": -1}),
            )
            .await,
        400,
    );
    for path in [
        "/v1/messages/1",
        "/v1/phones?limit=x",
        "/v1/messages?owner=1&contact=2",
    ] {
        error(&stage.user.get(path).await, 422);
    }
    error(&stage.user.delete("/v1/webhooks/1").await, 422);
}

async fn webhooks(stage: &Stage) {
    let good = json!({
        "url": "http://127.0.0.1:9/", "signing_key": "", "events": ["message.phone.sent"],
        "phone_numbers": [OWNER],
    });
    let wrong: [(&str, &str, Value); 14] = [
        ("url", "url", "".into()),
        ("url", "url", "ftp://example.org/".into()),
        ("url", "url", "javascript:alert(1)".into()),
        ("url", "url", "file:///etc/passwd".into()),
        ("url", "url", "mailto:ann@example.org".into()),
        ("url", "url", "http://".into()),
        ("url", "url", "http://exa mple.org/".into()),
        (
            "url",
            "url",
            format!("http://example.org/{}", "x".repeat(2_048)).into(),
        ),
        ("signing_key", "signing_key", "k".repeat(256).into()),
        ("events", "events", json!([])),
        ("events", "events", json!(["message.api.sent"])),
        ("phone_numbers", "phone_numbers", json!([])),
        ("phone_numbers", "phone_numbers", json!(["abc"])),
        ("phone_numbers", "from", json!(["+18005550111"])),
    ];
    for (field, named, value) in wrong {
        let mut draft = good.clone();
        draft[field] = value;
        let answer = stage.user.post(WEBHOOKS, &draft).await;
        error(&answer, 422);
        assert!(
            !answer.field_errors(named).is_empty(),
            "{named}: {draft}: {}",
            answer.text()
        );
    }
}

async fn strangers(stage: &Stage) {
    let nobody = stage.anonymous();
    let wrong = stage.user("uk_wrong");
    let sms = json!({"from": OWNER, "to": CONTACT, "content": "x"});
    for answer in [
        nobody.post(SEND, &sms).await,
        wrong.post(SEND, &sms).await,
        stage.user("").post(SEND, &sms).await,
        stage.user("undefined").post(SEND, &sms).await,
        stage.phone.post(SEND, &sms).await,
        stage.phone.get("/v1/webhooks").await,
        nobody.post(RECEIVE, &incoming(CONTACT, OWNER, "x")).await,
        nobody.get("/v1/phones/notifications").await,
    ] {
        error(&answer, 401);
        assert_eq!(
            answer.message(),
            "You are not authorized to carry out this request."
        );
        let hint = "Make sure your API key is set in the [x-api-key] header in the request";
        assert_eq!(answer.data(), hint);
    }
}

/// PostgreSQL has no NUL in texts: whatever is done about it, it is no fault of the server.
async fn nul_characters(stage: &Stage) {
    let sms = json!({"from": OWNER, "to": CONTACT, "content": "a\0b", "request_id": "r\0"});
    let key = json!({"name": "k\0"});
    let token = json!({"phone_number": OWNER, "fcm_token": "stream:\0", "sim": "SIM1"});
    let id = stage.claimed(OWNER, "to fail").await;
    let report = json!({
        "event_name": "FAILED", "reason": "why\0", "timestamp": "2026-01-02T03:04:05Z",
    });
    let answers = [
        stage.user.post(SEND, &sms).await,
        stage.user.post("/v1/phone-api-keys", &key).await,
        stage.phone.put("/v1/phones/fcm-token", &token).await,
        stage.phone.post(RECEIVE, &incoming("\0", OWNER, "x")).await,
        stage
            .phone
            .post(&format!("/v1/messages/{id}/events"), &report)
            .await,
        stage.user.get("/v1/phones?query=%00").await,
        stage
            .user
            .get("/v1/messages?owner=%2B18005550199&contact=%00")
            .await,
    ];
    for answer in answers {
        assert!(answer.status < 500, "{}", answer.text());
    }
    // What a phone has received is never refused for that.
    let sms = incoming(CONTACT, OWNER, "a\0b");
    stage.phone.post(RECEIVE, &sms).await.expect(200);
}

/// Unknown members, nulls and half a character do not keep a request from being understood.
async fn understood(stage: &Stage) {
    let sms = json!({
        "from": OWNER, "to": CONTACT, "content": "x", "sim": "SIM2", "colour": {"red": [1]},
        "encrypted": null, "request_id": null, "attachments": null, "send_at": null,
    });
    let sent = stage.user.post(SEND, &sms).await.expect(200);
    assert_eq!(sent.data()["sim"], "SIM1", "the phone's own");
    let half = format!(r#"{{"from":"{OWNER}","to":"{CONTACT}","content":"\ud800 half"}}"#);
    let sent = post(&stage.user, SEND, half).await.expect(200);
    assert_eq!(sent.data()["content"], "\u{fffd} half");
}

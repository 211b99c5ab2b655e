//! What a phone received: SMS and missed calls.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{AT, CONTACT, OWNER, SECOND, World, e164, on_each_engine};

const INVALID: &str = "validation errors while receiving message";
const RECEIVE: &str = "/v1/messages/receive";
const MISSED: &str = "/v1/messages/calls/missed";

fn sms() -> Value {
    json!({"sim": "SIM1", "from": CONTACT, "to": OWNER, "content": "yo", "encrypted": false, "timestamp": AT, "attachments": null})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[tokio::test]
async fn an_sms_is_stored_by_a_phone_or_an_account() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let answer = phone
            .post(RECEIVE, sms())
            .await
            .says(200, "message received successfully");
        let data = answer.ok();
        for (name, value) in [
            ("owner", json!(OWNER)),
            ("contact", json!(CONTACT)),
            ("content", json!("yo")),
            ("attachments", json!([])),
            ("type", json!("mobile-originated")),
            ("status", json!("received")),
            ("sim", json!("SIM1")),
            ("received_at", json!("2026-01-02T03:04:05.678Z")),
            ("order_timestamp", json!("2026-01-02T03:04:05.678Z")),
            ("request_received_at", json!("2026-01-02T03:04:05.678Z")),
            ("request_id", Value::Null),
            ("max_send_attempts", json!(0)),
        ] {
            assert_eq!(data[name], value, "{name}");
        }
        // A user key may name any number, also one without a phone.
        world
            .user()
            .post(RECEIVE, with(sms(), "to", json!(SECOND)))
            .await
            .ok();
        phone
            .post(RECEIVE, with(sms(), "to", json!(SECOND)))
            .await
            .not_bound(SECOND, OWNER);
        world
            .phone(&[])
            .await
            .post(RECEIVE, sms())
            .await
            .not_bound(OWNER, "");
    })
    .await;
}

#[tokio::test]
async fn senders_keep_their_names() {
    let world = World::open(None).await;
    for (from, contact) in [
        ("TIKTOK", "TIKTOK"),
        ("24273", "24273"),
        ("8005550100", "+18005550100"),
        ("+1 800", "+1 800"),
        ("a\u{0}b", "a\u{fffd}b"),
    ] {
        let data = world
            .user()
            .post(RECEIVE, with(sms(), "from", json!(from)))
            .await
            .ok();
        assert_eq!(data["contact"], contact);
    }
    for (sim, stored) in [
        (json!("SIM2"), "SIM2"),
        (json!("DEFAULT"), "SIM1"),
        (json!(" "), "SIM1"),
        (Value::Null, "SIM1"),
    ] {
        let data = world
            .user()
            .post(RECEIVE, with(sms(), "sim", sim))
            .await
            .ok();
        assert_eq!(data["sim"], stored);
    }
    let data = world
        .user()
        .post(RECEIVE, with(sms(), "timestamp", Value::Null))
        .await
        .ok();
    assert_eq!(data["received_at"], "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_content_that_cannot_be_stored_is_mended_not_lost() {
    on_each_engine(async |world: World| {
        let raw = sms().to_string().replace("yo", "a\\u0000b\\ud83d");
        let answer = world
            .user()
            .raw("POST".parse().unwrap(), RECEIVE, raw)
            .await;
        assert_eq!(answer.ok()["content"], "a\u{fffd}b\u{fffd}");
        let longest = "x".repeat(2048);
        let data = world
            .user()
            .post(RECEIVE, with(sms(), "content", json!(longest)))
            .await
            .ok();
        assert_eq!(data["content"], longest);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_an_sms_is_told() {
    let world = World::open(None).await;
    world.user().post(RECEIVE, json!({})).await.invalid(INVALID, json!({
        "content": ["The content field is required", "The content field must be minimum 1 char"],
        "from": ["The from field is required"],
        "to": ["The to field is required", e164("to")],
    }));
    for (name, value, message) in [
        ("to", json!("24273"), e164("to")),
        (
            "content",
            json!("x".repeat(2049)),
            "The content field must be maximum 2048 char".to_owned(),
        ),
        (
            "content",
            json!(""),
            "The content field is required".to_owned(),
        ),
        (
            "sim",
            json!("SIM3"),
            "The sim field must be one of SIM1, SIM2".to_owned(),
        ),
    ] {
        let answer = world.user().post(RECEIVE, with(sms(), name, value)).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["data"][name][0], json!(message));
    }
    world
        .user()
        .post(RECEIVE, with(sms(), "timestamp", json!("noon")))
        .await
        .malformed("timestamp: ");
    // Wrong in form is told before not allowed.
    let phone = world.phone(&[SECOND]).await;
    assert_eq!(
        phone
            .post(RECEIVE, with(sms(), "from", json!("")))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_missed_call_is_stored_and_answered() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let call = json!({"sim": "SIM9", "from": CONTACT, "timestamp": AT, "to": OWNER});
        let answer = phone.post(MISSED, call.clone()).await.says(200, "missed call event stored successfully");
        let data = answer.ok();
        for (name, value) in [
            ("type", json!("call/missed")),
            ("status", json!("received")),
            ("content", json!("")),
            ("attachments", Value::Null),
            ("received_at", Value::Null),
            ("sim", json!("SIM1")),
            ("order_timestamp", json!("2026-01-02T03:04:05.678Z")),
        ] {
            assert_eq!(data[name], value, "{name}");
        }
        phone.post(MISSED, with(call.clone(), "to", json!(SECOND))).await.not_bound(SECOND, OWNER);
        world.user().post(MISSED, json!({})).await.invalid(
            "validation errors while storing missed call event",
            json!({"from": ["The from field is required"], "to": ["The to field is required", e164("to")]}),
        );

        let settings = json!({"phone_number": OWNER, "missed_call_auto_reply": "please text"});
        world.user().put("/v1/phones", settings).await.ok();
        let id = phone.post(MISSED, call).await.ok()["id"].as_str().unwrap().to_owned();
        world.pass(Duration::from_mins(1)).await;
        let list = "/v1/messages?owner=%2B18005550199&contact=%2B18005550100&query=please";
        let replies = world.user().get(list).await.ok();
        assert_eq!(replies[0]["request_id"], format!("missed-call-{id}"));
        assert_eq!(replies[0]["content"], "please text");
    })
    .await;
}

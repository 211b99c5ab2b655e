//! Sending one message, and one to many.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{CONTACT, OWNER, SECOND, World, e164, on_each_engine};

const INVALID: &str = "validation errors while sending message";
const SEND: &str = "/v1/messages/send";
const BULK: &str = "/v1/messages/bulk-send";
const FEW_DIGITS: &str = "must contain only digits and must be less than 14 characters";

fn sms() -> Value {
    json!({"from": OWNER, "to": CONTACT, "content": "hi"})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[tokio::test]
async fn a_message_is_queued() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER, SECOND]).await;
        let body = json!({
            "from": "+1 (800) 555-0199", "TO": "18005550100", "content": " <hi> ", "sim": "SIM2",
            "request_id": " order-1 ", "encrypted": true, "unknown": {"a": [1]},
            "attachments": [" https://a.example/x.jpg ", ""],
        });
        let answer = world
            .user()
            .post(SEND, body)
            .await
            .says(200, "message added to queue");
        assert!(answer.text().starts_with("{\"data\":{\"id\":\""));
        assert!(answer.text().contains("\"content\":\" \\u003chi\\u003e \""));
        assert!(
            answer
                .text()
                .ends_with("},\"message\":\"message added to queue\",\"status\":\"success\"}")
        );
        let data = answer.ok();
        for (name, value) in [
            ("owner", json!(OWNER)),
            ("contact", json!(CONTACT)),
            ("content", json!(" <hi> ")),
            ("sim", json!("SIM1")),
            ("type", json!("mobile-terminated")),
            ("status", json!("pending")),
            ("request_id", json!("order-1")),
            ("encrypted", json!(true)),
            ("attachments", json!(["https://a.example/x.jpg"])),
            ("user_id", json!("ann-ID")),
            ("send_attempt_count", json!(0)),
            ("max_send_attempts", json!(2)),
            ("send_time", Value::Null),
            ("received_at", Value::Null),
            ("failure_reason", Value::Null),
        ] {
            assert_eq!(data[name], value, "{name}");
        }
        assert_eq!(data.as_object().unwrap().len(), 29);
        let plain = world
            .user()
            .post(SEND, with(sms(), "request_id", json!("  ")))
            .await
            .ok();
        assert_eq!(
            (&plain["attachments"], &plain["request_id"]),
            (&Value::Null, &Value::Null)
        );
        let second = world
            .user()
            .post(SEND, with(sms(), "from", json!(SECOND)))
            .await
            .ok();
        assert_eq!(second["sim"], "SIM2");
    })
    .await;
}

#[tokio::test]
async fn a_send_time_may_be_past_but_not_far() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    for at in [
        "2026-03-22T08:59:00Z",
        "2026-03-02T11:00:00+02:00",
        "2020-01-01T00:00:00Z",
    ] {
        let data = world
            .user()
            .post(SEND, with(sms(), "send_at", json!(at)))
            .await
            .ok();
        assert_eq!(data["scheduled_send_time"], data["order_timestamp"]);
        assert_ne!(data["scheduled_send_time"], Value::Null);
    }
    world.user().post(SEND, with(sms(), "send_at", json!("2026-03-22T09:00:10Z"))).await.invalid(
        INVALID,
        json!({"send_at": ["the scheduled time cannot be more than 20 days (480 hours) in the future"]}),
    );
    // Told only when nothing else is wrong.
    let body =
        json!({"from": OWNER, "to": CONTACT, "content": "", "send_at": "2030-01-01T00:00:00Z"});
    assert!(
        world.user().post(SEND, body).await.json()["data"]
            .get("send_at")
            .is_none()
    );
    for naive in ["2026-03-03T09:00:00", "2026-03-03", ""] {
        let answer = world
            .user()
            .post(SEND, with(sms(), "send_at", json!(naive)))
            .await;
        answer.malformed("send_at: not an RFC 3339 time");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_field_by_field() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let nothing = json!({
        "content": ["The content field is required", "The content field must be minimum 1 char"],
        "from": ["The from field is required", e164("from")],
        "to": ["The to field is required", format!("The to field {FEW_DIGITS}")],
    });
    for empty in [
        json!({}),
        json!({"from": null, "to": "", "content": null}),
        Value::Null,
    ] {
        world
            .user()
            .post(SEND, empty)
            .await
            .invalid(INVALID, nothing.clone());
    }
    for (name, value, message) in [
        ("to", json!("TIKTOK"), format!("The to field {FEW_DIGITS}")),
        ("to", json!("1"), format!("The to field {FEW_DIGITS}")),
        ("from", json!("24273"), e164("from")),
        ("content", json!("é".repeat(1025)), "The content field must be maximum 2048 char".to_owned()),
        ("request_id", json!("x".repeat(256)), "The request_id field must be maximum 255 char".to_owned()),
        ("attachments", json!(vec!["http://h/"; 11]), "The attachments field must be maximum 10 in size".to_owned()),
        (
            "attachments",
            json!(["http://h/", "ftp://h/"]),
            "The attachment 1 with URL [ftp://h/] must be a valid URL e.g https://placehold.co/600x400".to_owned(),
        ),
    ] {
        let answer = world.user().post(SEND, with(sms(), name, value)).await;
        answer.invalid(INVALID, json!({name: [message]}));
    }
    for (name, value) in [
        ("to", json!("24")),
        ("to", json!("+123456789012345")),
        ("content", json!("é".repeat(1024))),
        ("request_id", json!("x".repeat(255))),
    ] {
        world.user().post(SEND, with(sms(), name, value)).await.ok();
    }
}

#[tokio::test]
async fn an_unknown_sender_is_told_twice() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let data = |install: &str| {
            json!({"from": [
                format!("no phone found with with 'from' number [+18005550177]. {install} the android app on your phone to start sending messages"),
                "could not validate 'from' number [+18005550177], please try again later",
            ]})
        };
        let from = json!("18005550177");
        world.user().post(SEND, with(sms(), "from", from.clone())).await.invalid(INVALID, data("install"));
        let body = json!({"from": from, "to": [CONTACT], "content": "hi"});
        world.user().post(BULK, body).await
            .invalid("validation errors while sending messages", data("Install"));
    })
    .await;
}

#[tokio::test]
async fn one_text_goes_to_many() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let body = json!({"from": OWNER, "to": [CONTACT, "24273", "18005550100"], "content": "hi", "request_id": "r"});
        let answer = world.user().post(BULK, body).await
            .says(200, "3 out of 3 messages processed successfully");
        let data = answer.ok();
        let contacts: Vec<&Value> = data.as_array().unwrap().iter().map(|message| &message["contact"]).collect();
        assert_eq!(contacts, [CONTACT, "24273", CONTACT]);
        assert!(data.as_array().unwrap().iter().all(|message| message["request_id"] == "r"));
        world.pass(Duration::from_mins(1)).await;
        let last = format!("/v1/messages/{}", data[2]["id"].as_str().unwrap());
        assert_eq!(world.user().get(&last).await.ok()["status"], "scheduled");
    })
    .await;
}

#[tokio::test]
async fn of_many_each_is_checked() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let invalid = "validation errors while sending messages";
    world.user().post(BULK, json!({})).await.invalid(invalid, json!({
        "content": ["The content field is required", "The content field must be minimum 1 char"],
        "from": ["The from field is required", e164("from")],
        "to": ["The to field is required", "The to field must be minimum 1 in size"],
    }));
    let body = |to: Value, content: &str| json!({"from": OWNER, "to": to, "content": content});
    world
        .user()
        .post(BULK, body(json!([CONTACT, "x", null]), "hi"))
        .await
        .invalid(
            invalid,
            json!({"to": [
                format!("The to field in index [1] {FEW_DIGITS}"),
                format!("The to field in index [2] {FEW_DIGITS}"),
            ]}),
        );
    world
        .user()
        .post(BULK, body(json!(vec![CONTACT; 1001]), "hi"))
        .await
        .invalid(
            invalid,
            json!({"to": ["The to field must be maximum 1000 in size"]}),
        );
    world
        .user()
        .post(BULK, body(json!([CONTACT]), &"x".repeat(1025)))
        .await
        .invalid(
            invalid,
            json!({"content": ["The content field must be maximum 1024 char"]}),
        );
    let longest = with(
        body(json!(vec![CONTACT; 1000]), &"x".repeat(1024)),
        "request_id",
        json!("r".repeat(300)),
    );
    world
        .user()
        .post(BULK, longest)
        .await
        .says(200, "1000 out of 1000 messages processed successfully");
}

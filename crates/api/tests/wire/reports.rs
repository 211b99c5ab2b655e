//! Claiming a message, and reporting what became of it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{AT, CONTACT, Client, NOBODY, OWNER, SECOND, World, on_each_engine};

async fn send(world: &World) -> String {
    let body = json!({"from": OWNER, "to": CONTACT, "content": "hi"});
    let data = world.user().post("/v1/messages/send", body).await.ok();
    data["id"].as_str().unwrap().to_owned()
}

async fn claimed(world: &World, phone: &Client<'_>) -> String {
    let id = send(world).await;
    phone
        .get(&format!("/v1/messages/outstanding?message_id={id}"))
        .await
        .ok();
    id
}

fn events(id: &str) -> String {
    format!("/v1/messages/{id}/events")
}

fn report(event: &str) -> Value {
    json!({"event_name": event, "reason": null, "timestamp": AT})
}

#[tokio::test]
async fn one_phone_claims_a_message_once() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let other = world.phone(&[SECOND]).await;
        let bare = world.phone(&[]).await;
        let id = send(&world).await;
        let claim = format!("/v1/messages/outstanding?message_id={id}");
        let unknown = format!("Cannot find outstanding message with ID [{id}]");
        other.get(&claim).await.missing(&unknown);
        bare.get(&claim).await.missing(&unknown);
        let answer = phone
            .get(&claim)
            .await
            .says(200, "outstanding message fetched successfully");
        let data = answer.ok();
        assert_eq!(data["status"], "sending");
        assert_eq!(data.as_object().unwrap().len(), 29);
        phone.get(&claim).await.missing(&unknown);
        let nobody = format!("/v1/messages/outstanding?message_id={NOBODY}");
        phone.get(&nobody).await.missing(&format!(
            "Cannot find outstanding message with ID [{NOBODY}]"
        ));
        let invalid = "validation errors while fetching outstanding messages";
        phone
            .get("/v1/messages/outstanding?message_id=x")
            .await
            .invalid(
                invalid,
                json!({"message_id": ["The message_id field must contain valid UUID"]}),
            );
        phone.get("/v1/messages/outstanding").await.invalid(
            invalid,
            json!({"message_id": [
                "The message_id field is required",
                "The message_id field must contain valid UUID",
            ]}),
        );
    })
    .await;
}

#[tokio::test]
async fn reports_move_the_message_and_are_answered_with_it() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = claimed(&world, &phone).await;
        let sent = phone
            .post(&events(&id), report("SENT"))
            .await
            .says(200, "message event stored successfully")
            .ok();
        assert_eq!(sent["status"], "sent");
        assert_eq!(sent["sent_at"], "2026-01-02T03:04:05.678Z");
        assert!(sent["send_time"].is_i64());
        assert_eq!(
            phone.post(&events(&id), report("DELIVERED")).await.ok()["status"],
            "delivered"
        );
        // Too late, or twice: nothing changes, and it is no error.
        for event in ["SENT", "DELIVERED", "FAILED"] {
            assert_eq!(
                phone.post(&events(&id), report(event)).await.ok()["status"],
                "delivered"
            );
        }
        let part = format!("{id}.0");
        phone.post(&events(&part), report("FAILED")).await.empty();
        world
            .phone(&[SECOND])
            .await
            .post(&events(&id), report("SENT"))
            .await
            .not_bound(OWNER, SECOND);
        phone
            .post(&events(NOBODY), report("SENT"))
            .await
            .missing(&format!("cannot find message with ID [{NOBODY}]"));
    })
    .await;
}

#[tokio::test]
async fn a_failure_has_a_reason() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        for (reason, stored) in [
            (json!("NO_SERVICE"), "NO_SERVICE"),
            (Value::Null, "UNKNOWN ERROR"),
            (json!("a\u{0}b"), "a\u{fffd}b"),
        ] {
            let id = claimed(&world, &phone).await;
            let body = json!({"event_name": "FAILED", "reason": reason, "timestamp": AT});
            let failed = phone.post(&events(&id), body).await.ok();
            assert_eq!(
                (&failed["status"], &failed["failure_reason"]),
                (&json!("failed"), &json!(stored))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_report_that_is_no_json_is_understood() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let reason = "He said \"no\"\nand C:\\x left";
        let body = format!(
            "{{\"event_name\": \"FAILED\", \"reason\": \"{reason}\", \"timestamp\": \"{AT}\"}}"
        );
        let id = claimed(&world, &phone).await;
        let failed = phone
            .raw(Method::POST, &events(&id), body.clone())
            .await
            .ok();
        assert_eq!(failed["failure_reason"], reason);
        assert_eq!(failed["failed_at"], "2026-01-02T03:04:05.678Z");
        phone
            .raw(Method::POST, &events(&format!("{id}.1")), body)
            .await
            .empty();
        // Not a word of it is UTF-8, but for the names.
        let id = claimed(&world, &phone).await;
        let body = [
            b"{\"event_name\":\"FAILED\",\"reason\":\"",
            &[0xff, b'"'][..],
            b"\",\"timestamp\":\"x\"}",
        ]
        .concat();
        let failed = phone.raw(Method::POST, &events(&id), body).await.ok();
        assert_eq!(failed["failure_reason"], "\u{fffd}\"");
        phone
            .raw(Method::POST, &events(&id), "{\"timestamp\": ")
            .await
            .malformed("not JSON");
    })
    .await;
}

#[tokio::test]
async fn a_time_that_no_clock_shows_is_replaced() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        for timestamp in [
            Value::Null,
            json!("0001-01-01T00:00:00Z"),
            json!("9990-01-01T00:00:00Z"),
        ] {
            let id = claimed(&world, &phone).await;
            let body = json!({"event_name": "SENT", "timestamp": timestamp});
            let sent = phone.post(&events(&id), body).await.ok();
            assert!(
                sent["sent_at"]
                    .as_str()
                    .unwrap()
                    .starts_with("2026-03-02T09:00:0")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_report_is_told() {
    let world = World::open(None).await;
    let phone = world.phone(&[OWNER]).await;
    let invalid = "validation errors while storing event";
    let one_of = "The event_name field must be one of SENT, FAILED, DELIVERED";
    phone
        .post(&events(NOBODY), report("QUEUED"))
        .await
        .invalid(invalid, json!({"event_name": [one_of]}));
    phone.post(&events("x"), json!({})).await.invalid(
        invalid,
        json!({
            "event_name": ["The event_name field is required", one_of],
            "messageID": ["The messageID field must contain valid UUID"],
        }),
    );
    let body = json!({"event_name": "SENT", "timestamp": "yesterday"});
    phone
        .post(&events(NOBODY), body)
        .await
        .malformed("timestamp: ");
    phone
        .post(&events(NOBODY), json!({"event_name": 1}))
        .await
        .malformed("event_name: expected a string");
}

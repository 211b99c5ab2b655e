//! The conformance script for phones (contract: phone, §16), its steps in order, as far as they go
//! without a courier: wake-ups are put into the mailbox by hand.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{AT, CONTACT, Client, NOBODY, OWNER, SECOND, World, on_each_engine};

/// `Password123` and `This is a test text message`.
const CIPHER_TEXT: &str = "AAECAwQFBgcICQoLDA0ODxc55TlqA2YWGXtjwGbX8jX4p+aYD4NonCnpkw==";

async fn send(world: &World, body: Value) -> String {
    let data = world.user().post("/v1/messages/send", body).await.ok();
    assert_eq!(data["status"], "pending");
    data["id"].as_str().unwrap().to_owned()
}

fn sms(from: &str) -> Value {
    json!({"from": from, "to": CONTACT, "content": "hi", "request_id": "r1"})
}

async fn claim(phone: &Client<'_>, id: &str) -> Value {
    phone
        .get(&format!("/v1/messages/outstanding?message_id={id}"))
        .await
        .ok()
}

async fn report(
    phone: &Client<'_>,
    id: &str,
    event: &str,
    reason: Value,
) -> crate::support::Answer {
    let body = json!({"event_name": event, "reason": reason, "timestamp": AT});
    phone.post(&format!("/v1/messages/{id}/events"), body).await
}

async fn shown(world: &World, id: &str) -> Value {
    world.user().get(&format!("/v1/messages/{id}")).await.ok()
}

#[tokio::test]
async fn set_up_and_happy_path() {
    on_each_engine(async |world: World| {
        let key = world
            .user()
            .post("/v1/phone-api-keys", json!({"name": "sim"}))
            .await
            .ok();
        assert_eq!(key["phone_numbers"], json!([]));
        let phone = world.client(key["api_key"].as_str().unwrap());
        let sign_in = async |token: &str, number: &str, sim: &str| {
            let body = json!({"fcm_token": token, "phone_number": number, "sim": sim});
            phone.put("/v1/phones/fcm-token", body).await.ok()
        };
        let first = sign_in("sim-A", OWNER, "SIM1").await;
        assert!(first["id"].is_string() && first["user_id"].is_string());
        sign_in("sim-B", SECOND, "SIM2").await;
        assert_eq!(sign_in("sim-A2", OWNER, "SIM1").await["id"], first["id"]);
        let keys = world.user().get("/v1/phone-api-keys").await.ok();
        assert_eq!(keys[0]["phone_numbers"], json!([OWNER, SECOND]));
        let beat = phone
            .post(
                "/v1/heartbeats",
                json!({"charging": false, "phone_numbers": [OWNER, SECOND]}),
            )
            .await;
        assert_eq!(
            (beat.status, &beat.ok()[1]["version"]),
            (201, &json!("sim-1"))
        );
        let listed = world
            .user()
            .get("/v1/heartbeats?owner=%2B18005550199&limit=1")
            .await
            .ok();
        assert_eq!(listed[0], beat.ok()[0]);

        let id = send(&world, sms(OWNER)).await;
        world.wake().await;
        let wake_ups = phone.get("/v1/phones/notifications").await.ok();
        assert_eq!(wake_ups[0]["data"], json!({"KEY_MESSAGE_ID": id}));
        assert_eq!(shown(&world, &id).await["status"], "scheduled");
        let claimed = claim(&phone, &id).await;
        assert_eq!(claimed["status"], "sending");
        for key in [
            "id",
            "owner",
            "contact",
            "content",
            "sim",
            "status",
            "type",
            "encrypted",
            "created_at",
            "updated_at",
            "order_timestamp",
            "request_received_at",
        ] {
            assert!(!claimed[key].is_null(), "{key}");
        }
        for key in [
            "failure_reason",
            "last_attempted_at",
            "received_at",
            "sent_at",
            "send_time",
            "attachments",
        ] {
            assert!(claimed.get(key).is_some(), "{key}");
        }
        let again = phone
            .get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await;
        assert_eq!(again.status, 404);
        report(&phone, &id, "SENT", Value::Null).await.ok();
        report(&phone, &id, "DELIVERED", Value::Null).await.ok();
        let delivered = shown(&world, &id).await;
        assert_eq!(delivered["status"], "delivered");
        assert!(delivered["sent_at"].is_string() && delivered["delivered_at"].is_string());
        assert!(delivered["send_time"].is_number());
        assert_eq!(
            report(&phone, &id, "SENT", Value::Null).await.ok()["status"],
            "delivered"
        );
        report(&phone, &format!("{id}.0"), "SENT", Value::Null)
            .await
            .empty();
        assert_eq!(shown(&world, &id).await, delivered);
    })
    .await;
}

#[tokio::test]
async fn failures_and_refusals() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = send(&world, sms(OWNER)).await;
        claim(&phone, &id).await;
        report(&phone, &id, "FAILED", json!("NO_SERVICE"))
            .await
            .ok();
        assert_eq!(shown(&world, &id).await["failure_reason"], "NO_SERVICE");
        let id = send(&world, sms(OWNER)).await;
        claim(&phone, &id).await;
        report(&phone, &id, "FAILED", Value::Null).await.ok();
        assert_eq!(shown(&world, &id).await["failure_reason"], "UNKNOWN ERROR");
        assert_eq!(
            report(&phone, NOBODY, "SENT", Value::Null).await.status,
            404
        );
        let queued = report(&phone, &id, "QUEUED", Value::Null).await;
        assert!(queued.status == 422 && queued.json()["data"]["event_name"].is_array());
        assert_eq!(
            phone
                .get("/v1/messages/outstanding?message_id=not-a-uuid")
                .await
                .status,
            422
        );
        world
            .client("pk_wrong")
            .post("/v1/heartbeats", json!({}))
            .await
            .unauthorized();
        phone
            .post("/v1/heartbeats", json!({"phone_numbers": [SECOND]}))
            .await
            .not_bound(SECOND, OWNER);
        phone.get("/v1/messages").await.unauthorized();
        phone.get("/v1/users/me").await.unauthorized();
        world.phone(&[SECOND]).await;
        let foreign = send(&world, sms(SECOND)).await;
        assert_eq!(
            phone
                .get(&format!("/v1/messages/outstanding?message_id={foreign}"))
                .await
                .status,
            404
        );
        let three = json!({"phone_numbers": [OWNER, OWNER, OWNER]});
        assert_eq!(phone.post("/v1/heartbeats", three).await.status, 422);
        // Step 41: deleted after the claim.
        let id = send(&world, sms(OWNER)).await;
        claim(&phone, &id).await;
        world
            .user()
            .delete(&format!("/v1/messages/{id}"))
            .await
            .empty();
        assert_eq!(report(&phone, &id, "SENT", Value::Null).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn expiry_and_retry() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let settings = json!({"phone_number": OWNER, "message_expiration_seconds": 60, "max_send_attempts": 2});
        world.user().put("/v1/phones", settings).await.ok();
        let id = send(&world, sms(OWNER)).await;
        for attempts in 1..=2 {
            world.wake().await;
            let message = shown(&world, &id).await;
            assert_eq!((&message["status"], &message["send_attempt_count"]), (&json!("scheduled"), &json!(attempts)));
            world.pass(Duration::from_secs(61)).await;
            assert!(shown(&world, &id).await["expired_at"].is_string());
        }
        assert_eq!(shown(&world, &id).await["status"], "expired");
        claim(&phone, &id).await;
        assert_eq!(report(&phone, &id, "SENT", Value::Null).await.ok()["status"], "sent");
    })
    .await;
}

#[tokio::test]
async fn sim_encryption_and_files() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER, SECOND]).await;
        let id = send(&world, sms(SECOND)).await;
        assert_eq!(claim(&phone, &id).await["sim"], "SIM2");
        let secret =
            json!({"from": OWNER, "to": CONTACT, "content": CIPHER_TEXT, "encrypted": true});
        let id = send(&world, secret).await;
        let claimed = claim(&phone, &id).await;
        assert_eq!(
            (&claimed["content"], &claimed["encrypted"]),
            (&json!(CIPHER_TEXT), &json!(true))
        );
        let url = "https://files.example.org/a.jpg?x=1&y=2";
        let mms = json!({"from": OWNER, "to": CONTACT, "content": "look", "attachments": [url]});
        let id = send(&world, mms).await;
        assert_eq!(claim(&phone, &id).await["attachments"], json!([url]));
    })
    .await;
}

#[tokio::test]
async fn incoming() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let sms = |name: &str, value: Value| {
            let mut body = json!({
                "sim": "SIM1", "from": CONTACT, "to": OWNER, "content": "yo", "encrypted": false,
                "timestamp": AT, "attachments": null,
            });
            body[name] = value;
            body
        };
        let receive = "/v1/messages/receive";
        let data = phone.post(receive, sms("sim", json!("SIM1"))).await.ok();
        assert_eq!(
            (&data["type"], &data["status"]),
            (&json!("mobile-originated"), &json!("received"))
        );
        for name in ["TIKTOK", "24273"] {
            assert_eq!(
                phone.post(receive, sms("from", json!(name))).await.ok()["contact"],
                name
            );
        }
        let mut secret = sms("content", json!(CIPHER_TEXT));
        secret["encrypted"] = json!(true);
        let data = phone.post(receive, secret).await.ok();
        assert_eq!(
            (&data["content"], &data["encrypted"]),
            (&json!(CIPHER_TEXT), &json!(true))
        );
        assert_eq!(
            phone.post(receive, sms("content", json!(""))).await.status,
            422
        );
        phone
            .post(receive, sms("to", json!(SECOND)))
            .await
            .not_bound(SECOND, OWNER);
        let call = json!({"sim": "SIM1", "from": CONTACT, "timestamp": AT, "to": OWNER});
        let data = phone
            .post("/v1/messages/calls/missed", call.clone())
            .await
            .ok();
        assert_eq!(data["type"], "call/missed");

        let reply = json!({"phone_number": OWNER, "missed_call_auto_reply": "busy"});
        world.user().put("/v1/phones", reply).await.ok();
        let id = phone.post("/v1/messages/calls/missed", call).await.ok()["id"].clone();
        world.wake().await;
        let wake_ups = phone.get("/v1/phones/notifications").await.ok();
        let claimed = claim(
            &phone,
            wake_ups[0]["data"]["KEY_MESSAGE_ID"].as_str().unwrap(),
        )
        .await;
        assert_eq!(claimed["content"], "busy");
        assert_eq!(
            claimed["request_id"],
            format!("missed-call-{}", id.as_str().unwrap())
        );
    })
    .await;
}

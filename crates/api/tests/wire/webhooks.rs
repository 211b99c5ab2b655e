//! Webhooks: made, replaced, listed, deleted.

use serde_json::{Value, json};

use crate::support::{NOBODY, OWNER, SECOND, World, on_each_engine};

const ALL: [&str; 8] = [
    "message.phone.received",
    "message.phone.sent",
    "message.phone.delivered",
    "message.send.failed",
    "message.send.expired",
    "message.call.missed",
    "phone.heartbeat.online",
    "phone.heartbeat.offline",
];

fn webhook() -> Value {
    json!({"url": "https://hooks.example.org/sms", "events": ["message.phone.received"], "phone_numbers": [OWNER]})
}

fn with(name: &str, value: Value) -> Value {
    let mut body = webhook();
    body[name] = value;
    body
}

#[tokio::test]
async fn a_webhook_is_made_replaced_and_deleted() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER, SECOND]).await;
        let mut body = with("events", json!([ALL[0], ALL[1], ALL[0]]));
        body["signing_key"] = json!(" s3cr3t ");
        let made = world.user().post("/v1/webhooks", body).await;
        assert_eq!(made.status, 201);
        let made = made.says(201, "webhook created successfully").ok();
        let expected = json!({
            "id": made["id"], "user_id": "ann-ID", "url": "https://hooks.example.org/sms",
            "signing_key": "s3cr3t", "phone_numbers": [OWNER], "events": [ALL[0], ALL[1]],
            "created_at": made["created_at"], "updated_at": made["updated_at"],
            "retry_schedule": "documented", "ordering": "none", "mode": "structured",
            "max_concurrency": null, "max_per_second": null, "sign_body": false,
            "catch_up": false, "all_phone_numbers": false,
            "filter": {"contacts": [], "content": null, "sims": [], "directions": []},
            "headers": [], "next_signing_key": null, "signing_keys": made["signing_keys"],
            "paused_at": null, "pause_reason": null, "failing_since": null,
        });
        assert_eq!(made, expected);

        let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
        let body = json!({"url": "localhost:8080/hook?x=%20", "events": ALL, "phone_numbers": [SECOND, OWNER]});
        let replaced = world.user().put(&path, body).await.says(200, "webhook updated successfully").ok();
        assert_eq!(replaced["url"], "https://localhost:8080/hook?x=%20");
        assert_eq!(replaced["signing_key"], "s3cr3t", "absent: kept");
        assert_eq!(replaced["events"], json!(ALL));
        assert_eq!(replaced["phone_numbers"], json!([SECOND, OWNER]));
        let emptied = world.user().put(&path, with("signing_key", json!(""))).await.ok();
        assert_eq!(emptied["signing_key"], "");

        let deleted = world.user().delete(&path).await.says(200, "webhook deleted successfully");
        assert_eq!(deleted.json()["data"], Value::Null);
        assert!(deleted.text().contains("\"data\":null"));
        let unknown = format!("cannot find webhook with ID [{}]", made["id"].as_str().unwrap());
        world.user().delete(&path).await.missing(&unknown);
        world.user().put(&path, webhook()).await.missing(&unknown);
    })
    .await;
}

#[tokio::test]
async fn a_signing_key_is_made_unless_one_is_given() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let made = world.user().post("/v1/webhooks", webhook()).await.ok();
    assert_eq!(made["signing_key"].as_str().unwrap().len(), 64);
    let null = world
        .user()
        .post("/v1/webhooks", with("signing_key", Value::Null))
        .await
        .ok();
    assert_eq!(null["signing_key"].as_str().unwrap().len(), 64);
    let empty = world
        .user()
        .post("/v1/webhooks", with("signing_key", json!("")))
        .await
        .ok();
    assert_eq!(empty["signing_key"], "");
}

#[tokio::test]
async fn webhooks_have_no_fixed_number_and_lists_show_one_unless_asked() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        for index in 0..12 {
            let url = format!("https://hooks.example.org/{index}");
            world
                .user()
                .post("/v1/webhooks", with("url", json!(url)))
                .await
                .ok();
        }
        let one = world
            .user()
            .get("/v1/webhooks")
            .await
            .says(200, "fetched 1 webhook")
            .ok();
        assert_eq!(one[0]["url"], "https://hooks.example.org/11");
        world
            .user()
            .get("/v1/webhooks?limit=100")
            .await
            .says(200, "fetched 12 webhooks");
        world
            .user()
            .get("/v1/webhooks?limit=100&query=/1")
            .await
            .says(200, "fetched 3 webhooks");
        world.user().get("/v1/webhooks?skip=a").await.invalid(
            "validation errors while fetching webhooks",
            json!({"skip": ["The skip field must be numeric"]}),
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_told() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let invalid = "validation errors while storing webhook";
        let nothing = json!({
            "events": ["The events field is required", "The events field is an empty array"],
            "phone_numbers": ["The phone_numbers field is required"],
            "url": ["The url field is required", "The url field format is invalid"],
        });
        world.user().post("/v1/webhooks", json!({})).await.invalid(invalid, nothing.clone());
        let mut on_put = nothing;
        on_put["webhookID"] = json!(["The webhookID field must contain valid UUID"]);
        world.user().put("/v1/webhooks/x", json!({})).await.invalid("validation errors while updating webhook", on_put);
        world.user().delete("/v1/webhooks/x").await.invalid(
            "validation errors while deleting webhook",
            json!({"webhookID": ["The webhookID field must contain valid UUID"]}),
        );
        for (name, value, message) in [
            ("url", json!("ftp://example.org"), "The url field format is invalid"),
            ("url", json!(format!("https://h.example/{}", "x".repeat(2048))), "The url field must be maximum 2048 char"),
            ("signing_key", json!("x".repeat(256)), "The signing_key field must be maximum 255 char"),
            ("events", json!(["message.api.sent"]), "The events field has an invalid event with name [message.api.sent]"),
            (
                "phone_numbers",
                json!([OWNER, "+1 800"]),
                "The phone_numbers field in index [1] must contain only digits and must be less than 14 characters",
            ),
        ] {
            let answer = world.user().post("/v1/webhooks", with(name, value)).await;
            answer.invalid(invalid, json!({name: [message]}));
        }
        // Under `from`, and only the exact number of a phone counts.
        for number in [SECOND, "18005550199"] {
            let message = format!("The phone number [{number}] is not available in your account. Install the android app on your phone to store a webhook with this phone number");
            let answer = world.user().post("/v1/webhooks", with("phone_numbers", json!([number]))).await;
            answer.invalid(invalid, json!({"from": [message]}));
        }
        world.user().put(&format!("/v1/webhooks/{NOBODY}"), webhook()).await
            .missing(&format!("cannot find webhook with ID [{NOBODY}]"));
        world.user().get("/v1/webhooks?limit=9").await.says(200, "fetched 0 webhooks");
    })
    .await;
}

//! How webhooks want to be told: policies and extra headers, as they are asked for and shown.

use serde_json::{Value, json};

use crate::support::{OWNER, World, on_each_engine};

fn webhook(members: &Value) -> Value {
    let mut body = json!({"url": "https://hooks.example.org/sms", "events": ["message.phone.received"], "phone_numbers": [OWNER]});
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn path(webhook: &Value) -> String {
    format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_policy_is_kept_shown_and_replaced_as_a_whole() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let policy = json!({
            "retry_schedule": [1, 60, 3600], "ordering": "contact", "mode": "binary",
            "max_concurrency": 4, "max_per_second": 100, "sign_body": true, "catch_up": true,
            "all_phone_numbers": false,
            "filter": {"contacts": ["+18005550100"], "content": "code \\d+", "sims": ["SIM2"], "directions": ["in"]},
        });
        let made = world.user().post("/v1/webhooks", webhook(&policy)).await;
        let made = made.says(201, "webhook created successfully").ok();
        for (name, value) in policy.as_object().unwrap() {
            assert_eq!(&made[name], value, "{name}");
        }
        let shown = world.user().get(&path(&made)).await;
        assert_eq!(shown.says(200, "webhook fetched successfully").ok(), made);

        let plain = world.user().put(&path(&made), webhook(&json!({"mode": null}))).await.ok();
        let defaults = json!({
            "retry_schedule": "documented", "ordering": "none", "mode": "structured",
            "max_concurrency": null, "max_per_second": null, "sign_body": false,
            "catch_up": false, "all_phone_numbers": false,
            "filter": {"contacts": [], "content": null, "sims": [], "directions": []},
        });
        for (name, value) in defaults.as_object().unwrap() {
            assert_eq!(&plain[name], value, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_all_phones_none_needs_to_be_named() {
    on_each_engine(async |world: World| {
        for numbers in [Value::Null, json!([])] {
            let body = webhook(&json!({"all_phone_numbers": true, "phone_numbers": numbers}));
            let made = world.user().post("/v1/webhooks", body).await.ok();
            assert_eq!(made["phone_numbers"], json!([]));
            assert_eq!(made["all_phone_numbers"], true);
        }
        let body = webhook(&json!({"all_phone_numbers": false, "phone_numbers": []}));
        world.user().post("/v1/webhooks", body).await.invalid(
            "validation errors while storing webhook",
            json!({"phone_numbers": ["The phone_numbers field is required"]}),
        );
    })
    .await;
}

#[tokio::test]
async fn headers_are_kept_until_they_are_replaced_and_their_values_never_shown() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let headers = json!({"headers": {"X-Tenant": "sesame", "Authorization": "Bearer sesame"}});
        let made = world.user().post("/v1/webhooks", webhook(&headers)).await;
        assert!(!made.text().contains("sesame"));
        let made = made.ok();
        assert_eq!(made["headers"], json!(["Authorization", "X-Tenant"]));
        let id = made["id"].as_str().unwrap().parse().unwrap();
        let sent = world.gateway.endpoint(id).await.unwrap().unwrap().headers;
        assert_eq!(sent[0].1, "Bearer sesame");

        let kept = world
            .user()
            .put(&path(&made), webhook(&json!({})))
            .await
            .ok();
        assert_eq!(kept["headers"], made["headers"]);
        let null = webhook(&json!({"headers": null}));
        let kept = world.user().put(&path(&made), null).await.ok();
        assert_eq!(kept["headers"], made["headers"]);
        let none = webhook(&json!({"headers": {}}));
        let none = world.user().put(&path(&made), none).await.ok();
        assert_eq!(none["headers"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let body = webhook(&json!({
        "url": "ftp://example.org", "mode": "xml", "max_concurrency": 1025, "sign_body": 1,
        "retry_schedule": [0], "filter": {"content": "("}, "headers": {"Host": "x"},
    }));
    let expected = json!({
        "url": ["The url field format is invalid"],
        "mode": ["The mode field must be one of structured, binary, 3cx"],
        "max_concurrency": ["The max_concurrency field must be between 1 and 1024"],
        "sign_body": ["The sign_body field must be true or false"],
        "retry_schedule": ["The retry_schedule field must have delays between 1 and 86400 seconds"],
        "filter.content": ["The filter.content field must be a regular expression"],
        "headers": ["The headers field has the name [Host], which is reserved"],
    });
    let stored = world.user().post("/v1/webhooks", body.clone()).await;
    stored.invalid("validation errors while storing webhook", expected.clone());
    let made = world
        .user()
        .post("/v1/webhooks", webhook(&json!({})))
        .await
        .ok();
    let updated = world.user().put(&path(&made), body).await;
    updated.invalid("validation errors while updating webhook", expected);
}

//! The delivery log of a webhook, and what its owner can do to it.

use serde_json::{Value, json};

use crate::support::{CONTACT, NOBODY, OWNER, World, add_user, on_each_engine};

const INVALID: &str = "validation errors while fetching deliveries";

/// A webhook; its path.
pub async fn webhook(world: &World) -> String {
    let body = json!({"url": "https://hooks.example.org/sms", "events": ["message.phone.received"], "phone_numbers": [OWNER]});
    let made = world.user().post("/v1/webhooks", body).await.ok();
    format!("/v1/webhooks/{}", made["id"].as_str().unwrap())
}

pub async fn receive(world: &World, content: &str) {
    let body = json!({"from": CONTACT, "to": OWNER, "content": content});
    world.user().post("/v1/messages/receive", body).await.ok();
}

fn ids(list: &Value) -> Vec<i64> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn deliveries_are_listed_shown_and_replayed() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let webhook = webhook(&world).await;
        let list = format!("{webhook}/deliveries");
        receive(&world, "fails").await;
        world.attempt(false).await;
        receive(&world, "arrives").await;
        world.attempt(true).await;
        receive(&world, "waits").await;

        let attempted = world.user().get(&list).await;
        let attempted = attempted.says(200, "fetched 2 deliveries").ok();
        let failed = world.user().get(&format!("{list}?state=failed")).await;
        let failed = failed.says(200, "fetched 1 delivery").ok();
        assert_eq!(failed[0], attempted[1], "newest first");
        let waiting = world
            .user()
            .get(&format!("{list}?State=waiting"))
            .await
            .ok();
        assert_eq!(waiting[0]["attempts"], 0);

        let older = format!("{list}?limit=1&before={}", ids(&attempted)[0]);
        assert_eq!(
            ids(&world.user().get(&older).await.ok()),
            [ids(&attempted)[1]]
        );
        for (query, count) in [
            ("event_type=message.phone.received", 2),
            ("event_type=phone.heartbeat.online", 0),
            (
                "since=2026-03-02T09:00:00Z&until=2026-03-02T10:00:00%2B00:00",
                2,
            ),
            ("since=2026-03-02T11:00:00+01:00", 0),
            ("until=2026-03-02T09:00:00Z", 0),
            ("limit=&before=&state=&since=", 2),
        ] {
            let found = world.user().get(&format!("{list}?{query}")).await.ok();
            assert_eq!(found.as_array().unwrap().len(), count, "{query}");
        }

        let one = format!("{list}/{}", ids(&failed)[0]);
        let shown = world.user().get(&one).await;
        let shown = shown.says(200, "delivery fetched successfully").ok();
        assert_eq!(shown["event"]["data"]["content"], "fails");
        assert_eq!(shown["log"][0]["response_headers"]["server"], "x");
        let again = world.user().post(&format!("{one}/replay"), json!({})).await;
        let again = again.says(202, "delivery added to queue").ok();
        let made = world
            .user()
            .get(&format!("{list}/{}", again["delivery_id"]))
            .await
            .ok();
        assert_eq!(
            (&made["cause"], &made["state"]),
            (&json!("replay"), &json!("waiting"))
        );
        assert_eq!(made["event"], shown["event"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_told() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let webhook = webhook(&world).await;
    let query = "state=gone&event_type=message.api.sent&since=noon&until=1&before=x&limit=101";
    let types = "message.phone.received, message.phone.sent, message.phone.delivered, message.send.failed, message.send.expired, message.call.missed, phone.heartbeat.offline, phone.heartbeat.online";
    world
        .user()
        .get(&format!("{webhook}/deliveries?{query}"))
        .await
        .invalid(
            INVALID,
            json!({
                "state": ["The state field must be one of waiting, retrying, delivered, failed"],
                "event_type": [format!("The event_type field must be one of {types}")],
                "since": ["The since field must be a time such as 2026-01-02T03:04:05Z"],
                "until": ["The until field must be a time such as 2026-01-02T03:04:05Z"],
                "before": ["The before field must be numeric"],
                "limit": ["The limit field must be between 1 and 100"],
            }),
        );
    for limit in ["0", "-1", "ten"] {
        let answer = world
            .user()
            .get(&format!("{webhook}/deliveries?limit={limit}"))
            .await;
        answer.invalid(
            INVALID,
            json!({"limit": ["The limit field must be between 1 and 100"]}),
        );
    }
    world
        .user()
        .get("/v1/webhooks/x/deliveries/y")
        .await
        .invalid(
            "validation errors while fetching delivery",
            json!({
                "webhookID": ["The webhookID field must contain valid UUID"],
                "deliveryID": ["The deliveryID field must be numeric"],
            }),
        );
}

#[tokio::test]
async fn what_is_unknown_or_somebody_elses_is_not_found() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        add_user(&world.gateway, "bob", "bobs-key").await;
        let webhook = webhook(&world).await;
        let nowhere = format!("/v1/webhooks/{NOBODY}");
        let since = json!({"since": "2026-01-01T00:00:00Z", "event_type": "message.phone.sent"});
        for (key, path) in [("bobs-key", &webhook), (crate::support::USER_KEY, &nowhere)] {
            let id = path.rsplit('/').next().unwrap();
            let unknown = format!("cannot find webhook with ID [{id}]");
            let client = world.client(key);
            for sub in ["", "/deliveries", "/deliveries/1", "/health"] {
                client.get(&format!("{path}{sub}")).await.missing(&unknown);
            }
            for sub in [
                "/deliveries/1/replay",
                "/replays",
                "/test",
                "/pause",
                "/resume",
                "/rotate-key",
            ] {
                client
                    .post(&format!("{path}{sub}"), since.clone())
                    .await
                    .missing(&unknown);
            }
            let replay = format!("{path}/replays/{NOBODY}");
            let unknown = format!("cannot find replay with ID [{NOBODY}]");
            client.get(&replay).await.missing(&unknown);
            client.delete(&replay).await.missing(&unknown);
        }
        let one = format!("{webhook}/deliveries/999");
        world
            .user()
            .get(&one)
            .await
            .missing("cannot find delivery with ID [999]");
        world
            .user()
            .post(&format!("{one}/replay"), json!({}))
            .await
            .missing("cannot find an attempted delivery with ID [999]");
    })
    .await;
}

#[tokio::test]
async fn a_webhook_is_tried_paused_and_resumed() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let webhook = webhook(&world).await;
        let body = json!({"event_type": "message.send.expired"});
        let made = world.user().post(&format!("{webhook}/test"), body).await;
        let made = made.says(202, "test event added to queue").ok();
        let path = format!("{webhook}/deliveries/{}", made["delivery_id"]);
        assert_eq!(world.user().get(&path).await.ok()["cause"], "test");
        for (body, messages) in [
            (json!({}), 2),
            (json!({"event_type": "message.api.sent"}), 1),
            (json!({"event_type": 5}), 1),
        ] {
            let told = world.user().post(&format!("{webhook}/test"), body).await;
            assert_eq!(told.status, 422);
            let told = &told.json()["data"]["event_type"];
            assert_eq!(told.as_array().unwrap().len(), messages, "{told}");
        }

        let paused = world
            .user()
            .post(&format!("{webhook}/pause"), json!({}))
            .await;
        let paused = paused.says(200, "webhook paused successfully").ok();
        assert_eq!(paused["pause_reason"], "asked");
        let resumed = world
            .user()
            .post(&format!("{webhook}/resume"), json!({}))
            .await;
        let resumed = resumed.says(200, "webhook resumed successfully").ok();
        assert_eq!(resumed["paused_at"], Value::Null);

        receive(&world, "hi").await;
        world.attempt(true).await;
        let health = world.user().get(&format!("{webhook}/health")).await;
        let health = health.says(200, "webhook health fetched successfully").ok();
        assert_eq!(
            (&health["attempts"], &health["success_rate"]),
            (&json!(1), &json!(1.0))
        );
        assert_eq!(health["backlog"], 1, "the test");
    })
    .await;
}

#[tokio::test]
async fn a_signing_key_is_rotated() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let webhook = webhook(&world).await;
        let path = format!("{webhook}/rotate-key");
        let old = world.user().get(&webhook).await.ok()["signing_key"].clone();
        let rotated = world.user().send(axum::http::Method::POST, &path, None, "").await;
        let rotated = rotated.says(200, "signing key rotated successfully").ok();
        assert_eq!(rotated["signing_key"], old, "not yet");
        assert_eq!(rotated["next_signing_key"].as_str().unwrap().len(), 64);
        assert_eq!(rotated["signing_keys"].as_array().unwrap().len(), 2);

        let body = json!({"signing_key": "sesame", "activate_in_seconds": 0, "overlap_seconds": 0});
        let rotated = world.user().post(&path, body).await.ok();
        assert_eq!(rotated["signing_key"], "sesame");

        let body = json!({"signing_key": "x".repeat(256), "activate_in_seconds": 604_801, "overlap_seconds": -1});
        world.user().post(&path, body).await.invalid(
            "validation errors while rotating signing key",
            json!({
                "signing_key": ["The signing_key field must be maximum 255 char"],
                "activate_in_seconds": ["The activate_in_seconds field must be a whole number between 0 and 604800"],
                "overlap_seconds": ["The overlap_seconds field must be a whole number between 0 and 2592000"],
            }),
        );
    })
    .await;
}

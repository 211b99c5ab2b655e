//! Ours beside the reference: timelines, several messages at once, one phone, days, status.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{CONTACT, NOBODY, OWNER, World, on_each_engine};

async fn send(world: &World, content: &str) -> String {
    let body = json!({"from": OWNER, "to": CONTACT, "content": content});
    let data = world.user().post("/v1/messages/send", body).await.ok();
    data["id"].as_str().unwrap().to_owned()
}

async fn phone_id(world: &World) -> String {
    let phones = world.user().get("/v1/phones").await.ok();
    phones[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_timeline_is_shown() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = send(&world, "hi").await;
        let path = format!("/v1/messages/{id}/timeline");
        let answer = world.user().get(&path).await;
        let data = answer.says(200, "timeline fetched successfully").ok();
        let steps: Vec<&Value> = data["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["step"])
            .collect();
        assert_eq!(steps, ["accepted", "scheduled"]);
        assert_eq!(data["waiting"], "The phone is being woken.");
        assert_eq!(
            data["waiting_for"],
            json!({"code": "wake_up", "until": null, "heartbeat_at": null, "per_minute": null})
        );
        assert!(data["steps"][1]["scheduled_at"].is_string(), "{data}");
        phone
            .get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await
            .ok();
        let data = world.user().get(&path).await.ok();
        assert_eq!(data["waiting"], "The phone has it; its report is awaited.");
        assert!(data["waiting_until"].is_string());
        let unknown = format!("/v1/messages/{NOBODY}/timeline");
        let missing = format!("cannot find message with ID [{NOBODY}]");
        world.user().get(&unknown).await.missing(&missing);
        world.user().get("/v1/messages/x/timeline").await.invalid(
            "validation errors while fetching timeline",
            json!({"messageID": ["The messageID field must contain valid UUID"]}),
        );
    })
    .await;
}

#[tokio::test]
async fn several_messages_are_deleted_and_sent_again() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let ids = [send(&world, "one").await, send(&world, "two").await];
        let user = world.user();
        let again = user
            .post("/v1/messages/bulk-resend", json!({"ids": ids}))
            .await;
        let again = again
            .says(200, "2 out of 2 messages processed successfully")
            .ok();
        assert_eq!(
            (&again[0]["content"], &again[1]["content"]),
            (&json!("one"), &json!("two"))
        );
        let body = json!({"ids": [ids[0], NOBODY, ids[0]]});
        let deleted = user.post("/v1/messages/bulk-delete", body).await;
        assert_eq!(
            deleted.says(200, "deleted 1 message").ok(),
            json!({"deleted": 1})
        );
        let gone = format!("cannot find message with ID [{}]", ids[0]);
        user.post("/v1/messages/bulk-resend", json!({"ids": ids}))
            .await
            .missing(&gone);
        for (path, invalid) in [
            (
                "/v1/messages/bulk-delete",
                "validation errors while deleting messages",
            ),
            (
                "/v1/messages/bulk-resend",
                "validation errors while resending messages",
            ),
        ] {
            let required = json!({"ids": ["The ids field is required"]});
            user.post(path, json!({})).await.invalid(invalid, required);
            let wrong = json!({"ids": ["The ids field in index [1] must contain valid UUID"]});
            user.post(path, json!({"ids": [NOBODY, "x"]}))
                .await
                .invalid(invalid, wrong);
            let many = json!({"ids": ["The ids field must be maximum 1000 in size"]});
            user.post(path, json!({"ids": vec![NOBODY; 1001]}))
                .await
                .invalid(invalid, many);
            user.post(path, json!({"ids": 1})).await.malformed("ids");
        }
    })
    .await;
}

#[tokio::test]
async fn a_phone_has_a_name_and_limits() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let body = json!({
            "phone_number": OWNER, "name": " Front desk ", "limit_per_minute": 5,
            "limit_per_hour": 50, "limit_per_day": 200,
        });
        let phone = user.put("/v1/phones", body).await.ok();
        let limits = [
            "name",
            "limit_per_minute",
            "limit_per_hour",
            "limit_per_day",
        ];
        let of = |phone: &Value| limits.map(|name| phone[name].clone());
        assert_eq!(
            of(&phone),
            [json!("Front desk"), json!(5), json!(50), json!(200)]
        );
        let body = json!({"phone_number": OWNER, "limit_per_minute": 0, "limit_per_hour": null});
        let phone = user.put("/v1/phones", body).await.ok();
        assert_eq!(
            of(&phone),
            [json!("Front desk"), Value::Null, Value::Null, json!(200)]
        );
        let shown = format!("/v1/phones/{}", phone_id(&world).await);
        let shown = user
            .get(&shown)
            .await
            .says(200, "phone fetched successfully");
        assert_eq!(shown.ok(), phone);
        let body = json!({
            "phone_number": OWNER, "name": "x".repeat(61), "limit_per_day": 1_000_001,
        });
        user.put("/v1/phones", body).await.invalid(
            "validation errors while updating phones",
            json!({
                "name": ["The name field must be maximum 60 char"],
                "limit_per_day": ["The limit_per_day field value can not be greater than 1000000"],
            }),
        );
        let missing = format!("cannot find phone with ID [{NOBODY}]");
        user.get(&format!("/v1/phones/{NOBODY}"))
            .await
            .missing(&missing);
    })
    .await;
}

#[tokio::test]
async fn a_phones_queue_and_health_are_shown() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let user = world.user();
        let path = format!("/v1/phones/{}", phone_id(&world).await);
        let id = send(&world, "hi").await;
        send(&world, "after").await;
        let queue = user.get(&format!("{path}/queue")).await;
        let queue = queue.says(200, "fetched 2 messages").ok();
        assert_eq!(
            (&queue[0]["message_id"], &queue[1]["content"]),
            (&json!(id), &json!("after"))
        );
        assert_eq!(
            queue[1]["reason"],
            "It waits for its slot, by the rate and the limits of its phone."
        );
        let one = user.get(&format!("{path}/queue?limit=1&skip=1")).await;
        assert_eq!(one.says(200, "fetched 1 message").ok()[0], queue[1]);

        phone
            .post(
                "/v1/heartbeats",
                json!({"phone_numbers": [OWNER], "charging": true}),
            )
            .await
            .ok();
        let health = user.get(&format!("{path}/health?days=2")).await;
        let health = health.says(200, "phone health fetched successfully").ok();
        assert_eq!(
            (&health["online"], &health["charging"], &health["version"]),
            (&json!(true), &json!(true), &json!("sim-1"))
        );
        assert_eq!(
            health["buckets"],
            json!([{"from": "2026-03-02T09:00:00Z", "beats": 1}])
        );
        let ok = user.get("/v1/status").await;
        let ok = ok.says(200, "status fetched successfully").ok();
        assert_eq!(ok, json!({"state": "ok", "reasons": []}));
        world.pass(Duration::from_hours(2)).await;
        let health = user.get(&format!("{path}/health")).await.ok();
        assert_eq!(
            (&health["online"], &health["gaps"][0]["to"]),
            (&json!(false), &json!(null))
        );
        let status = user.get("/v1/status").await.ok();
        assert_eq!(status["state"], "attention");
        assert_eq!(
            (&status["reasons"][0]["kind"], &status["reasons"][0]["link"]),
            (&json!("phone_offline"), &json!(path.replace("/v1", "")))
        );

        user.get(&format!("{path}/health?days=91")).await.invalid(
            "validation errors while fetching the health of a phone",
            json!({"days": ["The days field must be between 1 and 90"]}),
        );
        user.get("/v1/phones/x/queue?limit=y").await.invalid(
            "validation errors while fetching the queue of a phone",
            json!({
                "phoneID": ["The phoneID field must contain valid UUID"],
                "limit": ["The limit field must be numeric"],
            }),
        );
        let missing = format!("cannot find phone with ID [{NOBODY}]");
        user.get(&format!("/v1/phones/{NOBODY}/queue"))
            .await
            .missing(&missing);
        user.get(&format!("/v1/phones/{NOBODY}/health"))
            .await
            .missing(&missing);
    })
    .await;
}

#[tokio::test]
async fn status_tells_of_webhooks_and_held_messages() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let webhook = json!({
            "url": "https://hooks.example.org/sms", "phone_numbers": [OWNER],
            "events": ["message.phone.received"],
        });
        let webhook = user.post("/v1/webhooks", webhook).await.ok();
        let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
        user.post(&format!("{path}/pause"), json!({})).await.ok();
        let night = json!({
            "name": "Night", "timezone": "UTC",
            "windows": [{"day_of_week": 1, "start_minute": 1200, "end_minute": 1260}],
        });
        let night = user.post("/v1/send-schedules", night).await.ok();
        let body =
            json!({"phone_number": OWNER, "name": "Desk", "message_send_schedule_id": night["id"]});
        user.put("/v1/phones", body).await.ok();
        send(&world, "later").await;
        let status = user.get("/v1/status").await.ok();
        let reasons = status["reasons"].as_array().unwrap();
        assert_eq!(reasons.len(), 2, "{status}");
        assert_eq!(reasons[0]["kind"], "queue_held");
        assert_eq!(
            reasons[0]["text"],
            "Desk: messages that wait until it may send at 2026-03-02T20:00:00Z: 1"
        );
        assert_eq!(
            (
                &reasons[0]["subject"],
                &reasons[0]["at"],
                &reasons[0]["count"]
            ),
            (&json!("Desk"), &json!("2026-03-02T20:00:00Z"), &json!(1))
        );
        assert_eq!(reasons[1]["kind"], "webhook_paused");
        assert_eq!(reasons[1]["pause_reason"], "asked");
        assert_eq!(reasons[1]["link"], path.replace("/v1", ""));
    })
    .await;
}

#[tokio::test]
async fn usage_is_shown_by_days() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        send(&world, "hi").await;
        let days = world.user().get("/v1/usage/daily").await;
        let days = days.says(200, "fetched 30 days").ok();
        let last = json!({"day": "2026-03-02", "sent": 1, "received": 0, "failed": 0});
        assert_eq!(days[29], last);
        let one = world.user().get("/v1/usage/daily?days=1").await;
        assert_eq!(one.says(200, "fetched 1 day").ok(), json!([last]));
        for wrong in ["0", "367", "x"] {
            let path = format!("/v1/usage/daily?days={wrong}");
            world.user().get(&path).await.invalid(
                "validation errors while fetching daily usage",
                json!({"days": ["The days field must be between 1 and 366"]}),
            );
        }
    })
    .await;
}

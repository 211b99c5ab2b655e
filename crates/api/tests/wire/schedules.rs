//! Send schedules.

use serde_json::{Value, json};

use crate::support::{CONTACT, NOBODY, OWNER, World, on_each_engine};

fn window(day: i64, start: i64, end: i64) -> Value {
    json!({"day_of_week": day, "start_minute": start, "end_minute": end})
}

fn office(windows: &Value) -> Value {
    json!({"name": " Office ", "timezone": "Europe/Lisbon", "windows": windows})
}

#[tokio::test]
async fn schedules_are_made_replaced_and_deleted() {
    on_each_engine(async |world: World| {
        let user = world.user();
        let windows = json!([window(2, 540, 1080), window(1, 540, 1080)]);
        let made = user.post("/v1/send-schedules", office(&windows)).await;
        let made = made.says(201, "send schedule created successfully").ok();
        let expected = json!({
            "id": made["id"], "user_id": "ann-ID", "name": "Office", "timezone": "Europe/Lisbon",
            "windows": [window(1, 540, 1080), window(2, 540, 1080)],
            "created_at": made["created_at"], "updated_at": made["updated_at"],
        });
        assert_eq!(made, expected);
        let all = user.get("/v1/send-schedules").await;
        let all = all.says(200, "send schedules fetched successfully").ok();
        assert_eq!(all, json!([made]));
        let id = made["id"].as_str().unwrap();
        let body = json!({"name": "Night", "timezone": "UTC", "windows": [window(0, 0, 1440)]});
        // Ids are taken in any form.
        let odd = format!("/v1/send-schedules/%7B{}%7D", id.to_uppercase());
        let replaced = user.put(&odd, body).await;
        let replaced = replaced.says(200, "send schedule updated successfully").ok();
        assert_eq!((&replaced["id"], &replaced["name"]), (&made["id"], &json!("Night")));

        world.phone(&[OWNER]).await;
        let chosen = json!({"phone_number": OWNER, "message_send_schedule_id": id});
        assert_eq!(user.put("/v1/phones", chosen).await.ok()["message_send_schedule_id"], id);
        // Now it is Monday, so the slot is on Sunday.
        let sms = json!({"from": OWNER, "to": CONTACT, "content": "hi"});
        let sent = user.post("/v1/messages/send", sms).await.ok();
        let shown = format!("/v1/messages/{}", sent["id"].as_str().unwrap());
        let shown = user.get(&shown).await.ok();
        assert_eq!(shown["scheduled_at"], "2026-03-08T00:00:00Z");

        let path = format!("/v1/send-schedules/{id}");
        user.delete(&path).await.empty();
        let gone = format!("send schedule [{id}] not found for user with ID [ann-ID]");
        user.delete(&path).await.missing(&gone);
        let phones = user.get("/v1/phones").await.ok();
        assert_eq!(phones[0]["message_send_schedule_id"], json!(null));
        let unknown = json!({"phone_number": OWNER, "message_send_schedule_id": id});
        user.put("/v1/phones", unknown).await.invalid(
            "validation errors while updating phones",
            json!({"message_send_schedule_id": ["The message_send_schedule_id does not belong to the authenticated user or does not exist"]}),
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_schedule_is_told() {
    on_each_engine(async |world: World| {
        let user = world.user();
        let saving = "validation errors while saving send schedule";
        user.post("/v1/send-schedules", json!({"timezone": "Mars/Base"}))
            .await
            .invalid(
                saving,
                json!({
                    "name": ["The name field is required", "The name field must be minimum 2 char"],
                    "timezone": ["The timezone must be a valid IANA timezone e.g Europe/London."],
                    "windows": ["at least one active window is required"],
                }),
            );
        let windows = json!([
            window(7, -1, 1441),
            window(1, 10, 10),
            window(2, 0, 60),
            window(2, 30, 90)
        ]);
        user.post("/v1/send-schedules", office(&windows))
            .await
            .invalid(
                saving,
                json!({
                    "windows": [
                        "windows[0].end_minute must be greater than start_minute",
                        "day_of_week 2 contains overlapping windows",
                        "windows[3].day_of_week must be between 0 and 6",
                        "windows[3].start_minute must be between 0 and 1439",
                        "windows[3].end_minute must be between 1 and 1440",
                    ],
                }),
            );
        let many: Vec<Value> = (0..50_000).map(|_| window(3, 1, 2)).collect();
        let answer = user.post("/v1/send-schedules", office(&json!(many))).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.len() < 50_000, "{}", answer.body.len());
        for (windows, why) in [
            (json!("all day"), "windows: expected a list"),
            (json!([1]), "windows: expected a list of objects"),
            (
                json!([{"day_of_week": "1"}]),
                "day_of_week: expected a whole number",
            ),
        ] {
            user.post("/v1/send-schedules", office(&windows))
                .await
                .malformed(why);
        }
        let path = format!("/v1/send-schedules/{NOBODY}");
        let updating = "validation errors while updating send schedule";
        user.put(&path, office(&json!([]))).await.invalid(
            updating,
            json!({"windows": ["at least one active window is required"]}),
        );
        let unknown = format!("send schedule [{NOBODY}] not found for user with ID [ann-ID]");
        user.put(&path, office(&json!([window(1, 1, 2)])))
            .await
            .missing(&unknown);
        user.delete("/v1/send-schedules/x")
            .await
            .malformed("scheduleID");
        user.put("/v1/send-schedules/x", json!({}))
            .await
            .malformed("scheduleID");
        assert_eq!(user.get("/v1/send-schedules").await.ok(), json!([]));
    })
    .await;
}

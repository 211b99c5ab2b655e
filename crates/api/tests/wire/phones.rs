//! Phones: signing in, settings, lists.

use serde_json::{Value, json};

use crate::support::{NOBODY, OWNER, SECOND, World, e164, on_each_engine};

const INVALID: &str = "validation errors while updating phones";

#[tokio::test]
async fn a_phone_signs_in_and_gets_the_defaults() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[]).await;
        let body = json!({"phone_number": "18005550199", "fcm_token": " token ", "sim": "SIM7"});
        let answer = phone.put("/v1/phones/fcm-token", body).await
            .says(200, "FCM token updated successfully");
        let data = answer.ok();
        let expected = json!({
            "id": data["id"], "user_id": "ann-ID", "fcm_token": "token", "phone_number": OWNER,
            "messages_per_minute": 10, "sim": "SIM1", "message_send_schedule_id": null,
            "max_send_attempts": 2, "message_expiration_seconds": 600, "missed_call_auto_reply": null,
            "unarchive_thread": false, "created_at": data["created_at"], "updated_at": data["updated_at"],
            "name": null, "limit_per_minute": null, "limit_per_hour": null, "limit_per_day": null,
            "online": true, "last_heartbeat_at": null,
        });
        assert_eq!(data, expected);
        // Bound before the answer; the same phone the next time.
        let beat = phone.post("/v1/heartbeats", json!({"phone_numbers": [OWNER]})).await;
        assert_eq!(beat.status, 201);
        let again = phone.put("/v1/phones/fcm-token", json!({"phone_number": OWNER})).await.ok();
        assert_eq!((&again["id"], &again["fcm_token"]), (&data["id"], &json!("")));
        phone.put("/v1/phones/fcm-token", json!({"fcm_token": "x".repeat(1001)})).await.invalid(INVALID, json!({
            "fcm_token": ["The fcm_token field must be maximum 1000 char"],
            "phone_number": ["The phone_number field is required", e164("phone_number")],
        }));
    })
    .await;
}

#[tokio::test]
async fn exactly_the_fields_present_are_applied() {
    on_each_engine(async |world: World| {
        let settings = json!({
            "phone_number": OWNER, "fcm_token": "t", "messages_per_minute": 30, "max_send_attempts": 3,
            "message_expiration_seconds": 120, "missed_call_auto_reply": " later ", "unarchive_thread": true, "sim": "SIM2",
        });
        let first = world.user().put("/v1/phones", settings.clone()).await
            .says(200, "phone updated successfully").ok();
        for (name, value) in [
            ("fcm_token", json!("t")),
            ("messages_per_minute", json!(30)),
            ("max_send_attempts", json!(3)),
            ("message_expiration_seconds", json!(120)),
            ("missed_call_auto_reply", json!("later")),
            ("unarchive_thread", json!(true)),
            ("sim", json!("SIM2")),
        ] {
            assert_eq!(first[name], value, "{name}");
        }
        let mut second = world.user().put("/v1/phones", json!({"phone_number": OWNER})).await.ok();
        second["updated_at"] = first["updated_at"].clone();
        assert_eq!(second, first);
        let zero = json!({"phone_number": OWNER, "messages_per_minute": 0, "max_send_attempts": 0, "message_expiration_seconds": 0});
        let zero = world.user().put("/v1/phones", zero).await.ok();
        assert_eq!((&zero["messages_per_minute"], &zero["max_send_attempts"]), (&json!(30), &json!(3)));
        assert_eq!(zero["message_expiration_seconds"], 0);
        let cleared = json!({
            "phone_number": OWNER, "fcm_token": null, "missed_call_auto_reply": "",
            "message_send_schedule_id": null, "sim": "other",
        });
        let cleared = world.user().put("/v1/phones", cleared).await.ok();
        for name in ["fcm_token", "missed_call_auto_reply", "message_send_schedule_id"] {
            assert_eq!(cleared[name], Value::Null, "{name}");
        }
        assert_eq!(cleared["sim"], "SIM1");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_settings_is_told() {
    on_each_engine(async |world: World| {
        let put = async |mut body: Value| {
            body["phone_number"] = json!(OWNER);
            world.user().put("/v1/phones", body).await
        };
        world.user().put("/v1/phones", json!({"phone_number": "24273"})).await
            .invalid(INVALID, json!({"phone_number": [e164("phone_number")]}));
        let wrong = json!({
            "fcm_token": "x".repeat(1001), "messages_per_minute": 61, "max_send_attempts": 6,
            "message_expiration_seconds": 59,
        });
        put(wrong).await.invalid(INVALID, json!({
            "fcm_token": ["The fcm_token field must be maximum 1000 char"],
            "max_send_attempts": ["The max_send_attempts field value can not be greater than 5"],
            "message_expiration_seconds": ["The message_expiration_seconds field value can not be less than 60"],
            "messages_per_minute": ["The messages_per_minute field value can not be greater than 60"],
        }));
        put(json!({"message_expiration_seconds": 3601})).await.invalid(INVALID, json!({
            "message_expiration_seconds": ["The message_expiration_seconds field value can not be greater than 3600"],
        }));
        let cannot = json!({"message_expiration_seconds": ["message_expiration_seconds cannot be 0 when max_send_attempts is greater than 0"]});
        put(json!({"max_send_attempts": 1})).await.invalid(INVALID, cannot.clone());
        put(json!({"max_send_attempts": 1, "message_expiration_seconds": 0})).await.invalid(INVALID, cannot);
        let not_yours = json!({"message_send_schedule_id": ["The message_send_schedule_id does not belong to the authenticated user or does not exist"]});
        for schedule in [NOBODY, "x"] {
            put(json!({"message_send_schedule_id": schedule})).await.invalid(INVALID, not_yours.clone());
        }
        for (name, value) in [("messages_per_minute", json!(-1)), ("max_send_attempts", json!(1.5)), ("sim", json!(1)), ("unarchive_thread", json!("yes"))] {
            put(json!({name: value})).await.malformed(&format!("{name}: expected"));
        }
        assert_eq!(world.user().get("/v1/phones").await.ok(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn phones_are_listed_and_deleted() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        world.phone(&[SECOND]).await;
        let numbers = async |query: &str| {
            let data = world.user().get(&format!("/v1/phones{query}")).await.ok();
            let all = data.as_array().unwrap().iter();
            all.map(|phone| phone["phone_number"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers("").await, [SECOND, OWNER]);
        assert_eq!(numbers("?limit=1").await, [SECOND]);
        assert_eq!(numbers("?limit=100&query=0199").await, [OWNER]);
        world.user().get("/v1/phones?limit=x").await.invalid(
            "validation errors while fetching phones",
            json!({"limit": ["The limit field must be numeric"]}),
        );
        let id = world.user().get("/v1/phones").await.ok()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("/v1/phones/{id}");
        let deleted = world
            .user()
            .delete(&path)
            .await
            .says(200, "phone deleted successfully");
        assert_eq!(
            deleted.text(),
            r#"{"data":null,"message":"phone deleted successfully","status":"success"}"#
        );
        world
            .user()
            .delete(&path)
            .await
            .missing(&format!("cannot find phone with ID [{id}]"));
        world.user().delete("/v1/phones/X").await.invalid(
            "validation errors while deleting phone",
            json!({"phoneID": ["The phoneID field must contain valid UUID"]}),
        );
        world
            .user()
            .get("/v1/phones")
            .await
            .says(200, "fetched 1 phone");
    })
    .await;
}

//! The account: what its owner sets, and its end.

use serde_json::json;

use crate::support::{NOBODY, OWNER, USER_KEY, World, add_user, on_each_engine};

#[tokio::test]
async fn an_account_is_set_up_to_its_owners_taste() {
    on_each_engine(async |world: World| {
        let user = world.user();
        let body = json!({"timezone": " Europe/Tallinn ", "active_phone_id": NOBODY});
        let set = user.put("/v1/users/me", body).await;
        let set = set.says(200, "user updated successfully").ok();
        assert_eq!(set["timezone"], "Europe/Tallinn");
        assert_eq!(set["active_phone_id"], NOBODY);
        let set = user
            .put("/v1/users/me", json!({"timezone": "Mars/Base"}))
            .await
            .ok();
        assert_eq!(
            (&set["timezone"], &set["active_phone_id"]),
            (&json!("UTC"), &json!(null))
        );
        let blank = json!({"active_phone_id": " "});
        assert_eq!(
            user.put("/v1/users/me", blank).await.ok()["active_phone_id"],
            json!(null)
        );
        user.put("/v1/users/me", json!({"active_phone_id": "x"}))
            .await
            .invalid(
                "validation errors while updating user",
                json!({"active_phone_id": ["The active_phone_id field must contain valid UUID"]}),
            );

        let body = json!({"webhook_enabled": true, "heartbeat_enabled": null});
        let set = user
            .put("/v1/users/somebody-else/notifications", body)
            .await;
        let set = set
            .says(200, "user notification settings updated successfully")
            .ok();
        for (name, expected) in [
            ("message_status", false),
            ("webhook", true),
            ("heartbeat", false),
            ("newsletter", false),
        ] {
            assert_eq!(
                set[format!("notification_{name}_enabled")],
                expected,
                "{name}"
            );
        }
        user.put(
            "/v1/users/x/notifications",
            json!({"webhook_enabled": "yes"}),
        )
        .await
        .malformed("webhook_enabled: expected true or false");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_account_is_gone() {
    on_each_engine(async |world: World| {
        add_user(&world.gateway, "bob", "bobs-key").await;
        let phone = world.phone(&[OWNER]).await;
        world.user().delete("/v1/users/me").await.empty();
        world.user().get("/v1/users/me").await.unauthorized();
        phone
            .post("/v1/heartbeats", json!({"phone_numbers": [OWNER]}))
            .await
            .unauthorized();
        let query = format!("/v1/phones?x-api-key={USER_KEY}");
        world.anonymous().get(&query).await.unauthorized();
        assert_eq!(
            world.client("bobs-key").get("/v1/users/me").await.ok()["id"],
            "bob-ID"
        );
    })
    .await;
}

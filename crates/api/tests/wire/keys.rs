//! Phone keys, and the account with its own key.

use serde_json::json;

use crate::support::{NOBODY, OWNER, SECOND, USER_KEY, World, on_each_engine};

const INVALID: &str = "validation errors while storing event";

#[tokio::test]
async fn a_phone_key_is_made_used_and_revoked() {
    on_each_engine(async |world: World| {
        let made = world.user().post("/v1/phone-api-keys", json!({"name": "Front desk"})).await
            .says(200, "phone API key created successfully").ok();
        let expected = json!({
            "id": made["id"], "name": "Front desk", "user_id": "ann-ID", "user_email": "ann@example.org",
            "phone_numbers": [], "phone_ids": [], "api_key": made["api_key"],
            "created_at": made["created_at"], "updated_at": made["updated_at"],
        });
        assert_eq!(made, expected);
        let key = made["api_key"].as_str().unwrap();
        assert!(key.starts_with("pk_") && key.len() == 67);
        let phone = world.client(key);
        for number in [OWNER, SECOND] {
            phone.put("/v1/phones/fcm-token", json!({"phone_number": number})).await.ok();
        }
        let listed = world.user().get("/v1/phone-api-keys").await.says(200, "fetched 1 phone API key").ok();
        assert_eq!(listed[0]["phone_numbers"], json!([OWNER, SECOND]));
        assert_eq!(listed[0]["api_key"], key);

        let path = format!("/v1/phone-api-keys/{}", made["id"].as_str().unwrap());
        let second = listed[0]["phone_ids"][1].as_str().unwrap();
        world.user().delete(&format!("{path}/phones/{second}")).await.empty();
        world.user().delete(&format!("{path}/phones/{second}")).await.empty();
        phone.post("/v1/heartbeats", json!({"phone_numbers": [OWNER, SECOND]})).await.not_bound(SECOND, OWNER);
        let id = made["id"].as_str().unwrap();
        world.user().delete(&format!("{path}/phones/{NOBODY}")).await.missing(&format!(
            "cannot find phone with ID [{NOBODY}] which is associated with phone API key with ID [{id}]"
        ));

        world.user().delete(&path).await.empty();
        phone.post("/v1/heartbeats", json!({"phone_numbers": [OWNER]})).await.unauthorized();
        world.user().delete(&path).await.missing(&format!("cannot find phone API key with ID [{id}]"));
    })
    .await;
}

#[tokio::test]
async fn a_list_of_phone_keys_shows_one_unless_asked() {
    on_each_engine(async |world: World| {
        for name in ["a", "b", "4155550123"] {
            world
                .user()
                .post("/v1/phone-api-keys", json!({"name": name}))
                .await
                .ok();
        }
        let names = async |query: &str| {
            let data = world
                .user()
                .get(&format!("/v1/phone-api-keys{query}"))
                .await
                .ok();
            let all = data.as_array().unwrap().iter();
            all.map(|key| key["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("").await, ["+4155550123"]);
        assert_eq!(names("?limit=100").await, ["+4155550123", "b", "a"]);
        assert_eq!(names("?limit=100&query=B").await, ["b"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_phone_key_is_told() {
    let world = World::open(None).await;
    let invalid = "validation errors while updating phones";
    world.user().post("/v1/phone-api-keys", json!({})).await.invalid(
        invalid,
        json!({"name": ["The name field is required", "The name field must be minimum 1 char"]}),
    );
    world
        .user()
        .post("/v1/phone-api-keys", json!({"name": "x".repeat(61)}))
        .await
        .invalid(
            invalid,
            json!({"name": ["The name field must be maximum 60 char"]}),
        );
    let key = "The phoneAPIKeyID field must contain valid UUID";
    world
        .user()
        .delete("/v1/phone-api-keys/x")
        .await
        .invalid(INVALID, json!({"phoneAPIKeyID": [key]}));
    world.user().delete("/v1/phone-api-keys/x/phones/y").await.invalid(
        INVALID,
        json!({"phoneAPIKeyID": [key], "phoneID": ["The phoneID field must contain valid UUID"]}),
    );
}

#[tokio::test]
async fn an_account_reads_itself_and_changes_its_key() {
    on_each_engine(async |world: World| {
        let me = world.user().get("/v1/users/me").await.says(200, "user fetched successfully").ok();
        let expected = json!({
            "id": "ann-ID", "email": "ann@example.org", "api_key": USER_KEY, "timezone": "Africa/Accra",
            "active_phone_id": null, "subscription_name": "free", "subscription_id": null,
            "subscription_status": null, "subscription_renews_at": null, "subscription_ends_at": null,
            "notification_message_status_enabled": true, "notification_webhook_enabled": true,
            "notification_heartbeat_enabled": true, "notification_newsletter_enabled": true,
            "created_at": me["created_at"], "updated_at": me["updated_at"], "admin": true,
        });
        assert_eq!(me, expected);

        let other = world.user().delete("/v1/users/bob/api-keys").await;
        assert_eq!(other.status, 401);
        assert_eq!(other.json()["data"], "Make sure your API key is set in the [X-API-Key] header in the request");
        assert_eq!(other.json()["message"], "You are not authorized to carry out this request.");

        let rotated = world.user().delete("/v1/Users/ann-ID/api-keys").await
            .says(200, "API Key rotated successfully").ok();
        let key = rotated["api_key"].as_str().unwrap();
        assert!(key.starts_with("uk_") && key.len() == 67);
        world.user().get("/v1/users/me").await.unauthorized();
        assert_eq!(world.client(key).get("/v1/users/me").await.ok()["api_key"], key);
    })
    .await;
}

//! Heartbeats: stored for one or two numbers, listed by number.

use std::time::Duration;

use serde_json::json;

use crate::support::{OWNER, SECOND, World, e164, on_each_engine};

const PATH: &str = "/v1/heartbeats";
const INVALID: &str = "validation errors while storing heartbeat";

#[tokio::test]
async fn heartbeats_are_stored_in_order() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER, SECOND]).await;
        let body = json!({"charging": true, "phone_numbers": [SECOND, "18005550199"]});
        let answer = phone.post(PATH, body).await;
        let data = answer
            .says(201, "[2] heartbeats received successfully")
            .ok();
        let expected = json!({
            "id": data[0]["id"], "owner": SECOND, "version": "sim-1", "charging": true,
            "user_id": "ann-ID", "timestamp": data[0]["timestamp"],
        });
        assert_eq!(data[0], expected);
        assert_eq!(data[1]["owner"], OWNER);
        let old = phone.post(PATH, json!({"owner": OWNER})).await;
        old.says(201, "[1] heartbeats received successfully");
        world.clock.advance(Duration::from_mins(1));
        phone
            .post(PATH, json!({"phone_numbers": [OWNER]}))
            .await
            .ok();

        let list = "/v1/heartbeats?owner=+18005550199";
        let newest = world
            .user()
            .get(list)
            .await
            .says(200, "fetched 1 heartbeat")
            .ok();
        assert!(
            newest[0]["timestamp"]
                .as_str()
                .unwrap()
                .starts_with("2026-03-02T09:01:0")
        );
        world
            .user()
            .get(&format!("{list}&limit=20"))
            .await
            .says(200, "fetched 3 heartbeats");
        world
            .user()
            .get(&format!("{list}&query=other"))
            .await
            .says(200, "fetched 0 heartbeats");
    })
    .await;
}

#[tokio::test]
async fn a_phone_speaks_for_its_own_numbers_only() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        phone
            .post(PATH, json!({"phone_numbers": [OWNER, SECOND]}))
            .await
            .not_bound(SECOND, OWNER);
        world
            .user()
            .get("/v1/heartbeats?owner=%2B18005550199")
            .await
            .says(200, "fetched 0 heartbeats");
        assert_eq!(
            world
                .user()
                .post(PATH, json!({"phone_numbers": [SECOND]}))
                .await
                .status,
            201
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_heartbeat_is_told() {
    let world = World::open(None).await;
    let at = |index: usize| {
        format!(
            "The phone_numbers field in index [{index}] must be a valid E.164 phone number in the international format e.g +18005550100"
        )
    };
    for nothing in [
        json!({}),
        json!({"phone_numbers": [], "owner": ""}),
        json!({"phone_numbers": null}),
    ] {
        world
            .user()
            .post(PATH, nothing)
            .await
            .invalid(INVALID, json!({"phone_numbers": [at(0)]}));
    }
    world
        .user()
        .post(PATH, json!({"phone_numbers": [OWNER, "x"]}))
        .await
        .invalid(INVALID, json!({"phone_numbers": [at(1)]}));
    world
        .user()
        .post(PATH, json!({"phone_numbers": [OWNER, SECOND, OWNER]}))
        .await
        .invalid(
            INVALID,
            json!({"phone_numbers": ["The phone_numbers field must be maximum 2 in size"]}),
        );
    world.user().get(PATH).await.invalid(
        "validation errors while fetching heartbeats",
        json!({"owner": ["The owner field is required", e164("owner")]}),
    );
    world
        .user()
        .post(PATH, json!({"phone_numbers": OWNER}))
        .await
        .malformed("phone_numbers: expected a list");
}

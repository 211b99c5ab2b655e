//! Who may call what, and where a key may stand.

use axum::http::Method;
use serde_json::json;

use crate::support::{OWNER, USER_KEY, World, add_user, on_each_engine};

/// Routes that are closed to phone keys.
const USERS_ONLY: [(Method, &str); 28] = [
    (Method::POST, "/v1/messages/send"),
    (Method::POST, "/v1/messages/bulk-send"),
    (Method::GET, "/v1/messages"),
    (Method::GET, "/v1/messages/x"),
    (Method::DELETE, "/v1/messages/x"),
    (Method::GET, "/v1/phones"),
    (Method::PUT, "/v1/phones"),
    (Method::DELETE, "/v1/phones/x"),
    (Method::GET, "/v1/phone-api-keys"),
    (Method::POST, "/v1/phone-api-keys"),
    (Method::DELETE, "/v1/phone-api-keys/x"),
    (Method::DELETE, "/v1/phone-api-keys/x/phones/x"),
    (Method::GET, "/v1/heartbeats"),
    (Method::GET, "/v1/webhooks"),
    (Method::POST, "/v1/webhooks"),
    (Method::PUT, "/v1/webhooks/x"),
    (Method::GET, "/v1/webhooks/x"),
    (Method::GET, "/v1/webhooks/x/deliveries"),
    (Method::GET, "/v1/webhooks/x/deliveries/1"),
    (Method::POST, "/v1/webhooks/x/deliveries/1/replay"),
    (Method::POST, "/v1/webhooks/x/replays"),
    (Method::GET, "/v1/webhooks/x/replays/x"),
    (Method::DELETE, "/v1/webhooks/x/replays/x"),
    (Method::POST, "/v1/webhooks/x/test"),
    (Method::POST, "/v1/webhooks/x/pause"),
    (Method::POST, "/v1/webhooks/x/rotate-key"),
    (Method::GET, "/v1/webhooks/x/health"),
    (Method::GET, "/v1/users/me"),
];

const PHONES_TOO: [(Method, &str); 7] = [
    (Method::POST, "/v1/messages/receive"),
    (Method::POST, "/v1/messages/calls/missed"),
    (Method::POST, "/v1/messages/x/events"),
    (Method::GET, "/v1/messages/outstanding"),
    (Method::POST, "/v1/heartbeats"),
    (Method::PUT, "/v1/phones/fcm-token"),
    (Method::GET, "/v1/phones/notifications"),
];

#[tokio::test]
async fn each_route_has_its_callers() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let stranger = world.client("pk_stranger");
        for (method, path) in USERS_ONLY {
            // Even what is malformed is nobody's business before the key is known.
            for body in ["{}", "{"] {
                phone.raw(method.clone(), path, body).await.unauthorized();
                world
                    .anonymous()
                    .raw(method.clone(), path, body)
                    .await
                    .unauthorized();
            }
            let answer = world.user().raw(method.clone(), path, "{}").await;
            assert!(
                matches!(answer.status, 200 | 422),
                "{method} {path}: {}",
                answer.text()
            );
        }
        for (method, path) in PHONES_TOO {
            stranger.raw(method.clone(), path, "{").await.unauthorized();
            world
                .anonymous()
                .raw(method.clone(), path, "{")
                .await
                .unauthorized();
            for caller in [&phone, &world.user()] {
                let answer = caller.raw(method.clone(), path, "{}").await;
                assert!(
                    matches!(answer.status, 204 | 422),
                    "{method} {path}: {}",
                    answer.text()
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_key_may_stand_in_header_body_or_query() {
    let world = World::open(None).await;
    let nobody = world.anonymous();
    nobody
        .get(&format!("/v1/users/me?x-api-key={USER_KEY}"))
        .await
        .ok();
    let send = |key: &str| json!({"x-api-key": key, "name": "desk"});
    nobody.post("/v1/phone-api-keys", send(USER_KEY)).await.ok();
    nobody
        .post("/v1/phone-api-keys/", send(USER_KEY))
        .await
        .ok();
    nobody
        .raw(Method::GET, "/v1/users/me", send(USER_KEY).to_string())
        .await
        .ok();
    nobody
        .post("/v1/phone-api-keys", send("wrong"))
        .await
        .unauthorized();
    nobody
        .post("/v1/phone-api-keys", json!({"x": {"x-api-key": USER_KEY}}))
        .await
        .unauthorized();
    world
        .client("")
        .post("/v1/phone-api-keys", send(USER_KEY))
        .await
        .ok();

    // What the header says counts, be it good or not.
    let query = format!("/v1/users/me?x-api-key={USER_KEY}");
    for key in ["undefined", "wrong", "pk_x"] {
        world.client(key).get(&query).await.unauthorized();
    }
    world.user().get("/v1/users/me?x-api-key=wrong").await.ok();
}

#[tokio::test]
async fn a_phone_key_stands_in_the_header_only() {
    let world = World::open(None).await;
    let phone = world.phone(&[OWNER]).await;
    let key = phone.key.clone().unwrap();
    let body = json!({"x-api-key": key, "phone_numbers": [OWNER]});
    world
        .anonymous()
        .post("/v1/heartbeats", body.clone())
        .await
        .unauthorized();
    let query = format!("/v1/heartbeats?x-api-key={key}");
    world
        .anonymous()
        .post(&query, json!({"phone_numbers": [OWNER]}))
        .await
        .unauthorized();
    assert_eq!(phone.post("/v1/heartbeats", body).await.status, 201);
}

#[tokio::test]
async fn bearer_tokens_are_not_taken() {
    let world = World::open(None).await;
    let request = axum::http::Request::builder()
        .uri("/v1/users/me")
        .header("authorization", format!("Bearer {USER_KEY}"));
    world
        .call(request.body("".into()).unwrap())
        .await
        .unauthorized();
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    on_each_engine(async |world: World| {
        add_user(&world.gateway, "bob", "bobs-key").await;
        let phone = world.phone(&[OWNER]).await;
        let message = world
            .user()
            .post(
                "/v1/messages/send",
                json!({"from": OWNER, "to": "24273", "content": "hi"}),
            )
            .await;
        let id = message.ok()["id"].as_str().unwrap().to_owned();
        let bob = world.client("bobs-key");
        let unknown = format!("cannot find message with ID [{id}]");
        bob.get(&format!("/v1/messages/{id}"))
            .await
            .missing(&unknown);
        bob.delete(&format!("/v1/messages/{id}"))
            .await
            .missing(&unknown);
        bob.get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await
            .missing(&format!("Cannot find outstanding message with ID [{id}]"));
        let events = format!("/v1/messages/{id}/events");
        bob.post(&events, json!({"event_name": "SENT"}))
            .await
            .missing(&unknown);
        assert_eq!(bob.get("/v1/phones").await.ok(), json!([]));
        assert_eq!(bob.get("/v1/phone-api-keys").await.ok(), json!([]));
        let list = "/v1/messages?owner=%2B18005550199&contact=24273";
        assert_eq!(bob.get(list).await.ok(), json!([]));
        assert_eq!(
            world.user().get(list).await.ok().as_array().unwrap().len(),
            1
        );
        phone
            .get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await
            .ok();
    })
    .await;
}

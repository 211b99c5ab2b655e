//! Reading and deleting messages.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{AT, CONTACT, NOBODY, OWNER, World, e164, on_each_engine};

async fn send(world: &World, content: &str) -> String {
    let body = json!({"from": OWNER, "to": CONTACT, "content": content});
    let data = world.user().post("/v1/messages/send", body).await.ok();
    data["id"].as_str().unwrap().to_owned()
}

fn contents(data: &Value) -> Vec<&str> {
    data.as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_conversation_is_listed_newest_first() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        for content in ["one", "Two", "three"] {
            send(&world, content).await;
        }
        // A `+` that was not escaped arrives as a space.
        for owner in ["%2B18005550199", "+18005550199", "+18005550199+"] {
            let path = format!("/v1/messages?owner={owner}&contact=+18005550100");
            let answer = world
                .user()
                .get(&path)
                .await
                .says(200, "fetched 3 messages");
            assert_eq!(contents(&answer.ok()), ["three", "Two", "one"]);
        }
        let list = "/v1/messages?owner=+18005550199&contact=+18005550100";
        for (query, expected) in [
            ("&limit=1", vec!["three"]),
            ("&limit=1&skip=1", vec!["Two"]),
            ("&skip=-1&limit=100", vec!["three", "Two", "one"]),
            ("&limit=-1", vec!["three", "Two", "one"]),
            ("&limit=0", vec![]),
            ("&query=TW", vec!["Two"]),
            ("&query=t", vec!["three", "Two"]),
        ] {
            let data = world.user().get(&format!("{list}{query}")).await.ok();
            assert_eq!(contents(&data), expected, "{query}");
        }
        world
            .user()
            .get(&format!("{list}&limit=1"))
            .await
            .says(200, "fetched 1 message");
        world
            .user()
            .get("/v1/messages?owner=+18005550199&contact=TIKTOK")
            .await
            .says(200, "fetched 0 messages");
    })
    .await;
}

#[tokio::test]
async fn a_list_needs_both_numbers() {
    let world = World::open(None).await;
    let invalid = "validation errors while fetching messages";
    world.user().get("/v1/messages").await.invalid(invalid, json!({
        "contact": ["The contact field is required", "The contact field must be minimum 1 char"],
        "owner": ["The owner field is required", e164("owner")],
    }));
    // Unlike elsewhere, digits alone are not enough.
    world
        .user()
        .get("/v1/messages?owner=18005550199&contact=x&limit=a&skip=b")
        .await
        .invalid(
            invalid,
            json!({
                "limit": ["The limit field must be numeric"],
                "owner": [e164("owner")],
                "skip": ["The skip field must be numeric"],
            }),
        );
    let long = format!(
        "/v1/messages?owner=%2B12345&contact=x&limit={:021}&query={}",
        1,
        "x".repeat(101)
    );
    world.user().get(&long).await.invalid(
        invalid,
        json!({
            "limit": ["The limit field must be maximum 20 char"],
            "query": ["The query field must be maximum 100 char"],
        }),
    );
    world
        .user()
        .get("/v1/messages?owner=%2B12345&contact=%00")
        .await
        .malformed("contact: holds the character U+0000");
}

#[tokio::test]
async fn a_message_is_shown_and_deleted() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let path = format!("/v1/messages/{}", send(&world, "hi").await);
        let shown = world
            .user()
            .get(&path)
            .await
            .says(200, "message fetched successfully")
            .ok();
        assert_eq!(shown["content"], "hi");
        assert_eq!(shown.as_object().unwrap().len(), 29);
        world.user().delete(&path).await.empty();
        let gone = format!("cannot find message with ID [{}]", &path[13..]);
        world.user().get(&path).await.missing(&gone);
        world.user().delete(&path).await.missing(&gone);
    })
    .await;
}

#[tokio::test]
async fn a_head_request_takes_no_message_away() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = send(&world, "hi").await;
        world.wake().await;
        let claim = format!("/v1/messages/outstanding?message_id={id}");
        let looked = phone.send(Method::HEAD, &claim, None, "").await;
        assert_eq!((looked.status, looked.header("allow")), (405, "GET"));
        let poll = "/v1/phones/notifications";
        let told = phone.get(poll).await.ok();
        let ack = format!("{poll}?ack={}", told[0]["id"].as_str().unwrap());
        let looked = phone.send(Method::HEAD, &ack, None, "").await;
        assert_eq!((looked.status, looked.header("allow")), (405, "GET"));
        assert_eq!(phone.get(poll).await.ok(), told);
        assert_eq!(phone.get(&claim).await.ok()["status"], "sending");
    })
    .await;
}

#[tokio::test]
async fn ids_are_lower_case_and_version_4() {
    let world = World::open(None).await;
    let invalid = json!({"messageID": ["The messageID field must contain valid UUID"]});
    for id in [
        "x",
        "5F0E6C0A-8D0B-4C47-9A3C-0A6F4B0F6F11",
        "5f0e6c0a-8d0b-7c47-9a3c-0a6f4b0f6f11",
        "%7Bx%7D",
    ] {
        let path = format!("/v1/messages/{id}");
        world
            .user()
            .get(&path)
            .await
            .invalid("validation errors while storing event", invalid.clone());
        world
            .user()
            .delete(&path)
            .await
            .invalid("validation errors while storing event", invalid.clone());
    }
    world
        .user()
        .get("/v1/messages/%FF")
        .await
        .malformed("UTF-8");
    world
        .user()
        .delete(&format!("/v1/messages/{NOBODY}"))
        .await
        .missing(&format!("cannot find message with ID [{NOBODY}]"));
}

#[tokio::test]
async fn a_message_is_cancelled_until_a_phone_has_it() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = send(&world, "hi").await;
        let path = format!("/v1/messages/{id}/cancel");
        let answer = world.user().post(&path, json!({})).await;
        let cancelled = answer.says(200, "message cancelled successfully").ok();
        assert_eq!(cancelled["status"], "failed");
        assert_eq!(cancelled["failure_reason"], "cancelled by the client");
        let claim = format!("/v1/messages/outstanding?message_id={id}");
        assert_eq!(phone.get(&claim).await.status, 404);
        let late = format!("cannot cancel message with ID [{id}] any more, it is [failed]");
        // No body is needed.
        let again = world.user().send(Method::POST, &path, None, "").await;
        again.conflicts(&late);
        let unknown = format!("/v1/messages/{NOBODY}/cancel");
        let missing = format!("cannot find message with ID [{NOBODY}]");
        world
            .user()
            .post(&unknown, json!({}))
            .await
            .missing(&missing);
        let wrong = world.user().post("/v1/messages/x/cancel", json!({})).await;
        wrong.invalid(
            "validation errors while cancelling message",
            json!({"messageID": ["The messageID field must contain valid UUID"]}),
        );
        phone.post(&path, json!({})).await.unauthorized();
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_read_on_from_a_place() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        // All of one time, by the phone's clock.
        for number in 0..5 {
            let body = json!({"to": OWNER, "from": CONTACT, "content": number.to_string(), "timestamp": AT});
            phone.post("/v1/messages/receive", body).await.ok();
        }
        send(&world, "newest").await;
        let list = "/v1/messages?owner=+18005550199&contact=+18005550100";
        let all = world.user().get(&format!("{list}&limit=-1")).await.ok();
        let (mut seen, mut place) = (Vec::new(), String::new());
        loop {
            let part = world.user().get(&format!("{list}&limit=2{place}")).await.ok();
            let Some(oldest) = part.as_array().unwrap().last().cloned() else {
                break;
            };
            let (time, id) = (&oldest["order_timestamp"], &oldest["id"]);
            place = format!("&before={}&before_id={}", time.as_str().unwrap(), id.as_str().unwrap());
            seen.extend(part.as_array().unwrap().clone());
            // What comes meanwhile moves nothing.
            send(&world, "newer").await;
        }
        assert_eq!(json!(seen), all);
        assert_eq!(seen.len(), 6);
        // Without an id, what has the same time is passed over too.
        let before = world.user().get(&format!("{list}&before={AT}")).await.ok();
        assert_eq!(before, json!([]));
    })
    .await;
}

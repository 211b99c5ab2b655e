//! The mailbox of a phone without a push service: offered until it is taken, to the newest poll alone.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Answer, PhoneClient};

use super::MOMENT;
use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, SOON, Stage, text};

#[tokio::test]
async fn wake_ups_are_offered_until_they_are_taken() {
    on_each_engine(offered).await;
}

async fn poll(phone: &PhoneClient, wait: &str, ack: &str) -> Answer {
    let query = [("wait", wait), ("ack", ack)];
    phone.get_with("/v1/phones/notifications", &query).await
}

async fn offered(engine: Engine) {
    let mut stage = Stage::on(engine).await;
    let begun = Instant::now();
    let empty = poll(&stage.phone, "1", "").await.expect(204);
    assert!(empty.bytes.is_empty() && begun.elapsed() >= Duration::from_secs(1));

    let id = text(&stage.user.send(OWNER, CONTACT, "wake up").await["id"]);
    let first = poll(&stage.phone, "10", "").await.expect(200);
    assert_eq!(
        (first.message(), first.body["status"].as_str()),
        ("fetched 1 notification", Some("success"))
    );
    assert_eq!(first.data()[0]["data"], json!({"KEY_MESSAGE_ID": id}));
    let notification = text(&first.data()[0]["id"]);

    let again = poll(&stage.phone, "0", "").await.expect(200);
    assert_eq!(
        again.data(),
        first.data(),
        "offered until it is acknowledged"
    );
    stage.server.restart().await;
    let again = poll(&stage.phone, "10", "").await.expect(200);
    assert_eq!(again.data(), first.data(), "also after a crash");
    let unknown = "b4b7f6a0-0f6d-4c3e-9d1d-0a1b2c3d4e5f";
    poll(&stage.phone, "0", &format!("{notification},{unknown}"))
        .await
        .expect(204);
    poll(&stage.phone, "0", &notification).await.expect(204);

    claims_acknowledge(&stage).await;
    newest_poll_wins(&stage).await;
    ends_with_the_key(&stage).await;
}

async fn claims_acknowledge(stage: &Stage) {
    stage.tune(OWNER, json!({"messages_per_minute": 60})).await;
    let id = text(&stage.user.send(OWNER, CONTACT, "claimed").await["id"]);
    poll(&stage.phone, "20", "").await.expect(200);
    stage.phone.claim(&id).await.expect(200);
    poll(&stage.phone, "0", "").await.expect(204);
}

async fn newest_poll_wins(stage: &Stage) {
    let open = |phone: PhoneClient| tokio::spawn(async move { poll(&phone, "20", "").await });
    let older = open(stage.phone.clone());
    tokio::time::sleep(MOMENT).await;
    assert!(!older.is_finished());
    let newer = open(stage.phone.clone());
    let ended = tokio::time::timeout(SOON / 3, older)
        .await
        .expect("the older poll ends at once");
    ended.unwrap().expect(204);
    let id = text(&stage.user.send(OWNER, CONTACT, "for the newer").await["id"]);
    let woken = newer.await.unwrap().expect(200);
    assert_eq!(woken.data()[0]["data"]["KEY_MESSAGE_ID"], id.as_str());
    stage.phone.claim(&id).await.expect(200);
}

async fn ends_with_the_key(stage: &Stage) {
    let phone = stage.phone.clone();
    let open = tokio::spawn(async move { poll(&phone, "30", "").await });
    tokio::time::sleep(MOMENT).await;
    let keys = stage.user.get("/v1/phone-api-keys").await.expect(200);
    let id = text(&keys.data()[0]["id"]);
    stage
        .user
        .delete(&format!("/v1/phone-api-keys/{id}"))
        .await
        .expect(204);
    let ended = tokio::time::timeout(SOON / 2, open)
        .await
        .expect("a revoked key ends its poll");
    ended.unwrap().expect(401);
    poll(&stage.phone, "0", "").await.expect(401);
}

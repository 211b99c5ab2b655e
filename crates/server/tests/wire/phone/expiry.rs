//! Expiry and retry (rows 26 to 28). A minute is the shortest expiry the API takes: the rows are made a
//! minute older behind the server's back, and once a real minute passes.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Receiver, until};

use super::Listening;
use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, SOON, Stage, text, time};

#[tokio::test]
async fn what_is_not_reported_expires() {
    on_each_engine(expires).await;
}

async fn quick_to_expire(engine: Engine) -> (Stage, Receiver) {
    let stage = Stage::on(engine).await;
    let settings = json!({
        "message_expiration_seconds": 60, "max_send_attempts": 2, "messages_per_minute": 60,
    });
    stage.tune(OWNER, settings).await;
    let receiver = Receiver::start().await;
    let events = ["message.send.expired", "message.phone.sent"];
    stage.subscribe(&receiver, &events, &[OWNER]).await;
    (stage, receiver)
}

async fn expires(engine: Engine) {
    let (stage, receiver) = quick_to_expire(engine).await;
    let mut phone = Listening::new(&stage.phone);
    let id = text(&stage.user.send(OWNER, CONTACT, "nobody there").await["id"]);
    assert_eq!(phone.message().await, id);

    stage.age("nobody there", 60).await;
    assert_eq!(
        phone.message().await,
        id,
        "a second wake-up for the same message"
    );
    let message = stage.user.message(&id).await;
    assert_eq!(
        (&message["status"], &message["send_attempt_count"]),
        (&json!("scheduled"), &json!(2))
    );
    assert!(message["expired_at"].is_string());

    stage.age("nobody there", 60).await;
    let message = stage.user.wait_for_status(&id, "expired", SOON).await;
    assert_eq!(message["send_attempt_count"], 2);
    let seen = receiver.wait_for(2, SOON).await;
    let told: Vec<_> = seen.iter().map(|one| one.json()["data"].clone()).collect();
    let mut attempts: Vec<_> = told
        .iter()
        .map(|data| {
            (
                data["send_attempt_count"].as_u64(),
                data["is_final"].as_bool(),
            )
        })
        .collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [(Some(1), Some(false)), (Some(2), Some(true))]);

    // A phone that wakes up late may still send it.
    stage.phone.claim(&id).await.expect(200);
    stage.phone.report(&id, "SENT").await.expect(200);
    stage.user.wait_for_status(&id, "sent", SOON).await;
    receiver.wait_for(3, SOON).await;
}

/// The same with a real minute, as far as the first expiry.
pub async fn a_minute_is_a_minute() {
    let (stage, receiver) = quick_to_expire(Engine::Sqlite).await;
    let id = text(&stage.user.send(OWNER, CONTACT, "one minute").await["id"]);
    let mut phone = Listening::new(&stage.phone);
    assert_eq!(phone.message().await, id);
    let woken = Instant::now();
    receiver.wait_for(1, Duration::from_secs(75)).await;
    let waited = woken.elapsed();
    assert!((59..=63).contains(&waited.as_secs()), "{waited:?}");
    let data = receiver.requests()[0].json()["data"].clone();
    assert_eq!(
        (&data["is_final"], &data["message_id"]),
        (&json!(false), &json!(id))
    );
    assert_eq!(phone.message().await, id);
    let again = async || {
        let message = stage.user.message(&id).await;
        (message["status"] == "scheduled").then_some(message)
    };
    let message = until("it is scheduled again", SOON, again).await;
    assert!(time(&message["scheduled_at"]) >= time(&message["expired_at"]));
}

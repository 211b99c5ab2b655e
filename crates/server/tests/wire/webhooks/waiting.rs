//! A webhook that is changed or deleted while deliveries wait for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Receiver, Respond};

use super::QUIET;
use super::retries::Scene;
use crate::scenes::{Scenes, on_each_engine};
use crate::stage::{Engine, SIGNING_KEY, SOON, Stage, USER_ID, text};
use crate::token::Token;

const EVENTS: [&str; 1] = ["message.phone.received"];

#[tokio::test]
async fn changes_take_effect_for_what_waits() {
    on_each_engine(changes).await;
}

async fn changes(engine: Engine) {
    let stage = Arc::new(Stage::on(engine).await);
    let scene = |place| Scene::new(&stage, place);
    Scenes::default()
        .and("moved", moved(scene(1)))
        .and("another key", another_key(scene(2)))
        .and("deleted", deleted(scene(3)))
        .and("no longer wanted", no_longer_wanted(scene(4)))
        .play()
        .await;
}

fn draft(scene: &Scene, url: &str, key: &str, events: &[&str]) -> Value {
    json!({
        "url": url, "signing_key": key, "events": events, "phone_numbers": [scene.number],
    })
}

async fn put(scene: &Scene, webhook: &str, draft: &Value) -> Value {
    let path = format!("/v1/webhooks/{webhook}");
    let changed = scene.stage.user.put(&path, draft).await;
    changed.expect(200).into_data()
}

/// What waits goes to the new address, with a token for it.
async fn moved(scene: Scene) {
    let (old, new) = (
        Receiver::answering(vec![Respond::status(503)]).await,
        Receiver::start().await,
    );
    let webhook = scene.listen(&old).await;
    scene.happen("follow me").await;
    old.wait_for(1, SOON).await;
    let url = new.url("/new");
    let changed = put(&scene, &webhook, &draft(&scene, &url, SIGNING_KEY, &EVENTS)).await;
    assert_eq!(
        (text(&changed["id"]), text(&changed["url"])),
        (webhook, url.clone())
    );
    let seen = new.wait_for(1, SOON).await;
    Token::verified(&seen[0], SIGNING_KEY).expect(&seen[0], USER_ID, &url);
    assert_eq!(seen[0].body, old.requests()[0].body);
    tokio::time::sleep(QUIET).await;
    assert_eq!((old.count(), new.count()), (1, 1));
}

async fn another_key(scene: Scene) {
    let receiver = Receiver::answering(vec![Respond::status(503), Respond::ok()]).await;
    let webhook = scene.listen(&receiver).await;
    scene.happen("sign again").await;
    let seen = receiver.wait_for(1, SOON).await;
    let key = "another key of thirty-two letters";
    let url = receiver.url("/hook");
    put(&scene, &webhook, &draft(&scene, &url, key, &EVENTS)).await;
    Token::verified(&seen[0], SIGNING_KEY);
    let seen = receiver.wait_for(2, SOON).await;
    Token::verified(&seen[1], key).expect(&seen[1], USER_ID, &url);
}

async fn deleted(scene: Scene) {
    let receiver = Receiver::answering(vec![Respond::status(503)]).await;
    let webhook = scene.listen(&receiver).await;
    scene.happen("never mind").await;
    receiver.wait_for(1, SOON).await;
    let path = format!("/v1/webhooks/{webhook}");
    scene.stage.user.delete(&path).await.expect(200);
    scene.stage.user.delete(&path).await.expect(404);
    scene.happen("nobody listens").await;
    tokio::time::sleep(2 * QUIET).await;
    assert_eq!(receiver.count(), 1);
}

/// A webhook that asks for other events now is told those, and what happened before is not taken back.
async fn no_longer_wanted(scene: Scene) {
    let receiver = Receiver::start().await;
    let webhook = scene.listen(&receiver).await;
    scene.happen("1").await;
    receiver.wait_for(1, SOON).await;
    let url = receiver.url("/hook");
    put(
        &scene,
        &webhook,
        &draft(&scene, &url, "", &["message.call.missed"]),
    )
    .await;
    scene.happen("2").await;
    let call = json!({
        "sim": "SIM1", "from": "+18005550100", "to": scene.number,
        "timestamp": "2026-01-02T03:04:05Z",
    });
    scene
        .stage
        .phone
        .post("/v1/messages/calls/missed", &call)
        .await
        .expect(200);
    let seen = receiver.wait_for(2, SOON).await;
    assert_eq!(seen[1].header("x-event-type"), Some("message.call.missed"));
    assert_eq!(
        seen[1].header("authorization"),
        None,
        "the key was taken away"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.count(), 2);
}

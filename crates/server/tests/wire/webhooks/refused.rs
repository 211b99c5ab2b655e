//! What is not tried again: every success, and every answer that would be the same the next time.

use std::sync::Arc;
use std::time::Duration;

use testkit::{Receiver, Respond, Usage};

use super::QUIET;
use super::retries::Scene;
use crate::scenes::Scenes;
use crate::stage::{Engine, SOON, Stage};

/// Answers of every kind that end it.
pub async fn what_is_final_is_not_tried_again() {
    let stage = Arc::new(Stage::on(Engine::Sqlite).await);
    let scene = |place| Scene::new(&stage, place);
    Scenes::default()
        .and("every 2xx", every_2xx(scene(1)))
        .and("redirects", redirects(scene(2)))
        .and(
            "other 3xx",
            refused(scene(3), &[300, 301, 303, 304, 307, 308]),
        )
        .and(
            "4xx",
            refused(scene(4), &[400, 401, 403, 404, 405, 410, 413, 422]),
        )
        .and("an endless body", endless(scene(5)))
        .and("a slow success", slow(scene(6)))
        .play()
        .await;
}

/// An operator may forbid addresses of the own network.
#[tokio::test]
async fn private_networks_can_be_forbidden() {
    let flags = ["--webhook-private-networks=deny"];
    let stage = Arc::new(Stage::with(Engine::Sqlite, &flags).await);
    let scene = Scene::new(&stage, 1);
    let receiver = Receiver::start().await;
    let webhook = scene.listen(&receiver).await;
    scene.happen("inside").await;
    let failed = scene.given_up(&webhook).await;
    assert_eq!(
        failed["data"]["http_response_status_code"],
        serde_json::Value::Null
    );
    assert_eq!((receiver.count(), receiver.connections()), (0, 0));
}

async fn every_2xx(scene: Scene) {
    let codes = [200, 201, 202, 204, 206, 299];
    let receiver = Receiver::with(move |request| Respond::status(codes[request.index % 6])).await;
    scene.listen(&receiver).await;
    for code in codes {
        scene.happen(&format!("answered {code}")).await;
    }
    receiver.wait_for(codes.len(), SOON).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(receiver.count(), codes.len());
}

/// A redirect leads nowhere: neither is it followed, nor is it success.
async fn redirects(scene: Scene) {
    let other = Receiver::start().await;
    let elsewhere = Respond::Redirect(other.url("/stolen"));
    let receiver = Receiver::answering(vec![elsewhere]).await;
    let webhook = scene.listen(&receiver).await;
    scene.happen("go away").await;
    let failed = scene.given_up(&webhook).await;
    assert_eq!(failed["data"]["http_response_status_code"], 302);
    tokio::time::sleep(QUIET).await;
    assert_eq!((receiver.count(), other.count()), (1, 0));
}

/// One attempt for each event, whatever `Retry-After` says.
async fn refused(scene: Scene, codes: &'static [u16]) {
    let receiver = Receiver::with(|request| {
        Respond::status(codes[request.index % codes.len()]).with_header("retry-after", "1")
    })
    .await;
    scene.listen(&receiver).await;
    for code in codes {
        scene.happen(&format!("refused with {code}")).await;
    }
    receiver.wait_for(codes.len(), SOON).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(receiver.count(), codes.len());
}

/// Of a body without an end only the beginning is read: it costs neither memory nor a second attempt.
async fn endless(scene: Scene) {
    let receiver = Receiver::answering(vec![Respond::StreamForever]).await;
    scene.listen(&receiver).await;
    let before = scene.stage.usage();
    for content in ["1", "2", "3", "4"] {
        scene.happen(content).await;
    }
    receiver.wait_for(4, SOON).await;
    tokio::time::sleep(QUIET).await;
    let Usage { peak_rss, .. } = scene.stage.usage();
    assert_eq!(receiver.count(), 4);
    assert!(
        peak_rss < before.peak_rss + (64 << 20),
        "{before:?}, then {peak_rss}"
    );
}

/// Slow is not wrong, as long as the five seconds are kept.
async fn slow(scene: Scene) {
    let late = Respond::ok().after(Duration::from_millis(4_300));
    let receiver = Receiver::answering(vec![late]).await;
    scene.listen(&receiver).await;
    scene.happen("patience").await;
    receiver.wait_for(1, SOON).await;
    tokio::time::sleep(Duration::from_millis(4_300) + QUIET).await;
    assert_eq!(receiver.count(), 1);
}

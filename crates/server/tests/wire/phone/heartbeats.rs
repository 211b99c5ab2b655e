//! Heartbeats that stop and come back (row 42).

use serde_json::Value;
use testkit::Receiver;

use super::Listening;
use crate::stage::{Engine, OWNER, SOON, Stage, of_type, text, time};

const OFFLINE: &str = "phone.heartbeat.offline";
const ONLINE: &str = "phone.heartbeat.online";

/// Nudged first, then offline, and online again.
pub async fn a_silent_phone(engine: Engine) {
    let stage = Stage::with(engine, &["--phone-offline-after=4s"]).await;
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &[OFFLINE, ONLINE], &[OWNER])
        .await;
    stage.phone.heartbeat(&[OWNER]).await.expect(201);

    let nudge = Listening::new(&stage.phone).next().await;
    assert_eq!(nudge.as_object().unwrap().len(), 1, "{nudge}");
    let asked = text(&nudge["KEY_HEARTBEAT_ID"]);
    time(&Value::from(asked.clone()));
    assert_eq!(
        (asked.len(), asked.ends_with('Z')),
        ("2026-01-02T03:04:05Z".len(), true),
        "{asked}"
    );

    let seen = receiver.wait_for(1, SOON).await;
    assert_eq!(of_type(&seen, OFFLINE), 1);
    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    let seen = receiver.wait_for(2, SOON).await;
    assert_eq!((of_type(&seen, OFFLINE), of_type(&seen, ONLINE)), (1, 1));
    // A heartbeat takes the nudges back.
    let polled = stage.phone.get("/v1/phones/notifications").await;
    polled.expect(204);
}

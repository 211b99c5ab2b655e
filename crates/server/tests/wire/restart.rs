//! Timers are rows: they run on over a restart, each once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{Fcm, Received, Receiver, Respond};

use crate::scenes::Scenes;
use crate::stage::{CONTACT, Engine, OWNER, SOON, Stage, of_type, text};

const OFFLINE: &str = "phone.heartbeat.offline";
const ONLINE: &str = "phone.heartbeat.online";

/// Heartbeats, send times and rates.
pub async fn timers_run_on(engine: Engine) {
    Scenes::default()
        .and("heartbeats", heartbeats(engine))
        .and("a send time to come", send_time(engine))
        .and("the rate", rate(engine))
        .and("a stop in good order", stop(engine))
        .play()
        .await;
}

/// How many different events of a type have come; one may come twice when the server is killed.
fn different(seen: &[Received], kind: &str) -> usize {
    let of_kind = seen
        .iter()
        .filter(|one| one.header("x-event-type") == Some(kind));
    let ids: HashSet<String> = of_kind.map(|one| text(&one.json()["id"])).collect();
    ids.len()
}

/// A phone goes offline and comes back while the server is killed, once each.
async fn heartbeats(engine: Engine) {
    let mut stage = Stage::with(engine, &["--phone-offline-after=4s"]).await;
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &[OFFLINE, ONLINE], &[OWNER])
        .await;
    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    stage.server.kill();
    // Down when the phone should be found offline.
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    stage.server.restart().await;
    receiver.wait_for(1, SOON).await;
    stage.server.restart().await;
    stage.server.restart().await;
    assert_eq!(different(&receiver.requests(), OFFLINE), 1);

    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    stage.server.restart().await;
    // A second one, at once: the phone is online already.
    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    let both = |seen: &[Received]| of_type(seen, ONLINE) > 0;
    let seen = receiver.wait_until(both, SOON).await;
    assert_eq!(different(&seen, ONLINE), 1);

    // And offline again, by a timer that the killed process set: the second change, told once.
    let again = |seen: &[Received]| different(seen, OFFLINE) == 2;
    receiver.wait_until(again, SOON).await;
    stage.server.restart().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = receiver.requests();
    assert_eq!(
        (different(&seen, OFFLINE), different(&seen, ONLINE)),
        (2, 1)
    );
}

/// One time comes after the restart, the other while the server is down.
async fn send_time(engine: Engine) {
    let mut stage = Stage::on(engine).await;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let later = Timestamp::now() + SignedDuration::from_secs(9);
    let id_soon = send_at(&stage, "soon", soon).await;
    let id_later = send_at(&stage, "later", later).await;
    stage.server.kill();
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    stage.server.restart().await;

    let first = stage
        .user
        .wait_for_status(&id_soon, "scheduled", SOON)
        .await;
    assert_eq!(first["send_attempt_count"].as_u64().unwrap_or(9) / 2, 0);
    let waiting = stage.user.message(&id_later).await;
    assert_eq!(
        (&waiting["status"], &waiting["scheduled_at"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!(woken(&stage).await, id_soon);
    assert_eq!(woken(&stage).await, id_later);
    let now = Timestamp::now();
    assert!(now >= later, "{now} is before {later}");
    assert!(
        now.duration_since(later).as_secs() < 15,
        "{now} is long after {later}"
    );
}

async fn send_at(stage: &Stage, content: &str, time: Timestamp) -> String {
    let sms = json!({
        "from": OWNER, "to": CONTACT, "content": content, "send_at": time.to_string(),
    });
    let sent = stage.user.post("/v1/messages/send", &sms).await.expect(200);
    text(&sent.data()["id"])
}

/// The message that the phone is woken for next, which it claims.
async fn woken(stage: &Stage) -> String {
    let path = "/v1/phones/notifications?wait=30";
    let woken = stage.phone.get(path).await.expect(200);
    let id = text(&woken.data()[0]["data"]["KEY_MESSAGE_ID"]);
    stage.phone.claim(&id).await.expect(200);
    id
}

/// Ten a minute stay ten a minute: the next one does not come early because the server was new.
async fn rate(engine: Engine) {
    let fcm = Fcm::start().await;
    let mut stage = Stage::with(engine, &[&format!("--fcm-endpoint={}", fcm.endpoint())]).await;
    stage.phone.register(OWNER, "SIM1", "fcm-abc").await;
    for content in ["1", "2"] {
        stage.user.send(OWNER, CONTACT, content).await;
    }
    fcm.wait_for(1, SOON).await;
    stage.server.stop().await;
    stage.server.restart().await;
    stage.user.send(OWNER, CONTACT, "3").await;
    let pushes = fcm.wait_for(2, SOON).await;
    stage.server.restart().await;
    let pushes = match pushes.len() {
        2 => fcm.wait_for(3, SOON).await,
        _ => pushes,
    };
    for two in pushes.windows(2) {
        let apart = two[1].at - two[0].at;
        let same = two[0].message_id() == two[1].message_id();
        assert!(apart >= Duration::from_millis(5_500) || same, "{apart:?}");
    }
}

/// What is under way when the server is told to stop is finished, and not done again.
async fn stop(engine: Engine) {
    let mut stage = Stage::on(engine).await;
    let slow = Respond::ok().after(Duration::from_secs(2));
    let receiver = Receiver::answering(vec![slow]).await;
    stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;
    let phone = stage.phone.clone();
    let poll = tokio::spawn(async move { phone.get("/v1/phones/notifications?wait=60").await });
    stage.phone.receive(CONTACT, OWNER, "in flight").await;
    receiver.wait_for(1, SOON).await;

    let told = Instant::now();
    assert!(stage.server.stop().await.success());
    let took = told.elapsed();
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    let ended = poll.await.unwrap();
    assert!([204, 503].contains(&ended.status), "{}", ended.status);
    stage.server.restart().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.count(), 1);
}

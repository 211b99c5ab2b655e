//! Phones that are woken through the push service, in its test mode (contract: events, §2.6).

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Fcm, FcmAnswer, PhoneClient, Push};

use tokio::task::JoinSet;

use super::MOMENT;
use crate::scenes::Scenes;
use crate::stage::{CONTACT, Engine, OWNER, SECOND, SOON, Stage, setup, text};

/// The test mode, scene by scene.
pub async fn phones_are_woken_through_the_push_service() {
    Scenes::default()
        .and("happy path, spaced", spaced())
        .and("many at once, spaced", many_at_once())
        .and("transient refusals", transient())
        .and("a dead token", dead())
        .and("a nudge", nudge())
        .play()
        .await;
}

const TOKEN: &str = "fcm-abc";

/// A server with this push service, and a phone that is woken through it.
async fn stage(fcm: &Fcm, engine: Engine) -> Stage {
    let flag = format!("--fcm-endpoint={}", fcm.endpoint());
    let stage = Stage::with(engine, &[&flag]).await;
    stage.phone.register(OWNER, "SIM1", TOKEN).await;
    stage
}

fn as_documented(push: &Push, id: &str) {
    assert_eq!(
        (push.project.as_str(), push.token.as_str()),
        ("httpsms-test", TOKEN)
    );
    assert_eq!(push.data, json!({"KEY_MESSAGE_ID": id}));
    assert_eq!(push.android, json!({"priority": "normal"}));
    assert_eq!(push.authorization, None);
}

async fn report(phone: &PhoneClient, id: &str, event: &str) -> Value {
    phone.report(id, event).await.expect(200).into_data()
}

/// Ten a minute is one in six seconds.
async fn spaced() {
    let fcm = Fcm::start().await;
    let stage = stage(&fcm, Engine::Postgres).await;
    let first = text(&stage.user.send(OWNER, CONTACT, "1").await["id"]);
    let second = text(&stage.user.send(OWNER, CONTACT, "2").await["id"]);
    let pushes = fcm.wait_for(2, SOON).await;
    as_documented(&pushes[0], &first);
    as_documented(&pushes[1], &second);
    let apart = pushes[1].at - pushes[0].at;
    assert!(
        (Duration::from_millis(5_500)..Duration::from_secs(9)).contains(&apart),
        "{apart:?}"
    );

    let waiting = stage.user.message(&second).await;
    assert_eq!(waiting["status"], "scheduled", "pushed, and not answered");
    assert_eq!(
        stage.phone.claim(&first).await.expect(200).data()["status"],
        "sending"
    );
    assert_eq!(report(&stage.phone, &first, "SENT").await["status"], "sent");
    assert_eq!(
        report(&stage.phone, &first, "DELIVERED").await["status"],
        "delivered"
    );
    // Without a claim, as some phones do.
    assert_eq!(
        report(&stage.phone, &second, "SENT").await["status"],
        "sent"
    );
    assert_eq!(
        report(&stage.phone, &second, "DELIVERED").await["status"],
        "delivered"
    );
    assert_eq!(stage.user.message(&first).await["send_attempt_count"], 1);
    assert_eq!(fcm.pushes().len(), 2);
}

/// The rate holds when everybody sends at the same time.
async fn many_at_once() {
    let fcm = Fcm::start().await;
    let stage = stage(&fcm, Engine::Postgres).await;
    stage.tune(OWNER, json!({"messages_per_minute": 60})).await;
    let send = |turn: u8| {
        let user = stage.user.clone();
        async move { user.send(OWNER, CONTACT, &turn.to_string()).await }
    };
    (0..6).map(send).collect::<JoinSet<_>>().join_all().await;
    let pushes = fcm.wait_for(6, SOON).await;
    let mut ids: Vec<_> = pushes.iter().filter_map(Push::message_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each once");
    for two in pushes.windows(2) {
        let apart = two[1].at - two[0].at;
        // The network may bring two a little closer than they left.
        assert!(apart >= Duration::from_millis(900), "{apart:?}");
    }
}

async fn transient() {
    let fcm = Fcm::answering(vec![
        FcmAnswer::Unavailable,
        FcmAnswer::QuotaExceeded(2),
        FcmAnswer::Sent,
    ])
    .await;
    let stage = stage(&fcm, Engine::Sqlite).await;
    let id = text(&stage.user.send(OWNER, CONTACT, "again").await["id"]);
    let pushes = fcm.wait_for(3, SOON).await;
    for push in &pushes {
        as_documented(push, &id);
    }
    assert!(pushes[1].at - pushes[0].at >= Duration::from_secs(1));
    assert!(pushes[2].at - pushes[1].at >= Duration::from_secs(2));
    tokio::time::sleep(MOMENT).await;
    let message = stage.user.message(&id).await;
    assert_eq!(
        (&message["status"], &message["send_attempt_count"]),
        (&json!("scheduled"), &json!(1))
    );
    assert_eq!(fcm.pushes().len(), 3);
}

async fn dead() {
    let fcm = Fcm::answering(vec![FcmAnswer::Unregistered]).await;
    let stage = stage(&fcm, Engine::Sqlite).await;
    let id = text(&stage.user.send(OWNER, CONTACT, "lost").await["id"]);
    let message = stage.user.wait_for_status(&id, "failed", SOON).await;
    let words = format!(
        "cannot send notification to your phone [{OWNER}]. \
         Reinstall the httpSMS app on your Android phone."
    );
    assert_eq!(message["failure_reason"], words);
    assert_eq!(message["send_attempt_count"], 0);
    assert_eq!(fcm.pushes().len(), 1);

    // Without any token the reason names the phone.
    let phone = stage.phone.register(SECOND, "SIM2", "").await;
    let id = text(&stage.user.send(SECOND, CONTACT, "no token").await["id"]);
    let message = stage.user.wait_for_status(&id, "failed", SOON).await;
    let words = format!("phone with id [{}] has no FCM token", text(&phone["id"]));
    assert_eq!(message["failure_reason"], words);

    // A phone that fetches its wake-ups is not pushed, though there is a push service.
    stage.phone.register(SECOND, "SIM2", "stream:own").await;
    stage.tune(SECOND, json!({"messages_per_minute": 60})).await;
    let id = text(&stage.user.send(SECOND, CONTACT, "fetched").await["id"]);
    assert_eq!(super::Listening::new(&stage.phone).message().await, id);
    assert_eq!(fcm.pushes().len(), 1);
}

async fn nudge() {
    let fcm = Fcm::start().await;
    let flag = format!("--fcm-endpoint={}", fcm.endpoint());
    let server = setup()
        .args(["--phone-offline-after=4s", &flag])
        .start()
        .await;
    let stage = Stage::around(server, None).await;
    stage.phone.register(OWNER, "SIM1", TOKEN).await;
    stage.phone.heartbeat(&[OWNER]).await.expect(201);
    let pushes = fcm.wait_for(1, SOON).await;
    assert_eq!(pushes[0].android, json!({"priority": "high"}));
    assert!(pushes[0].data["KEY_HEARTBEAT_ID"].is_string());
}

//! Many at the same time: one of them wins, and the others change nothing.

use serde_json::json;
use testkit::{Answer, PhoneClient, Receiver};
use tokio::task::JoinSet;

use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, SECOND, SOON, Stage, of_type, text};

const CROWD: usize = 20;
const EVENTS: [&str; 3] = [
    "message.phone.sent",
    "message.phone.delivered",
    "message.send.failed",
];

#[tokio::test]
async fn of_many_at_the_same_time_one_wins() {
    on_each_engine(race).await;
}

/// The same by everybody at the same time.
async fn crowd<F: Future<Output = Answer> + Send + 'static>(
    stage: &Stage,
    act: impl Fn(PhoneClient, usize) -> F,
) -> Vec<Answer> {
    let all: JoinSet<_> = (0..CROWD)
        .map(|nth| act(stage.phone.clone(), nth))
        .collect();
    all.join_all().await
}

async fn race(engine: Engine) {
    let stage = Stage::on(engine).await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver, &EVENTS, &[OWNER]).await;

    let id = text(&stage.user.send(OWNER, CONTACT, "for one phone").await["id"]);
    let message = id.clone();
    let claims = crowd(&stage, |phone, _| {
        let id = message.clone();
        async move { phone.claim(&id).await }
    })
    .await;
    let won = claims.iter().filter(|claim| claim.status == 200).count();
    let lost = claims.iter().filter(|claim| claim.status == 404).count();
    assert_eq!((won, lost), (1, CROWD - 1));

    let reports = crowd(&stage, |phone, nth| {
        let id = message.clone();
        async move { phone.report(&id, ["SENT", "DELIVERED"][nth % 2]).await }
    })
    .await;
    assert!(reports.iter().all(|report| report.status == 200));
    let message = stage.user.message(&id).await;
    assert_eq!(message["status"], "delivered");

    // SENT after DELIVERED is too late, so it may be told or not, but never twice.
    let delivered = |seen: &[testkit::Received]| of_type(seen, EVENTS[1]) > 0;
    receiver.wait_until(delivered, SOON).await;
    tokio::time::sleep(super::MOMENT).await;
    let seen = receiver.requests();
    assert!(of_type(&seen, EVENTS[0]) <= 1, "{}", seen.len());
    assert_eq!(
        (of_type(&seen, EVENTS[1]), of_type(&seen, EVENTS[2])),
        (1, 0)
    );

    let phones = crowd(&stage, |phone, _| async move {
        let new = json!({"phone_number": SECOND, "fcm_token": "stream:x", "sim": "SIM2"});
        phone.put("/v1/phones/fcm-token", &new).await
    })
    .await;
    assert!(phones[0].data()["id"].is_string());
    assert!(
        phones
            .iter()
            .all(|phone| phone.data()["id"] == phones[0].data()["id"])
    );
}

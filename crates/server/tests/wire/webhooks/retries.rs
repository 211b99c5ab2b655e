//! What is tried again, how often and when: failures of the receiver, and receivers that do not answer.
//! All scenes play on one server at the same time: they mostly wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Received, Receiver, Respond, until};

use super::{QUIET, gaps};
use crate::scenes::Scenes;
use crate::stage::{CONTACT, Engine, SIGNING_KEY, Stage, USER_ID, number, text};
use crate::token::Token;

/// The most that all attempts of a delivery can take: 5 of 5 s, and waits of 1, 2, 4 and 8 s and a fifth.
const LONG: Duration = Duration::from_mins(1);
/// What an attempt gets for everything.
const LIMIT: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// Every kind of failure.
pub async fn failures_are_tried_again_on_sqlite() {
    let stage = Arc::new(Stage::on(Engine::Sqlite).await);
    let scene = |place| Scene::new(&stage, place);
    Scenes::default()
        .and("five attempts", five_attempts(scene(1)))
        .and("down, then up", down_then_up(scene(2)))
        .and("silent", times_out(scene(3), Respond::HangBeforeHeaders))
        .and("no body", times_out(scene(4), Respond::HangAfterHeaders))
        .and("dripping", times_out(scene(5), drip()))
        .and("reset", breaks(scene(6), Respond::Reset))
        .and("closed", breaks(scene(7), Respond::Close))
        .and(
            "no HTTP",
            breaks(scene(8), Respond::Malformed("SSH-2.0-x\r\n".into())),
        )
        .and("408", asked_to_wait(scene(9), 408))
        .and("429", asked_to_wait(scene(10), 429))
        .and("503", asked_to_wait(scene(11), 503))
        .and("every 5xx", every_5xx(scene(12)))
        .and("nobody there", nobody(scene(13)))
        .play()
        .await;
}

/// Those that an engine could have a part in.
pub async fn failures_are_tried_again_on_postgresql() {
    let stage = Arc::new(Stage::on(Engine::Postgres).await);
    let scene = |place| Scene::new(&stage, place);
    Scenes::default()
        .and("five attempts", five_attempts(scene(1)))
        .and("down, then up", down_then_up(scene(2)))
        .and("silent", times_out(scene(3), Respond::HangBeforeHeaders))
        .and("429", asked_to_wait(scene(4), 429))
        .play()
        .await;
}

fn drip() -> Respond {
    Respond::Drip(Duration::from_millis(200))
}

/// A number of its own on the common server.
pub(super) struct Scene {
    pub stage: Arc<Stage>,
    pub number: String,
}

impl Scene {
    pub fn new(stage: &Arc<Stage>, place: usize) -> Self {
        Self {
            stage: Arc::clone(stage),
            number: number(place),
        }
    }

    /// Signs the number in, and subscribes the receiver to what it receives; the webhook's id.
    pub async fn listen(&self, receiver: &Receiver) -> String {
        self.stage.sign_in(&self.number).await;
        let events = ["message.phone.received"];
        let webhook = self
            .stage
            .subscribe(receiver, &events, &[&self.number])
            .await;
        text(&webhook["id"])
    }

    /// Makes an event happen, about this message.
    pub async fn happen(&self, content: &str) -> Value {
        self.stage
            .phone
            .receive(CONTACT, &self.number, content)
            .await
    }

    /// The event that says that a delivery to the webhook was given up; there is only one.
    pub async fn given_up(&self, webhook: &str) -> Value {
        let find = async || {
            let failed = self.stage.recorded("webhook.send.failed").await;
            let mut failed: Vec<_> = failed
                .into_iter()
                .filter(|event| event["data"]["webhook_id"] == webhook)
                .collect();
            assert!(failed.len() <= 1);
            failed.pop()
        };
        until("the failure is recorded", LONG, find).await
    }
}

fn same_event(seen: &[Received]) -> bool {
    seen.windows(2).all(|two| two[0].body == two[1].body)
}

async fn five_attempts(scene: Scene) {
    let answering = Duration::from_millis(300);
    let receiver =
        Receiver::with(move |_| Respond::text(500, "out of order").after(answering)).await;
    let webhook = scene.listen(&receiver).await;
    let message = scene.happen("refused").await;

    let seen = receiver.wait_for(5, LONG).await;
    let waits = gaps(&seen, answering);
    assert!(waits.iter().all(|gap| *gap >= SECOND), "{waits:?}");
    assert!(same_event(&seen));
    let url = receiver.url("/hook");
    let mut issued = Vec::new();
    for request in &seen {
        let token = Token::verified(request, SIGNING_KEY);
        token.expect(request, USER_ID, &url);
        issued.push(token.issued_at());
    }
    assert!(
        issued.windows(2).all(|two| two[0] < two[1]),
        "each token is new: {issued:?}"
    );

    let failed = scene.given_up(&webhook).await;
    assert_eq!(receiver.count(), 5, "given up, so there is no sixth");
    recorded(&failed, &scene, &seen[0], &message, &url);
}

/// The failure names the webhook, the event, and what the receiver said.
fn recorded(failed: &Value, scene: &Scene, request: &Received, message: &Value, url: &str) {
    let event = request.json();
    assert_eq!(failed["source"], event["source"]);
    let data = failed["data"].as_object().unwrap();
    let mut names: Vec<_> = data.keys().map(String::as_str).collect();
    names.sort_unstable();
    let all = [
        "error_message",
        "event_id",
        "event_payload",
        "event_type",
        "http_response_status_code",
        "owner",
        "user_id",
        "webhook_id",
        "webhook_url",
    ];
    assert_eq!(names, all);
    assert_eq!(data["error_message"], "out of order");
    assert_eq!(data["event_id"], event["id"]);
    assert_eq!(data["event_type"], "message.phone.received");
    assert_eq!(data["http_response_status_code"], 500);
    assert_eq!(data["owner"], scene.number.as_str());
    assert_eq!(data["user_id"], USER_ID);
    assert_eq!(data["webhook_url"], url);
    let payload: Value = serde_json::from_str(data["event_payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["message_id"], message["id"]);
}

async fn down_then_up(scene: Scene) {
    let receiver = Receiver::start().await;
    scene.listen(&receiver).await;
    let address = receiver.address();
    receiver.stop().await;
    scene.happen("nobody there").await;
    // Long enough for the first attempt to find nobody.
    tokio::time::sleep(SECOND).await;
    let back = Receiver::at(address, |_| Respond::ok()).await;
    back.wait_for(1, LONG).await;
}

/// Without an answer there is no status, but there are words.
async fn nobody(scene: Scene) {
    let receiver = Receiver::start().await;
    let webhook = scene.listen(&receiver).await;
    receiver.stop().await;
    scene.happen("in vain").await;
    let begun = Instant::now();
    let failed = scene.given_up(&webhook).await;
    assert!(
        begun.elapsed() >= 14 * SECOND,
        "five attempts take 15 seconds"
    );
    assert_eq!(failed["data"]["http_response_status_code"], Value::Null);
    assert_eq!(failed["data"]["error_message"], "connection refused");
}

/// An attempt ends after five seconds, whatever has come by then, and is tried again.
async fn times_out(scene: Scene, first: Respond) {
    let receiver = Receiver::answering(vec![first, Respond::ok()]).await;
    scene.listen(&receiver).await;
    scene.happen("slow").await;
    let seen = receiver.wait_for(2, LONG).await;
    let gap = seen[1].at - seen[0].at;
    let expected = LIMIT + SECOND..LIMIT + 3 * SECOND;
    // The clock of the attempt starts a moment before its request arrives.
    let early = Duration::from_millis(200);
    assert!(expected.contains(&(gap + early)), "{gap:?}");
    assert!(same_event(&seen));
    tokio::time::sleep(QUIET).await;
    assert_eq!(receiver.count(), 2);
}

async fn breaks(scene: Scene, first: Respond) {
    let receiver = Receiver::answering(vec![first, Respond::ok()]).await;
    scene.listen(&receiver).await;
    scene.happen("broken off").await;
    let seen = receiver.wait_for(2, LONG).await;
    assert!(gaps(&seen, Duration::ZERO)[0] >= SECOND);
    assert!(same_event(&seen));
}

/// The receiver asks for more patience than the second it would get.
async fn asked_to_wait(scene: Scene, status: u16) {
    let patience = Duration::from_secs(3);
    let busy = Respond::status(status).with_header("retry-after", "3");
    let receiver = Receiver::answering(vec![busy, Respond::status(status), Respond::ok()]).await;
    scene.listen(&receiver).await;
    scene.happen("busy").await;
    let seen = receiver.wait_for(3, LONG).await;
    let waits = gaps(&seen, Duration::ZERO);
    assert!(
        (patience..patience + 2 * SECOND).contains(&waits[0]),
        "{waits:?}"
    );
    assert!(waits[1] >= SECOND, "{waits:?}");
}

async fn every_5xx(scene: Scene) {
    let receiver = Receiver::with(|request| match (request.path(), request.index) {
        (_, 0..5) => Respond::status([501, 502, 503, 504, 599][request.index]),
        _ => Respond::ok(),
    })
    .await;
    scene.listen(&receiver).await;
    for content in ["1", "2", "3", "4", "5"] {
        scene.happen(content).await;
    }
    // Five different events, each refused once and then taken.
    let seen = receiver.wait_for(10, LONG).await;
    let mut events: Vec<_> = seen.iter().map(|one| text(&one.json()["id"])).collect();
    events.sort_unstable();
    events.dedup();
    assert_eq!(events.len(), 5);
}

//! The far end of a webhook that keeps a ledger, and now and then fails.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use testkit::{Received, Receiver, Respond};

/// What the webhook subscribes.
pub const EVENTS: [&str; 4] = [
    "message.phone.received",
    "message.phone.sent",
    "message.phone.delivered",
    "message.send.failed",
];

/// An event as it arrived.
#[derive(Clone)]
pub struct Event {
    pub kind: String,
    pub message: String,
    pub content: String,
    body: bytes::Bytes,
    attempts: usize,
    taken: bool,
}

pub struct Arrivals {
    pub receiver: Receiver,
    ledger: Arc<Mutex<HashMap<String, Event>>>,
}

impl Arrivals {
    pub async fn start() -> Arc<Self> {
        let ledger = Arc::<Mutex<HashMap<String, Event>>>::default();
        let kept = Arc::clone(&ledger);
        let receiver = Receiver::unrecorded(move |request| {
            let (id, event) = read(request);
            let mut ledger = kept.lock().unwrap();
            let known = ledger.entry(id.clone()).or_insert(event);
            assert_eq!(
                known.body, request.body,
                "the same event is the same to the byte"
            );
            known.attempts += 1;
            let answer = answer(&id, known.attempts);
            known.taken |= matches!(&answer, Some(Respond::Status(200, ..)) | None);
            answer.unwrap_or_else(|| Respond::ok().after(Duration::from_millis(80)))
        })
        .await;
        Arc::new(Self { receiver, ledger })
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.receiver.count()
    }

    /// Every event so far, by its id.
    pub fn events(&self) -> HashMap<String, Event> {
        self.ledger.lock().unwrap().clone()
    }

    /// Those of the expected (type, message) of which no event was ever taken.
    pub fn missing(
        &self,
        expected: &HashSet<(&'static str, String)>,
    ) -> Vec<(&'static str, String)> {
        let ledger = self.ledger.lock().unwrap();
        let taken: HashSet<(&str, &str)> = ledger
            .values()
            .filter(|event| event.taken)
            .map(|event| (event.kind.as_str(), event.message.as_str()))
            .collect();
        let missing = expected.iter();
        missing
            .filter(|(kind, message)| !taken.contains(&(*kind, message.as_str())))
            .cloned()
            .collect()
    }
}

/// Some events are refused once or twice, and some answers take their time; by the event's id, so
/// that no event runs out of attempts. `None` is a slow yes.
fn answer(id: &str, attempt: usize) -> Option<Respond> {
    match (id.as_bytes()[id.len() - 1], attempt) {
        (b'0', 1 | 2) | (b'1', 1) => Some(Respond::status(500)),
        (b'2', 1) => Some(Respond::Reset),
        (b'3', 1) => Some(Respond::Close),
        (b'4'..=b'7', 1) => None,
        _ => Some(Respond::ok()),
    }
}

fn read(request: &Received) -> (String, Event) {
    let event: Value = request.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let data = &event["data"];
    let message = data.get("message_id").unwrap_or(&data["id"]);
    let read = Event {
        kind: text(&event["type"]),
        message: text(message),
        content: text(&data["content"]),
        body: request.body.clone(),
        attempts: 0,
        taken: false,
    };
    (text(&event["id"]), read)
}

//! Clients and phones that never stop, and remember what the server has acknowledged.
//! What broke off without an answer is tried again, as a real caller would.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use testkit::{Answer, Client, PhoneClient, UserClient};
use tokio::task::JoinHandle;

use crate::stage::{CONTACT, OWNER, SECOND, Stage, incoming, text};

const CALLERS: usize = 8;

/// What was acknowledged.
#[derive(Default)]
pub struct Ledger {
    /// By id.
    pub messages: HashMap<String, Known>,
    /// What must have made an event: its type, and the message.
    pub events: HashSet<(&'static str, String)>,
}

pub struct Known {
    pub content: String,
    pub status: &'static str,
}

/// How far a message is; it never goes back.
pub fn progress(status: &str) -> u8 {
    match status {
        "pending" | "scheduled" => 0,
        "sending" => 1,
        "sent" => 2,
        "delivered" | "failed" | "received" => 3,
        other => panic!("no message should be {other}"),
    }
}

pub struct Callers {
    shared: Arc<Shared>,
    running: Vec<JoinHandle<()>>,
}

struct Shared {
    user: UserClient,
    phone: PhoneClient,
    over: AtomicBool,
    ledger: Mutex<Ledger>,
}

impl Callers {
    pub fn start(stage: &Stage, dice: &mut StdRng) -> Self {
        let shared = Arc::new(Shared {
            user: stage.user.clone(),
            phone: stage.phone.clone(),
            over: AtomicBool::new(false),
            ledger: Mutex::default(),
        });
        let begin = |name| {
            let (shared, dice) = (Arc::clone(&shared), StdRng::from_rng(dice));
            tokio::spawn(async move { shared.call(name, dice).await })
        };
        let running = (0..CALLERS).map(begin).collect();
        Self { shared, running }
    }

    /// How many changes were acknowledged so far.
    pub fn count(&self) -> usize {
        self.shared.ledger.lock().unwrap().events.len()
    }

    /// Lets everybody finish what they are at; the server has to be up.
    pub async fn stop(self) -> Ledger {
        self.shared.over.store(true, Ordering::Relaxed);
        for caller in self.running {
            caller.await.unwrap();
        }
        std::mem::take(&mut self.shared.ledger.lock().unwrap())
    }
}

impl Shared {
    async fn call(&self, name: usize, mut dice: StdRng) {
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let number = if dice.random_bool(0.5) { OWNER } else { SECOND };
            let content = format!("{name}.{turn} {}", dice.random::<u32>());
            if dice.random_bool(0.4) {
                self.incoming(number, content).await;
            } else {
                self.outgoing(number, content, &mut dice).await;
            }
        }
    }

    async fn incoming(&self, number: &str, content: String) {
        let sms = incoming(CONTACT, number, &content);
        if let Some(answer) = post(&self.phone, "/v1/messages/receive", &sms).await {
            let id = text(&answer.expect(200).data()["id"]);
            self.acknowledged(
                &id,
                Some(content),
                "received",
                Some("message.phone.received"),
            );
        }
    }

    async fn outgoing(&self, number: &str, content: String, dice: &mut StdRng) {
        let sms = json!({"from": number, "to": CONTACT, "content": content});
        let Some(answer) = post(&self.user, "/v1/messages/send", &sms).await else {
            return;
        };
        let id = text(&answer.expect(200).data()["id"]);
        self.acknowledged(&id, Some(content), "pending", None);
        if dice.random_bool(0.1) {
            return; // The phone is off.
        }
        self.claim(&id).await;
        self.report(&id, "SENT", "sent", "message.phone.sent").await;
        match dice.random_range(0..4) {
            0 => {
                self.report(&id, "FAILED", "failed", "message.send.failed")
                    .await;
            }
            1 => {}
            _ => {
                self.report(&id, "DELIVERED", "delivered", "message.phone.delivered")
                    .await;
            }
        }
    }

    async fn claim(&self, id: &str) {
        let path = format!("/v1/messages/outstanding?message_id={id}");
        let (answer, tries) = persist(|| self.phone.request(Method::GET, &path)).await;
        // An earlier claim may have worked, and only its answer was lost.
        assert!(answer.status == 200 || tries > 1, "{}", answer.text());
        self.acknowledged(id, None, "sending", None);
    }

    async fn report(&self, id: &str, event: &str, status: &'static str, kind: &'static str) {
        let path = format!("/v1/messages/{id}/events");
        let timestamp = "2026-01-02T03:04:05.678000000Z";
        let report = json!({"event_name": event, "reason": "NO_SERVICE", "timestamp": timestamp});
        let (answer, _) = persist(|| self.phone.request(Method::POST, &path).json(&report)).await;
        let message = answer.expect(200).into_data();
        assert_eq!(message["status"], status, "the answer shows the new status");
        self.acknowledged(id, None, status, Some(kind));
    }

    fn acknowledged(
        &self,
        id: &str,
        content: Option<String>,
        status: &'static str,
        event: Option<&'static str>,
    ) {
        let mut ledger = self.ledger.lock().unwrap();
        if let Some(content) = content {
            let known = Known { content, status };
            assert!(ledger.messages.insert(id.to_owned(), known).is_none());
        } else if let Some(known) = ledger.messages.get_mut(id) {
            known.status = status;
        }
        ledger
            .events
            .extend(event.map(|kind| (kind, id.to_owned())));
    }
}

/// Once, as somebody who does not know how to ask again; `None` when no answer came.
async fn post(client: &Client, path: &str, body: &Value) -> Option<Answer> {
    let answer = Answer::to(client.request(Method::POST, path).json(body)).await;
    if answer.is_err() {
        rest().await;
    }
    answer.ok()
}

/// Again and again, until there is an answer; beside it how many tries that took.
async fn persist(request: impl Fn() -> reqwest::RequestBuilder) -> (Answer, usize) {
    for tries in 1.. {
        match Answer::to(request()).await {
            Ok(answer) => return (answer, tries),
            Err(_) => rest().await,
        }
    }
    unreachable!("it tries for ever")
}

/// The server is away: another try at once would only burn the processor that it needs to come back.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

//! All eight events, each with its full payload: every member, in order, the nulls as well.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Received, Receiver};

use super::payload::Told;
use crate::phone::Listening;
use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, SOON, Stage, USER_ID, incoming, text, time};

const ALL: [&str; 8] = [
    "message.phone.received",
    "message.phone.sent",
    "message.phone.delivered",
    "message.send.failed",
    "message.send.expired",
    "message.call.missed",
    "phone.heartbeat.offline",
    "phone.heartbeat.online",
];

/// When a phone says that something happened, to the nanosecond as Android writes it, and with another offset.
const ANDROID: &str = "2026-01-02T03:04:05.678000000Z";
const OFFSET: &str = "2026-01-02T05:04:05.678+02:00";

#[tokio::test]
async fn every_payload_is_whole() {
    on_each_engine(whole).await;
}

async fn whole(engine: Engine) {
    let stage = Stage::with(engine, &["--phone-offline-after=4s"]).await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver, &ALL, &[OWNER]).await;
    let play = Play {
        stage: &stage,
        receiver: &receiver,
    };
    // First, while the phone has just signed in and is not offline yet.
    play.heartbeats().await;
    play.expired().await;
    play.received().await;
    play.sent_and_delivered().await;
    play.failed().await;
    play.missed_call().await;
}

struct Play<'a> {
    stage: &'a Stage,
    receiver: &'a Receiver,
}

impl Play<'_> {
    async fn received(&self) {
        let sms = incoming("TIKTOK", OWNER, "yo");
        let answer = self.stage.phone.post("/v1/messages/receive", &sms).await;
        let message = answer.expect(200).into_data();
        let event = self.event("message.phone.received").await;
        event.expect(
            "/v1/messages/receive",
            &[
                ("message_id", message["id"].clone()),
                ("user_id", USER_ID.into()),
                ("owner", OWNER.into()),
                ("encrypted", false.into()),
                ("contact", "TIKTOK".into()),
                ("timestamp", ANDROID.into()),
                ("content", "yo".into()),
                ("sim", "SIM1".into()),
                ("attachments", json!([])),
            ],
        );
    }

    async fn sent_and_delivered(&self) {
        let sms = json!({
            "from": OWNER, "to": CONTACT, "content": "c2VjcmV0", "encrypted": true,
            "request_id": "order-42",
        });
        let id = self.claimed(&sms).await;
        self.report(&id, "SENT", Value::Null, OFFSET).await;
        let source = format!("/v1/messages/{id}/events");
        let sent = self.event("message.phone.sent").await;
        sent.expect(
            &source,
            &[
                ("id", id.as_str().into()),
                ("user_id", USER_ID.into()),
                ("request_id", "order-42".into()),
                ("owner", OWNER.into()),
                ("contact", CONTACT.into()),
                ("encrypted", true.into()),
                ("timestamp", OFFSET.into()),
                ("content", "c2VjcmV0".into()),
                ("sim", "SIM1".into()),
            ],
        );
        self.report(&id, "DELIVERED", Value::Null, ANDROID).await;
        let delivered = self.event("message.phone.delivered").await;
        delivered.expect(
            &source,
            &[
                ("id", id.as_str().into()),
                ("owner", OWNER.into()),
                ("contact", CONTACT.into()),
                ("request_id", "order-42".into()),
                ("user_id", USER_ID.into()),
                ("encrypted", true.into()),
                ("timestamp", ANDROID.into()),
                ("content", "c2VjcmV0".into()),
                ("sim", "SIM1".into()),
            ],
        );
    }

    async fn failed(&self) {
        let sms = json!({"from": OWNER, "to": CONTACT, "content": "no luck"});
        let id = self.claimed(&sms).await;
        self.report(&id, "FAILED", "NO_SERVICE".into(), ANDROID)
            .await;
        let event = self.event("message.send.failed").await;
        event.expect(
            &format!("/v1/messages/{id}/events"),
            &[
                ("id", id.as_str().into()),
                ("error_message", "NO_SERVICE".into()),
                ("user_id", USER_ID.into()),
                ("owner", OWNER.into()),
                ("request_id", Value::Null),
                ("contact", CONTACT.into()),
                ("timestamp", ANDROID.into()),
                ("encrypted", false.into()),
                ("content", "no luck".into()),
                ("sim", "SIM1".into()),
            ],
        );
    }

    async fn missed_call(&self) {
        let call = json!({"sim": "SIM2", "from": CONTACT, "to": OWNER, "timestamp": ANDROID});
        let answer = self
            .stage
            .phone
            .post("/v1/messages/calls/missed", &call)
            .await;
        let message = answer.expect(200).into_data();
        let event = self.event("message.call.missed").await;
        event.expect(
            "/v1/messages/calls/missed",
            &[
                ("message_id", message["id"].clone()),
                ("user_id", USER_ID.into()),
                ("owner", OWNER.into()),
                ("contact", CONTACT.into()),
                ("timestamp", ANDROID.into()),
                ("sim", "SIM2".into()),
            ],
        );
    }

    /// Woken for and never reported, with one attempt: the first expiry is the last.
    async fn expired(&self) {
        let one = json!({"max_send_attempts": 1, "message_expiration_seconds": 60});
        self.stage.tune(OWNER, one).await;
        let sms = json!({"from": OWNER, "to": CONTACT, "content": "too late"});
        let sent = self.stage.user.post("/v1/messages/send", &sms).await;
        let id = text(&sent.expect(200).data()["id"]);
        assert_eq!(Listening::new(&self.stage.phone).message().await, id);
        self.stage.phone.claim(&id).await.expect(200);
        self.stage.age("too late", 60).await;
        let event = self.event("message.send.expired").await;
        let timestamp = event.data["timestamp"].clone();
        time(&timestamp);
        event.expect(
            "/v1/messages/send",
            &[
                ("message_id", id.as_str().into()),
                ("owner", OWNER.into()),
                ("send_attempt_count", 1.into()),
                ("is_final", true.into()),
                ("request_id", Value::Null),
                ("contact", CONTACT.into()),
                ("encrypted", false.into()),
                ("user_id", USER_ID.into()),
                ("timestamp", timestamp),
                ("content", "too late".into()),
                ("sim", "SIM1".into()),
            ],
        );
    }

    async fn heartbeats(&self) {
        let first = self.beat().await;
        let offline = self.event("phone.heartbeat.offline").await;
        offline.expect_heartbeat("/v1/phones/fcm-token", &first);
        let late = time(&offline.data["timestamp"]).duration_since(time(&first));
        assert!(late.as_millis() >= 4_000, "{late} after the last heartbeat");
        let second = self.beat().await;
        let online = self.event("phone.heartbeat.online").await;
        online.expect_heartbeat("/v1/heartbeats", &second);
        assert_eq!(online.data["monitor_id"], offline.data["monitor_id"]);
        assert_eq!(online.data["phone_id"], offline.data["phone_id"]);
    }

    /// Sends a heartbeat; when it was counted.
    async fn beat(&self) -> Value {
        let beat = self.stage.phone.heartbeat(&[OWNER]).await.expect(201);
        beat.data()[0]["timestamp"].clone()
    }

    async fn claimed(&self, sms: &Value) -> String {
        let sent = self.stage.user.post("/v1/messages/send", sms).await;
        let id = text(&sent.expect(200).data()["id"]);
        self.stage.phone.claim(&id).await.expect(200);
        id
    }

    async fn report(&self, id: &str, event: &str, reason: Value, timestamp: &str) {
        let path = format!("/v1/messages/{id}/events");
        let report = json!({"event_name": event, "reason": reason, "timestamp": timestamp});
        self.stage.phone.post(&path, &report).await.expect(200);
    }

    /// The next event of a type; there is only one.
    async fn event(&self, kind: &str) -> Told {
        let is = |one: &Received| one.header("x-event-type") == Some(kind);
        let wait = SOON + Duration::from_secs(5);
        let seen = self
            .receiver
            .wait_until(|seen| seen.iter().any(is), wait)
            .await;
        let found: Vec<_> = seen.iter().filter(|one| is(one)).collect();
        assert_eq!(found.len(), 1, "{kind} comes once");
        Told::read(found[0])
    }
}

//! The conformance script (contract: phone, §16), on each engine: rows 0 to 25, 29 to 31 and 41 here, 33 to 40
//! in `incoming`, 26 to 28 in `expiry`, 42 in `heartbeats`. Row 32 is about the phone alone.

use serde_json::{Value, json};
use testkit::PhoneClient;

use super::{AT, Listening, incoming};
use crate::scenes::on_each_engine;
use crate::stage::{CONTACT, Engine, OWNER, SECOND, SOON, Stage, text, time};

#[tokio::test]
async fn the_script_holds() {
    on_each_engine(script).await;
}

async fn script(engine: Engine) {
    let stage = Stage::on(engine).await;
    let play = Play::set_up(&stage).await;
    play.happy_path().await;
    play.failures().await;
    play.refusals().await;
    play.sims_and_bodies().await;
    play.deleted().await;
    incoming::rows(play.stage, &play.phone).await;
}

struct Play<'a> {
    stage: &'a Stage,
    phone: PhoneClient,
}

fn report(event: &str, reason: Option<&str>) -> Value {
    json!({"event_name": event, "reason": reason, "timestamp": AT})
}

impl<'a> Play<'a> {
    /// Rows 0 to 6.
    async fn set_up(stage: &'a Stage) -> Self {
        let user = &stage.user;
        let key = user
            .post("/v1/phone-api-keys", &json!({"name": "sim"}))
            .await
            .expect(200);
        let secret = text(&key.data()["api_key"]);
        assert!(secret.starts_with("pk_") && secret.len() == 67);
        assert_eq!(key.data()["phone_numbers"], json!([]));

        let phone = PhoneClient::new(stage.url(), &secret);
        let first = phone.register(OWNER, "SIM1", "stream:sim-A").await;
        assert!(first["id"].is_string() && first["user_id"].is_string());
        assert_eq!(first["sim"], "SIM1");
        let second = phone.register(SECOND, "SIM2", "stream:sim-A").await;
        assert_eq!(
            [
                "messages_per_minute",
                "message_expiration_seconds",
                "max_send_attempts"
            ]
            .map(|name| second[name].as_u64().unwrap()),
            [10, 600, 2]
        );
        let again = phone.register(OWNER, "SIM1", "stream:sim-A2").await;
        assert_eq!(again["id"], first["id"]);

        let keys = user.get("/v1/phone-api-keys?limit=10").await.expect(200);
        let bound = |name: &str| {
            let keys = keys.data().as_array().unwrap();
            keys.iter().find(|key| key["name"] == name).unwrap()["phone_numbers"].clone()
        };
        let mut numbers = bound("sim").as_array().unwrap().clone();
        numbers.sort_by_key(Value::to_string);
        assert_eq!(numbers, [SECOND, OWNER]);
        assert_eq!(bound("desk"), json!([]), "a number is moved, not copied");

        let play = Self { stage, phone };
        play.first_heartbeats().await;
        play
    }

    async fn first_heartbeats(&self) {
        let phone = self.phone.with_header("x-client-version", "sim-1");
        let both = json!({"charging": false, "phone_numbers": [OWNER, SECOND]});
        let beats = phone
            .post("/v1/heartbeats", &both)
            .await
            .expect(201)
            .into_data();
        assert_eq!(beats.as_array().unwrap().len(), 2);
        assert_eq!(
            (&beats[0]["version"], &beats[1]["owner"]),
            (&json!("sim-1"), &json!(SECOND))
        );
        let query = [("owner", OWNER), ("limit", "1")];
        let stored = self
            .stage
            .user
            .get_with("/v1/heartbeats", &query)
            .await
            .expect(200);
        assert_eq!(stored.data()[0]["id"], beats[0]["id"]);
    }

    async fn post(&self, id: &str, body: &Value, status: u16) -> Value {
        let path = format!("/v1/messages/{id}/events");
        self.phone
            .post(&path, body)
            .await
            .expect(status)
            .into_data()
    }

    async fn send(&self, sms: &Value) -> String {
        let sent = self
            .stage
            .user
            .post("/v1/messages/send", sms)
            .await
            .expect(200);
        assert_eq!(sent.data()["status"], "pending");
        text(&sent.data()["id"])
    }

    async fn claimed(&self, from: &str) -> String {
        let id = self
            .send(&json!({"from": from, "to": CONTACT, "content": "hi"}))
            .await;
        self.phone.claim(&id).await.expect(200);
        id
    }

    /// Rows 7 to 15.
    async fn happy_path(&self) {
        let sms = json!({"from": OWNER, "to": CONTACT, "content": "hi", "request_id": "r1"});
        let id = self.send(&sms).await;
        assert_eq!(Listening::new(&self.phone).message().await, id);
        let claimed = self.phone.claim(&id).await.expect(200).into_data();
        assert_eq!(claimed["status"], "sending");
        whole_message(&claimed);
        let refused = self.phone.claim(&id).await.expect(404);
        let words = format!("Cannot find outstanding message with ID [{id}]");
        assert_eq!(
            (refused.message(), refused.body["status"].as_str()),
            (words.as_str(), Some("error"))
        );

        let sent = self.post(&id, &report("SENT", None), 200).await;
        assert_eq!(sent["status"], "sent");
        self.post(&id, &report("DELIVERED", None), 200).await;
        let message = self.stage.user.message(&id).await;
        assert_eq!(message["status"], "delivered");
        assert_eq!(time(&message["sent_at"]), AT.parse().unwrap());
        assert_eq!(time(&message["delivered_at"]), AT.parse().unwrap());
        assert!(message["send_time"].is_i64());
        assert_eq!(
            self.post(&id, &report("SENT", None), 200).await["status"],
            "delivered"
        );
        self.post(&format!("{id}.0"), &report("SENT", None), 204)
            .await;
        assert_eq!(
            self.stage.user.message(&id).await["updated_at"],
            message["updated_at"]
        );
    }

    /// Rows 16 and 17.
    async fn failures(&self) {
        let reasons = [(Some("NO_SERVICE"), "NO_SERVICE"), (None, "UNKNOWN ERROR")];
        for (reason, stored) in reasons {
            let id = self.claimed(OWNER).await;
            self.post(&id, &report("FAILED", reason), 200).await;
            let message = self.stage.user.wait_for_status(&id, "failed", SOON).await;
            assert_eq!(message["failure_reason"], stored);
            assert_eq!(time(&message["failed_at"]), AT.parse().unwrap());
        }
    }

    /// Rows 18 to 25.
    async fn refusals(&self) {
        let unknown = "b4b7f6a0-0f6d-4c3e-9d1d-0a1b2c3d4e5f";
        self.post(unknown, &report("SENT", None), 404).await;
        let id = self.claimed(OWNER).await;
        let wrong = self.post(&id, &report("QUEUED", None), 422).await;
        assert!(wrong["event_name"].is_array(), "{wrong}");
        let answer = self.phone.claim("not-a-uuid").await.expect(422);
        assert!(!answer.field_errors("message_id").is_empty());
        let stranger = PhoneClient::new(self.stage.url(), "pk_wrong");
        stranger.heartbeat(&[OWNER]).await.expect(401);
        let beat = self.phone.heartbeat(&["+18005550111"]).await.expect(401);
        let owned = format!("[{OWNER},{SECOND}]");
        let either = [owned.clone(), format!("[{SECOND},{OWNER}]")];
        assert!(
            either.iter().any(|list| beat.text().contains(list)),
            "{}",
            beat.text()
        );
        for path in [
            "/v1/messages?owner=%2B18005550199&contact=%2B18005550100",
            "/v1/users/me",
        ] {
            self.phone.get(path).await.expect(401);
        }
        let other = self.stage.user.create_phone_key("other").await;
        let foreign = self
            .send(&json!({"from": OWNER, "to": CONTACT, "content": "mine"}))
            .await;
        other.claim(&foreign).await.expect(404);
        self.phone.claim(&foreign).await.expect(200);
        self.phone
            .heartbeat(&[OWNER, SECOND, OWNER])
            .await
            .expect(422);
    }

    /// Rows 29 to 31.
    async fn sims_and_bodies(&self) {
        let id = self
            .send(&json!({"from": SECOND, "to": CONTACT, "content": "2"}))
            .await;
        assert_eq!(
            self.phone.claim(&id).await.expect(200).data()["sim"],
            "SIM2"
        );
        let cipher = "8dV3bmUgc2VjcmV0IHRleHQgb2YgYW55IGxlbmd0aA==";
        let files = json!([
            "https://example.org/a.jpg",
            "http://example.org/b.png?c=%20d"
        ]);
        let sms = json!({
            "from": OWNER, "to": CONTACT, "content": cipher, "encrypted": true, "attachments": files,
        });
        let id = self.send(&sms).await;
        let claimed = self.phone.claim(&id).await.expect(200).into_data();
        assert_eq!(
            (claimed["content"].as_str(), &claimed["encrypted"]),
            (Some(cipher), &json!(true))
        );
        assert_eq!(claimed["attachments"], files);
    }

    /// Row 41.
    async fn deleted(&self) {
        let id = self.claimed(OWNER).await;
        self.stage
            .user
            .delete(&format!("/v1/messages/{id}"))
            .await
            .expect(204);
        self.post(&id, &report("SENT", None), 404).await;
    }
}

/// Every member is there, the nulls as well: a phone of the reference cannot do without.
fn whole_message(message: &Value) {
    let texts = [
        "id",
        "owner",
        "user_id",
        "contact",
        "content",
        "sim",
        "status",
        "type",
        "request_id",
        "created_at",
        "updated_at",
        "order_timestamp",
        "request_received_at",
        "last_attempted_at",
    ];
    for name in texts {
        assert!(message[name].is_string(), "{name}: {message}");
    }
    let nulls = [
        "failure_reason",
        "received_at",
        "sent_at",
        "send_time",
        "attachments",
        "delivered_at",
        "expired_at",
        "failed_at",
        "scheduled_send_time",
    ];
    for name in nulls {
        assert_eq!(message.get(name), Some(&Value::Null), "{name}: {message}");
    }
    assert!(message["encrypted"].is_boolean());
    assert!(message["scheduled_at"].is_string());
    for name in ["send_attempt_count", "max_send_attempts"] {
        assert!(message[name].is_u64(), "{name}: {message}");
    }
    assert_eq!(message.get("can_be_polled"), None);
}

//! What a phone does on the wire: the conformance script of the phone protocol, row by row, through the
//! mailbox and through the push service; and the simulated phone of the product itself.

pub mod expiry;
pub mod heartbeats;
mod incoming;
mod mailbox;
pub mod push;
mod races;
mod script;
mod simulated;

use std::time::Duration;

use serde_json::Value;
use testkit::PhoneClient;

use crate::stage::text;

/// A phone that fetches its wake-ups, one poll after the other.
pub struct Listening<'a> {
    phone: &'a PhoneClient,
    acks: Vec<String>,
}

impl<'a> Listening<'a> {
    pub fn new(phone: &'a PhoneClient) -> Self {
        Self {
            phone,
            acks: Vec::new(),
        }
    }

    /// Waits for the next wake-up that was not seen before, and acknowledges it with the poll after.
    pub async fn next(&mut self) -> Value {
        for _ in 0..10 {
            let ack = self.acks.join(",");
            let query = [("wait", "10"), ("ack", ack.as_str())];
            let answer = self
                .phone
                .get_with("/v1/phones/notifications", &query)
                .await;
            if answer.status == 204 {
                continue;
            }
            let answer = answer.expect(200);
            for wakeup in answer.data().as_array().unwrap() {
                let id = text(&wakeup["id"]);
                if !self.acks.contains(&id) {
                    self.acks.push(id);
                    return wakeup["data"].clone();
                }
            }
        }
        panic!("no wake-up came");
    }

    /// The next wake-up for a message; its id.
    pub async fn message(&mut self) -> String {
        loop {
            let data = self.next().await;
            assert_eq!(data.as_object().unwrap().len(), 1, "{data}");
            if let Some(id) = data["KEY_MESSAGE_ID"].as_str() {
                return id.to_owned();
            }
        }
    }
}

/// When something happened, by the phone's clock and as Android writes it.
const AT: &str = "2026-01-02T03:04:05.678000000Z";

/// A moment in which nothing may happen.
const MOMENT: Duration = Duration::from_millis(700);

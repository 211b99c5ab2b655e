//! What a phone does on the wire: the conformance script of the phone protocol, row by row, through the
//! mailbox and through the push service; and the simulated phone of the product itself.

mod expiry;
mod heartbeats;
mod mailbox;
mod push;
mod script;
mod simulated;

use std::time::Duration;

use serde_json::Value;
use testkit::PhoneClient;

use crate::stage::text;

/// A phone that fetches its wake-ups, one poll after the other.
struct Listening<'a> {
    phone: &'a PhoneClient,
    acks: Vec<String>,
}

impl<'a> Listening<'a> {
    fn new(phone: &'a PhoneClient) -> Self {
        Self {
            phone,
            acks: Vec::new(),
        }
    }

    /// Waits for the next wake-up that was not seen before, and acknowledges it with the poll after.
    async fn next(&mut self) -> Value {
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
    async fn message(&mut self) -> String {
        let data = self.next().await;
        assert_eq!(data.as_object().unwrap().len(), 1, "{data}");
        text(&data["KEY_MESSAGE_ID"])
    }
}

/// A moment in which nothing may happen.
const MOMENT: Duration = Duration::from_millis(700);

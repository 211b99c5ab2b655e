//! What a phone writes to the server and reads from it, as JSON (the phone protocol §3 to §11).
//! Only shapes: no rules and no requests.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Stamp;

/// Every answer with a body. Its `status` and `message` tell a phone nothing more than the HTTP status.
#[derive(Debug, Deserialize)]
pub struct Envelope<T> {
    /// What was asked for.
    pub data: T,
}

/// Every answer that is no success.
#[derive(Debug, Deserialize)]
pub struct Complaint {
    /// What is wrong, for people.
    pub message: String,
    /// With 422: field name to list of texts.
    #[serde(default)]
    pub data: Option<Value>,
}

/// Which card of a handset; servers take anything else for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Sim {
    /// The first card.
    #[serde(rename = "SIM1")]
    One,
    /// The second card.
    #[serde(rename = "SIM2")]
    Two,
}

impl fmt::Display for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "SIM1",
            Self::Two => "SIM2",
        })
    }
}

/// `PUT /v1/phones/fcm-token`
#[derive(Debug, Serialize)]
pub struct Registration<'a> {
    /// Where to wake this phone; `stream:<device id>` when it polls for notifications.
    pub fcm_token: &'a str,
    /// E.164.
    pub phone_number: &'a str,
    /// The card of that number.
    pub sim: Sim,
}

/// A number as the server knows it: the part the app insists on.
#[derive(Debug, Deserialize)]
pub struct Phone {
    /// Of the phone's row.
    pub id: String,
    /// Of the account.
    pub user_id: String,
}

/// `POST /v1/heartbeats`
#[derive(Debug, Serialize)]
pub struct HeartbeatRequest<'a> {
    /// Whether it hangs on a charger.
    pub charging: bool,
    /// One or two.
    pub phone_numbers: &'a [String],
}

/// One stored heartbeat.
#[derive(Debug, Deserialize)]
pub struct Heartbeat {
    /// The number it stands for.
    pub owner: String,
    /// The server's clock.
    pub timestamp: Timestamp,
}

/// `GET /v1/phones/notifications`: one thing to do.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Notification {
    /// To be acknowledged with a later poll.
    pub id: Uuid,
    /// What to do.
    pub data: Wake,
}

/// The data map of a push (the phone protocol §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WakeMap")]
pub enum Wake {
    /// `KEY_HEARTBEAT_ID`: post a heartbeat now. Checked first; its value says nothing.
    Heartbeat,
    /// `KEY_MESSAGE_ID`: claim and send this message.
    Message(Uuid),
    /// Anything else, which phones ignore.
    Unknown,
}

#[derive(Deserialize)]
struct WakeMap {
    #[serde(rename = "KEY_HEARTBEAT_ID")]
    heartbeat: Option<IgnoredAny>,
    #[serde(rename = "KEY_MESSAGE_ID")]
    message: Option<Uuid>,
}

impl From<WakeMap> for Wake {
    fn from(map: WakeMap) -> Self {
        match (map.heartbeat, map.message) {
            (Some(_), _) => Self::Heartbeat,
            (None, Some(id)) => Self::Message(id),
            (None, None) => Self::Unknown,
        }
    }
}

/// A claimed message: exactly the keys the Android app reads (the phone protocol §6). As with the
/// app a key that is left out makes it unreadable, also where null is fine; only `attachments` may
/// be missing.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Of the message.
    pub id: Uuid,
    /// The phone's number.
    pub owner: String,
    /// The recipient.
    pub contact: String,
    /// The text, or what hides it when `encrypted`.
    pub content: String,
    /// `SIM1`, `SIM2`, or another text for the phone's default card.
    pub sim: String,
    /// `sending`, since it was claimed.
    pub status: String,
    /// `mobile-terminated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether `content` must be decrypted with the phone's passphrase.
    pub encrypted: bool,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its place in the conversation.
    pub order_timestamp: Timestamp,
    /// When the API was asked to send it.
    pub request_received_at: Timestamp,
    /// Why it failed before.
    #[serde(deserialize_with = "present")]
    pub failure_reason: Option<String>,
    /// When it was last claimed.
    #[serde(deserialize_with = "present")]
    pub last_attempted_at: Option<Timestamp>,
    /// Null on its way out.
    #[serde(deserialize_with = "present")]
    pub received_at: Option<Timestamp>,
    /// When it was sent.
    #[serde(deserialize_with = "present")]
    pub sent_at: Option<Timestamp>,
    /// From request to sent, in nanoseconds.
    #[serde(deserialize_with = "present")]
    pub send_time: Option<i64>,
    /// Addresses of the files that make it an MMS.
    #[serde(default)]
    pub attachments: Option<Vec<String>>,
}

impl Message {
    /// The files to send along; none for an SMS.
    pub fn files(&self) -> &[String] {
        self.attachments.as_deref().unwrap_or_default()
    }
}

/// Null is an answer, silence is not: without this, serde takes a missing key for null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// `POST /v1/messages/{id}/events`
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// What happened.
    pub event_name: EventName,
    /// Why it failed; null with the others.
    pub reason: Option<Cow<'a, str>>,
    /// When it happened on the phone.
    pub timestamp: Stamp,
}

/// What can become of a message on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventName {
    /// The network took it.
    Sent,
    /// The recipient has it.
    Delivered,
    /// It will not go out.
    Failed,
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "SENT",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
        })
    }
}

/// `POST /v1/messages/receive`
#[derive(Debug, Serialize)]
pub struct Received<'a> {
    /// The card it came in on.
    pub sim: Sim,
    /// A number, a short code or a name.
    pub from: &'a str,
    /// The phone's number.
    pub to: &'a str,
    /// 1 to 2048 bytes; may be empty beside attachments.
    pub content: &'a str,
    /// Whether `content` was encrypted with the phone's passphrase.
    pub encrypted: bool,
    /// The phone's clock.
    pub timestamp: Stamp,
    /// Null for an SMS.
    pub attachments: Option<&'a [Attachment]>,
}

/// A file of a received MMS.
#[derive(Debug, Serialize)]
pub struct Attachment {
    /// The file name.
    pub name: String,
    /// One of the types the server lists (the phone protocol §9).
    pub content_type: String,
    /// Standard base64 without line breaks.
    pub content: String,
}

/// `POST /v1/messages/calls/missed`
#[derive(Debug, Serialize)]
pub struct MissedCall<'a> {
    /// The card that rang.
    pub sim: Sim,
    /// Who rang.
    pub from: &'a str,
    /// When.
    pub timestamp: Stamp,
    /// The phone's number.
    pub to: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claimed() -> Value {
        json!({
            "id": "32343a19-da5e-4b1b-a767-3298a73703cb", "owner": "+18005550199",
            "contact": "+18005550100", "content": "hi", "sim": "SIM1", "status": "sending",
            "type": "mobile-terminated", "encrypted": false,
            "created_at": "2026-01-02T03:04:05.678Z", "updated_at": "2026-01-02T03:04:05Z",
            "order_timestamp": "2026-01-02T03:04:05.678901234Z",
            "request_received_at": "2026-01-02T03:04:05+00:00",
            "failure_reason": null, "last_attempted_at": null, "received_at": null,
            "sent_at": null, "send_time": null, "attachments": null, "send_attempt_count": 1
        })
    }

    #[test]
    fn each_key_the_app_needs_must_be_there() {
        let whole = claimed();
        assert!(serde_json::from_value::<Message>(whole.clone()).is_ok());
        for key in whole.as_object().unwrap().keys() {
            let mut lacking = whole.clone();
            lacking.as_object_mut().unwrap().remove(key);
            let optional = ["attachments", "send_attempt_count"].contains(&key.as_str());
            let read = serde_json::from_value::<Message>(lacking);
            assert_eq!(read.is_ok(), optional, "{key}");
        }
    }

    #[test]
    fn attachments_may_be_null_empty_or_a_list() {
        for (attachments, count) in [
            (json!(null), 0),
            (json!([]), 0),
            (json!(["https://example.com/a.png"]), 1),
        ] {
            let mut message = claimed();
            message["attachments"] = attachments;
            let message: Message = serde_json::from_value(message).unwrap();
            assert_eq!(message.files().len(), count);
        }
    }

    #[test]
    fn a_push_for_a_heartbeat_wins_and_unknown_ones_are_harmless() {
        let id = "32343a19-da5e-4b1b-a767-3298a73703cb";
        let now = "2026-01-02T03:04:05Z";
        for (data, expected) in [
            (
                json!({"KEY_MESSAGE_ID": id}),
                Wake::Message(id.parse().unwrap()),
            ),
            (json!({"KEY_HEARTBEAT_ID": now}), Wake::Heartbeat),
            (
                json!({"KEY_HEARTBEAT_ID": now, "KEY_MESSAGE_ID": id}),
                Wake::Heartbeat,
            ),
            (json!({"KEY_OTHER": 1}), Wake::Unknown),
        ] {
            let notification = json!({"id": id, "data": data});
            let notification: Notification = serde_json::from_value(notification).unwrap();
            assert_eq!(notification.data, expected);
        }
    }

    #[test]
    fn a_reason_with_quotes_and_line_breaks_stays_json() {
        let event = Event {
            event_name: EventName::Failed,
            reason: Some("he said \"no\"\n".into()),
            timestamp: Timestamp::UNIX_EPOCH.into(),
        };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event_name":"FAILED","reason":"he said \"no\"\n","timestamp":"1970-01-01T00:00:00.000000000Z"}"#
        );
    }

    #[test]
    fn an_sms_is_received_with_null_attachments() {
        let received = Received {
            sim: Sim::One,
            from: "+18005550100",
            to: "+18005550199",
            content: "Hello",
            encrypted: false,
            timestamp: Timestamp::UNIX_EPOCH.into(),
            attachments: None,
        };
        assert_eq!(
            serde_json::to_value(&received).unwrap(),
            json!({"sim": "SIM1", "from": "+18005550100", "to": "+18005550199",
                "content": "Hello", "encrypted": false,
                "timestamp": "1970-01-01T00:00:00.000000000Z", "attachments": null})
        );
    }
}

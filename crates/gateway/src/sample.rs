//! Made-up payloads of the events that webhooks can get, to try a receiver with.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Time;
use crate::event::Kind;

/// The number of a contact that nobody has.
const CONTACT: &str = "+18005550100";

/// A payload with every member that real events of this type have.
pub(crate) fn payload(kind: Kind, user_id: &str, owner: &str, now: Time) -> Value {
    let nil = Uuid::nil();
    let common = json!({
        "user_id": user_id, "owner": owner, "contact": CONTACT, "timestamp": now, "sim": "SIM1",
    });
    let special = match kind {
        Kind::MessagePhoneReceived => json!({
            "message_id": nil, "encrypted": false, "content": "This is a test", "attachments": [],
        }),
        Kind::MessageCallMissed => json!({ "message_id": nil }),
        Kind::MessageSendExpired => json!({
            "message_id": nil, "encrypted": false, "content": "This is a test",
            "request_id": null, "send_attempt_count": 2, "is_final": true,
        }),
        Kind::MessageSendFailed => json!({
            "id": nil, "encrypted": false, "content": "This is a test", "request_id": null,
            "error_message": "NO_SERVICE",
        }),
        Kind::PhoneHeartbeatOffline | Kind::PhoneHeartbeatOnline => {
            return json!({
                "phone_id": nil, "user_id": user_id, "last_heartbeat_timestamp": now,
                "timestamp": now, "monitor_id": nil, "owner": owner,
            });
        }
        _ => json!({
            "id": nil, "encrypted": false, "content": "This is a test", "request_id": null,
        }),
    };
    merged(common, special)
}

fn merged(mut common: Value, special: Value) -> Value {
    if let (Value::Object(common), Value::Object(special)) = (&mut common, special) {
        common.extend(special);
    }
    common
}

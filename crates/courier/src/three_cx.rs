//! 3CX takes events in the form of another SMS provider (contract: events, §7.1).

use bytes::Bytes;
use gateway::delivery::Letter;
use gateway::event::Kind;
use http::HeaderValue;
use serde::{Deserialize, Serialize};

/// What the body is.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// The message for an event; none if 3CX knows nothing like it, or the event cannot be read.
pub(crate) fn message(letter: &Letter) -> Option<Bytes> {
    let (event_type, status) = match letter.kind {
        Kind::MessagePhoneReceived => ("message.received", None),
        Kind::MessagePhoneSent => ("message.sent", Some("sent")),
        Kind::MessagePhoneDelivered => ("message.finalized", Some("delivered")),
        Kind::MessageSendFailed => ("message.sent", Some("sending_failed")),
        _ => return None,
    };
    let event: Event = serde_json::from_slice(&letter.body).ok()?;
    let message = Message {
        data: Data {
            event_type,
            id: &event.id,
            occurred_at: status.is_some().then_some(&*event.time),
            record_type: "event",
            payload: payload(&event, status),
        },
    };
    serde_json::to_vec(&message).ok().map(Bytes::from)
}

/// What comes in has a text and a time; of what went out only its end is told.
fn payload<'a>(event: &'a Event, status: Option<&'static str>) -> Payload<'a> {
    let sms = &event.data;
    let (from, to) = match status {
        None => (&sms.contact, &sms.owner),
        Some(_) => (&sms.owner, &sms.contact),
    };
    let received = status.is_none();
    Payload {
        r#type: "SMS",
        id: &sms.id,
        from: Party {
            status: None,
            phone_number: from,
        },
        to: [Party {
            status,
            phone_number: to,
        }],
        text: received.then_some(&*sms.content),
        received_at: received.then_some(&*sms.timestamp),
        completed_at: (!received).then_some(&*sms.timestamp),
    }
}

#[derive(Deserialize)]
struct Event {
    id: String,
    time: String,
    data: Sms,
}

#[derive(Deserialize)]
struct Sms {
    #[serde(alias = "message_id")]
    id: String,
    owner: String,
    contact: String,
    content: String,
    timestamp: String,
}

#[derive(Serialize)]
struct Message<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    event_type: &'static str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<&'a str>,
    record_type: &'static str,
    payload: Payload<'a>,
}

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    id: &'a str,
    from: Party<'a>,
    to: [Party<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<&'a str>,
}

#[derive(Serialize)]
struct Party<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    phone_number: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind, id: &str) -> Option<String> {
        let event = serde_json::json!({
            "id": "0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006",
            "time": "2026-03-02T09:15:30Z",
            "data": {
                id: "b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02", "owner": "+37250001111",
                "contact": "+37250002222", "content": "on my way",
                "timestamp": "2026-03-02T09:15:29Z",
            },
        });
        let letter = Letter {
            seq: 1,
            id: gateway::Uuid::nil(),
            kind,
            body: event.to_string().into(),
        };
        let message = message(&letter)?;
        Some(String::from_utf8(message.to_vec()).unwrap())
    }

    #[test]
    fn what_came_in_is_the_contract_s() {
        let expected = concat!(
            r#"{"data":{"event_type":"message.received","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","#,
            r#""record_type":"event","payload":{"type":"SMS","id":"b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02","#,
            r#""from":{"phone_number":"+37250002222"},"to":[{"phone_number":"+37250001111"}],"#,
            r#""text":"on my way","received_at":"2026-03-02T09:15:29Z"}}}"#,
        );
        let told = told(Kind::MessagePhoneReceived, "message_id");
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn what_went_out_is_told_by_its_end() {
        for (kind, event_type, status) in [
            (Kind::MessagePhoneSent, "message.sent", "sent"),
            (
                Kind::MessagePhoneDelivered,
                "message.finalized",
                "delivered",
            ),
            (Kind::MessageSendFailed, "message.sent", "sending_failed"),
        ] {
            let expected = format!(
                concat!(
                    r#"{{"data":{{"event_type":"{}","id":"0c0e7a52-5f0e-4e0c-9f0a-6b1f0a4a1006","#,
                    r#""occurred_at":"2026-03-02T09:15:30Z","record_type":"event","payload":{{"type":"SMS","#,
                    r#""id":"b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02","from":{{"phone_number":"+37250001111"}},"#,
                    r#""to":[{{"status":"{}","phone_number":"+37250002222"}}],"completed_at":"2026-03-02T09:15:29Z"}}}}}}"#,
                ),
                event_type, status
            );
            assert_eq!(told(kind, "id"), Some(expected));
        }
    }

    #[test]
    fn of_other_events_it_knows_nothing() {
        assert_eq!(told(Kind::MessageSendExpired, "id"), None);
        assert_eq!(told(Kind::PhoneHeartbeatOffline, "id"), None);
    }
}

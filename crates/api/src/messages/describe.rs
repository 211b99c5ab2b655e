//! What the routes of messages say of themselves.

use serde_json::json;

use crate::reference::{Doc, phone_number, text, uuid};
use crate::shape::{
    BulkSend, Message, MissCall, ReceiveMessage, ReportMessage, SendMessage, Timeline,
};

pub(super) fn list() -> Doc {
    Doc::user(
        "listMessages",
        "List messages between a phone and a contact, newest first",
    )
    .needs("owner", "The phone's number, in E.164.", phone_number())
    .needs("contact", "The other side.", text())
    .window(20)
    .places()
    .lists::<Message>(200, "fetched 1 message")
}

pub(super) fn send() -> Doc {
    Doc::user("sendMessage", "Send an SMS")
        .takes::<SendMessage>(
            json!({"from": "+18005550199", "to": "+18005550100", "content": "This is a test"}),
        )
        .finds()
        .limits()
        .gives::<Message>(200, "message added to queue")
}

pub(super) fn bulk() -> Doc {
    Doc::user("bulkSendMessages", "Send one text to many")
        .takes::<BulkSend>(json!({
            "from": "+18005550199", "to": ["+18005550100", "+18005550101"],
            "content": "This is a test",
        }))
        .finds()
        .limits()
        .lists::<Message>(200, "2 out of 2 messages processed successfully")
}

pub(super) fn receive() -> Doc {
    Doc::phone(
        "receiveMessage",
        "Tell of an SMS or MMS that a phone received",
    )
    .takes::<ReceiveMessage>(json!({
        "from": "+18005550100", "to": "+18005550199", "content": "Hello", "sim": "SIM1",
        "timestamp": "2026-01-02T03:04:05.678Z",
    }))
    .finds()
    .gives::<Message>(200, "message received successfully")
}

pub(super) fn missed() -> Doc {
    Doc::phone("missCall", "Tell of a call that a phone missed")
        .takes::<MissCall>(json!({
            "from": "+18005550100", "to": "+18005550199", "sim": "SIM1",
            "timestamp": "2026-01-02T03:04:05.678Z",
        }))
        .finds()
        .gives::<Message>(200, "missed call event stored successfully")
}

pub(super) fn claim() -> Doc {
    Doc::phone(
        "claimMessage",
        "Fetch the message that a phone was woken for, to send it",
    )
    .needs("message_id", "What the wake-up named.", uuid())
    .finds()
    .gives::<Message>(200, "outstanding message fetched successfully")
}

pub(super) fn show() -> Doc {
    Doc::user("getMessage", "Show a message")
        .finds()
        .gives::<Message>(200, "message fetched successfully")
}

pub(super) fn delete() -> Doc {
    Doc::user("deleteMessage", "Delete a message and its files")
        .finds()
        .empties("It is deleted.")
}

pub(super) fn timeline() -> Doc {
    Doc::user(
        "getMessageTimeline",
        "Show what happened to a message, and what it waits for",
    )
    .finds()
    .gives::<Timeline>(200, "timeline fetched successfully")
}

pub(super) fn cancel() -> Doc {
    Doc::user(
        "cancelMessage",
        "Cancel a message that no phone has fetched yet",
    )
    .note(
        "It is `failed` then, with `cancelled by the client` as its reason. 409 if it is too late.",
    )
    .finds()
    .conflicts()
    .gives::<Message>(200, "message cancelled successfully")
}

pub(super) fn report() -> Doc {
    Doc::phone("reportMessage", "Tell what became of a message")
        .path("id", "The message. The name of a part of a longer SMS, which has a dot in it, is answered 204.", text())
        .takes::<ReportMessage>(json!({
            "event_name": "FAILED", "timestamp": "2026-01-02T03:04:05.678Z", "reason": "NO_SERVICE",
        }))
        .finds()
        .gives::<Message>(200, "message event stored successfully")
        .empties("A report on a part of a message.")
}

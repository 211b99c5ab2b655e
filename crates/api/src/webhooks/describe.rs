//! What the routes of webhooks say of themselves.

use gateway::api_key::Scope;
use serde_json::{Value, json};

use crate::reference::{Doc, integer, one_of, time};
use crate::shape::{
    Delivery, DeliveryDetail, DeliveryMade, Health, PutWebhook, Replay, RotateKey, StartReplay,
    TestWebhook, Webhook,
};

pub(super) fn list() -> Doc {
    Doc::user("listWebhooks", "List webhooks, newest first")
        .scope(Scope::Webhooks)
        .window(1)
        .lists::<Webhook>(200, "fetched 1 webhook")
}

pub(super) fn create() -> Doc {
    Doc::user("createWebhook", "Make a webhook")
        .takes::<PutWebhook>(example())
        .gives::<Webhook>(201, "webhook created successfully")
}

pub(super) fn show() -> Doc {
    Doc::user("getWebhook", "Show a webhook")
        .scope(Scope::Webhooks)
        .finds()
        .gives::<Webhook>(200, "webhook fetched successfully")
}

pub(super) fn replace() -> Doc {
    Doc::user("replaceWebhook", "Put a webhook in place of another")
        .note("Absent members are as by default, but for `signing_key` and `headers`, which stay. What still waits goes to the new URL.")
        .takes::<PutWebhook>(example())
        .finds()
        .gives::<Webhook>(200, "webhook updated successfully")
}

pub(super) fn remove() -> Doc {
    Doc::user("deleteWebhook", "Delete a webhook and what waits for it")
        .finds()
        .does("webhook deleted successfully")
}

fn example() -> Value {
    json!({
        "url": "https://hooks.example.com/sms",
        "events": ["message.phone.received", "message.phone.delivered"],
        "phone_numbers": ["+18005550199"],
        "retry_schedule": "day",
        "headers": {"Authorization": "Bearer secret"},
        "filter": {"content": "code is \\d+"},
    })
}

pub(super) fn test() -> Doc {
    Doc::user("testWebhook", "Send a made-up event to a webhook")
        .note("It goes by the same road as real ones, and has `test`, which is true.")
        .takes::<TestWebhook>(json!({"event_type": "message.phone.received"}))
        .finds()
        .gives::<DeliveryMade>(202, "test event added to queue")
}

pub(super) fn pause() -> Doc {
    Doc::user("pauseWebhook", "Send nothing to a webhook for now")
        .note("What happens meanwhile waits for it.")
        .finds()
        .gives::<Webhook>(200, "webhook paused successfully")
}

pub(super) fn resume() -> Doc {
    Doc::user(
        "resumeWebhook",
        "Send to a webhook again, first what has waited",
    )
    .finds()
    .gives::<Webhook>(200, "webhook resumed successfully")
}

pub(super) fn rotate_key() -> Doc {
    Doc::user(
        "rotateWebhookKey",
        "Give a webhook a new signing key, which takes over step by step",
    )
    .may_take::<RotateKey>(json!({"activate_in_seconds": 3600, "overlap_seconds": 86400}))
    .finds()
    .gives::<Webhook>(200, "signing key rotated successfully")
}

pub(super) fn health() -> Doc {
    Doc::user("getWebhookHealth", "Show how a webhook is doing")
        .finds()
        .gives::<Health>(200, "webhook health fetched successfully")
}

pub(super) fn deliveries(states: &[&str], events: &[&str]) -> Doc {
    Doc::user(
        "listDeliveries",
        "List deliveries to a webhook, newest first",
    )
    .query("state", "Only in this state.", one_of(states))
    .query("event_type", "Only of this type.", one_of(events))
    .query(
        "since",
        "Only last attempted at this time or later.",
        time(),
    )
    .query("until", "Only last attempted before this time.", time())
    .query(
        "before",
        "Only with smaller ids: the next page.",
        integer(0, None),
    )
    .query(
        "limit",
        "At most so many; by default 20.",
        integer(1, Some(100)),
    )
    .finds()
    .lists::<Delivery>(200, "fetched 1 delivery")
}

pub(super) fn delivery() -> Doc {
    with_delivery(Doc::user(
        "getDelivery",
        "Show a delivery with its attempts",
    ))
    .gives::<DeliveryDetail>(200, "delivery fetched successfully")
}

pub(super) fn replay_delivery() -> Doc {
    with_delivery(Doc::user(
        "replayDelivery",
        "Send once more what a delivery carried",
    ))
    .gives::<DeliveryMade>(202, "delivery added to queue")
}

fn with_delivery(doc: Doc) -> Doc {
    doc.path("delivery", "The delivery.", integer(0, None))
        .finds()
}

pub(super) fn replay() -> Doc {
    Doc::user(
        "startReplay",
        "Send many events to a webhook once more, or for the first time",
    )
    .note("At most 100,000 of them.")
    .takes::<StartReplay>(json!({"failed_only": true, "since": "2026-01-02T00:00:00Z"}))
    .finds()
    .gives::<Replay>(202, "replay started successfully")
}

pub(super) fn progress() -> Doc {
    Doc::user("getReplay", "Show the progress of a replay")
        .finds()
        .gives::<Replay>(200, "replay fetched successfully")
}

pub(super) fn cancel() -> Doc {
    Doc::user(
        "cancelReplay",
        "Stop a replay and withdraw what waits of it",
    )
    .finds()
    .gives::<Replay>(200, "replay cancelled successfully")
}

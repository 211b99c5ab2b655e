//! The description takes every request and has every answer that the reference's own published
//! description has, for the routes that are kept. Its field lists are facts; here they are, corrected
//! by what is seen on the wire (contract: API, §6.2).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::schema::{DOCUMENT, fits, resolved};
use crate::support::{AT, CONTACT, NOBODY, OWNER};

/// Route, parameters beside those of the path, `{body}`, and what `data` is.
const ROUTES: &str = "
GET    /v1/billing/usage -> BillingUsage
GET    /v1/billing/usage-history skip limit -> BillingUsage[]
GET    /v1/bulk-messages -> BulkMessage[]
POST   /v1/bulk-messages
GET    /v1/heartbeats owner skip query limit -> Heartbeat[]
POST   /v1/heartbeats {HeartbeatStore} -> Heartbeat[]
GET    /v1/message-threads owner skip query limit -> MessageThread[]
PUT    /v1/message-threads/{} {MessageThreadUpdate} -> MessageThread
DELETE /v1/message-threads/{}
GET    /v1/messages owner contact skip query limit -> Message[]
POST   /v1/messages/bulk-send {MessageBulkSend} -> Message[]
POST   /v1/messages/calls/missed {MessageCallMissed} -> Message
GET    /v1/messages/outstanding message_id -> Message
POST   /v1/messages/receive {MessageReceive} -> Message
GET    /v1/messages/search token owners skip query limit -> Message[]
POST   /v1/messages/send {MessageSend} -> Message
GET    /v1/messages/{} -> Message
DELETE /v1/messages/{}
POST   /v1/messages/{}/events {MessageEvent} -> Message
GET    /v1/phone-api-keys skip query limit -> PhoneAPIKey[]
POST   /v1/phone-api-keys {PhoneAPIKeyStore} -> PhoneAPIKey
DELETE /v1/phone-api-keys/{}
DELETE /v1/phone-api-keys/{}/phones/{}
GET    /v1/phones skip query limit -> Phone[]
PUT    /v1/phones {PhoneUpsert} -> Phone
PUT    /v1/phones/fcm-token {PhoneFCMToken} -> Phone
DELETE /v1/phones/{}
GET    /v1/send-schedules -> MessageSendSchedule[]
POST   /v1/send-schedules {MessageSendScheduleStore} -> MessageSendSchedule
PUT    /v1/send-schedules/{} {MessageSendScheduleStore} -> MessageSendSchedule
DELETE /v1/send-schedules/{}
GET    /v1/users/me -> User
PUT    /v1/users/me {UserUpdate} -> User
DELETE /v1/users/me
DELETE /v1/users/{}/api-keys -> User
PUT    /v1/users/{}/notifications {UserNotificationUpdate} -> User
GET    /v1/attachments/{}/{}/{}/{}
GET    /v1/webhooks skip query limit -> Webhook[]
POST   /v1/webhooks {WebhookStore} -> Webhook
PUT    /v1/webhooks/{} {WebhookUpdate} -> Webhook
DELETE /v1/webhooks/{}
";

/// Members of each shape with their types; `?`: need not be there, or may be null in an answer.
const SHAPES: &str = "
BillingUsage: created_at string, end_timestamp string, id string, received_messages integer, sent_messages integer, start_timestamp string, total_cost integer, updated_at string, user_id string
BulkMessage: created_at string, delivered_count integer, expired_count integer, failed_count integer, pending_count integer, request_id string, scheduled_count integer, sent_count integer, total integer
Heartbeat: charging boolean, id string, owner string, timestamp string, user_id string, version string
HeartbeatStore: charging boolean, phone_numbers string[]
MessageThread: color string, contact string, created_at string, id string, is_archived boolean, is_read boolean, last_message_content string, last_message_id string, order_timestamp string, owner string, status string, updated_at string, user_id string
MessageThreadUpdate: is_archived? boolean, is_read? boolean
Message: attachments string[], contact string, content string, created_at string, delivered_at? string, encrypted boolean, expired_at? string, failed_at? string, failure_reason? string, id string, last_attempted_at? string, max_send_attempts integer, order_timestamp string, owner string, received_at? string, request_id? string, request_received_at string, scheduled_at? string, scheduled_send_time? string, send_attempt_count integer, send_time? integer, sent_at? string, sim string, status string, type string, updated_at string, user_id string
MessageBulkSend: attachments? string[], content string, encrypted? boolean, from string, request_id? string, to string[]
MessageCallMissed: from string, sim string, timestamp string, to string
MessageReceive: attachments? MessageAttachment[], content string, encrypted boolean, from string, sim string, timestamp string, to string
MessageAttachment: content string, content_type string, name string
MessageSend: attachments? string[], content string, encrypted? boolean, from string, request_id? string, send_at? string, to string
MessageEvent: event_name string, reason? string, timestamp string
PhoneAPIKey: api_key string, created_at string, id string, name string, phone_ids string[], phone_numbers string[], updated_at string, user_email string, user_id string
PhoneAPIKeyStore: name string
Phone: created_at string, fcm_token? string, id string, max_send_attempts integer, message_expiration_seconds integer, message_send_schedule_id? string, messages_per_minute integer, missed_call_auto_reply? string, phone_number string, sim string, unarchive_thread boolean, updated_at string, user_id string
PhoneUpsert: fcm_token? string, max_send_attempts? integer, message_expiration_seconds? integer, message_send_schedule_id? string, messages_per_minute? integer, missed_call_auto_reply? string, phone_number string, sim? string, unarchive_thread? boolean
PhoneFCMToken: fcm_token string, phone_number string, sim string
MessageSendSchedule: created_at string, id string, name string, timezone string, updated_at string, user_id string, windows MessageSendScheduleWindow[]
MessageSendScheduleWindow: day_of_week integer, end_minute integer, start_minute integer
MessageSendScheduleStore: name string, timezone string, windows MessageSendScheduleWindow[]
User: active_phone_id? string, api_key string, created_at string, email string, id string, notification_heartbeat_enabled boolean, notification_message_status_enabled boolean, notification_newsletter_enabled boolean, notification_webhook_enabled boolean, subscription_ends_at? string, subscription_id? string, subscription_name string, subscription_renews_at? string, subscription_status? string, timezone string, updated_at string
UserUpdate: active_phone_id? string, timezone string
UserNotificationUpdate: heartbeat_enabled boolean, message_status_enabled boolean, newsletter_enabled boolean, webhook_enabled boolean
Webhook: created_at string, events string[], id string, phone_numbers string[], signing_key string, updated_at string, url string, user_id string
WebhookStore: events string[], phone_numbers string[], signing_key string, url string
WebhookUpdate: events string[], phone_numbers string[], signing_key string, url string
";

/// A member of a shape.
struct Member {
    name: &'static str,
    kind: &'static str,
    needed: bool,
}

static MEMBERS: LazyLock<BTreeMap<&str, Vec<Member>>> = LazyLock::new(|| {
    let member = |text: &'static str| {
        let (name, kind) = text.split_once(' ').unwrap();
        let needed = !name.ends_with('?');
        let name = name.trim_end_matches('?');
        Member { name, kind, needed }
    };
    let shapes = SHAPES.trim().lines().map(|line| {
        let (name, members) = line.split_once(": ").unwrap();
        (name, members.split(", ").map(member).collect())
    });
    shapes.collect()
});

/// A value of this type, such as stands in a member of this name.
fn sample(kind: &str, name: &str, whole: bool) -> Value {
    if let Some(kind) = kind.strip_suffix("[]") {
        return json!([sample(kind, name, whole)]);
    }
    match kind {
        "boolean" => json!(true),
        "integer" => json!(60),
        "string" => json!(match name {
            "timestamp" | "send_at" => AT,
            "from" | "phone_number" | "phone_numbers" => OWNER,
            "to" => CONTACT,
            "active_phone_id" | "message_send_schedule_id" => NOBODY,
            "event_name" => "SENT",
            "events" => "message.phone.received",
            "sim" => "SIM1",
            "attachments" | "url" => "https://example.com/a.jpg",
            "content_type" => "image/jpeg",
            "timezone" => "Europe/London",
            _ => "a text",
        }),
        shape => body(shape, whole),
    }
}

/// A body with all members, or with those alone that must be there.
fn body(shape: &str, whole: bool) -> Value {
    let members = MEMBERS[shape].iter();
    let members = members.filter(|member| whole || member.needed);
    members
        .map(|member| {
            (
                member.name.to_owned(),
                sample(member.kind, member.name, whole),
            )
        })
        .collect::<Map<_, _>>()
        .into()
}

/// What the description says of a route, whatever it calls the parameters of the path.
fn described(method: &str, path: &str) -> Option<&'static Value> {
    let plain = |path: &str| {
        let words = path.split('/');
        let words = words.map(|word| if word.starts_with('{') { "{}" } else { word });
        words.collect::<Vec<_>>().join("/")
    };
    let mut paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let (_, methods) = paths.find(|(known, _)| plain(known) == path)?;
    methods.get(method.to_lowercase())
}

#[test]
fn every_published_route_takes_and_gives_what_is_published() {
    let mut count = 0;
    for line in ROUTES.trim().lines() {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let operation = described(method, path);
        count += 1;
        let operation = operation.unwrap_or_else(|| panic!("{method} {path} is missing"));
        while let Some(word) = words.next() {
            let shape = word
                .strip_prefix('{')
                .and_then(|word| word.strip_suffix('}'));
            match (word, shape) {
                ("->", _) => gives(operation, words.next().unwrap(), line),
                (_, Some(shape)) => takes(operation, shape, line),
                (name, None) => knows(operation, name, line),
            }
        }
    }
    assert_eq!(count, 41);
}

/// The parameter is there, and need not be a text of a kind that the published type is not.
fn knows(operation: &Value, name: &str, line: &str) {
    let parameters = operation["parameters"].as_array().unwrap();
    assert!(
        parameters.iter().any(|parameter| parameter["name"] == name),
        "{line}: {name} is missing"
    );
}

fn takes(operation: &Value, shape: &str, line: &str) {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    for whole in [true, false] {
        let body = body(shape, whole);
        fits(schema, &body).unwrap_or_else(|why| panic!("{line}: {why}\n{body:#}"));
    }
}

fn gives(operation: &Value, shape: &str, line: &str) {
    let mut answers = operation["responses"].as_object().unwrap().iter();
    let (_, answer) = answers
        .find(|(status, answer)| status.starts_with('2') && !answer["content"].is_null())
        .unwrap_or_else(|| panic!("{line}: nothing is answered"));
    let envelope = resolved(&answer["content"]["application/json"]["schema"]);
    has(&envelope["properties"]["data"], shape, line);
}

/// The schema is of this type, and has each of its members.
fn has(schema: &Value, kind: &str, line: &str) {
    let schema = resolved(schema);
    if let Some(kind) = kind.strip_suffix("[]") {
        assert!(is(&schema, "array"), "{line}: {schema}");
        return has(&schema["items"], kind, line);
    }
    let Some(members) = MEMBERS.get(kind) else {
        return assert!(is(&schema, kind), "{line}: {schema} is no {kind}");
    };
    for member in members {
        let described = &schema["properties"][member.name];
        let line = format!("{line}: {}", member.name);
        assert!(!described.is_null(), "{line} is missing");
        has(described, member.kind, &line);
    }
}

/// Whether values of the schema are of this type, or null.
fn is(schema: &Value, kind: &str) -> bool {
    let parts = schema["oneOf"].as_array().into_iter().flatten();
    match &schema["type"] {
        Value::Array(types) => types.contains(&json!(kind)),
        Value::String(only) => only == kind,
        _ => parts.map(resolved).any(|part| is(&part, kind)),
    }
}

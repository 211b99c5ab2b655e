//! Webhooks and their policies.

use std::collections::BTreeMap;

use gateway::Uuid;
use utoipa::ToSchema;

use super::{Sim, Time};

/// A webhook.
#[derive(ToSchema)]
pub(crate) struct Webhook {
    id: Uuid,
    user_id: String,
    url: String,
    /// Signs the token; empty: no token is sent.
    signing_key: String,
    /// The numbers whose events it wants.
    phone_numbers: Vec<String>,
    events: Vec<EventType>,
    created_at: Time,
    updated_at: Time,
    #[serde(flatten)]
    policy: WebhookPolicy,
    /// The names of the extra headers; their values are not shown again.
    headers: Vec<String>,
    /// The key that takes over next, so that receivers can learn it before.
    next_signing_key: Option<String>,
    /// Its signing keys, without the secrets.
    signing_keys: Vec<SigningKey>,
    /// While this is set nothing is sent, and what happens waits.
    paused_at: Option<Time>,
    pause_reason: Option<PauseReason>,
    /// The first failure since the last success.
    failing_since: Option<Time>,
}

/// A webhook to make, or to put in place of another.
#[derive(ToSchema)]
pub(crate) struct PutWebhook {
    /// Absolute http or https URL.
    #[schema(max_length = 2048)]
    url: String,
    /// Absent: one is made, or the old one stays. Empty: no token is sent.
    #[schema(max_length = 255)]
    signing_key: Option<String>,
    /// Numbers of phones of the account; needed unless `all_phone_numbers` is true.
    phone_numbers: Option<Vec<String>>,
    #[schema(min_items = 1)]
    events: Vec<EventType>,
    /// Extra headers of its requests, 20 at most, with values of visible ASCII characters, 1,024 at
    /// most. Not `content-type`, `content-length`, `host`, `connection`, `transfer-encoding`,
    /// `x-event-type`, `webhook-…` and `ce-…`. Absent: none, or the old ones stay.
    headers: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    policy: WebhookPolicy,
}

/// How a webhook wants to be told. What is absent is as by default, also in a change.
#[derive(ToSchema)]
pub(super) struct WebhookPolicy {
    /// When to try again.
    retry_schedule: Option<RetrySchedule>,
    /// In which order events arrive.
    ordering: Option<Ordering>,
    /// The form of the request.
    mode: Option<Mode>,
    /// Requests at the same time at most; absent: the server's own limit.
    #[schema(minimum = 1, maximum = 1024)]
    max_concurrency: Option<u16>,
    /// Requests in a second at most; absent: no limit.
    #[schema(minimum = 1, maximum = 100_000)]
    max_per_second: Option<u32>,
    /// Adds the body's SHA-256 to the token. By default false.
    sign_body: Option<bool>,
    /// When the receiver answers again after failures, sends once more what was given up meanwhile.
    /// By default false.
    catch_up: Option<bool>,
    /// All phones of the account, also those to come. By default false.
    all_phone_numbers: Option<bool>,
    filter: Option<Filter>,
}

/// A name, or the delay before each retry in seconds: at most 50, each from 1 to 86,400.
#[derive(ToSchema)]
#[serde(untagged)]
enum RetrySchedule {
    Named(Preset),
    Delays(Vec<u32>),
}

/// `documented`: four retries within half a minute, the default; `hour`: eight within an hour;
/// `day`: twelve within a day; `three_days`: fifteen within three days.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Preset {
    Documented,
    Hour,
    Day,
    ThreeDays,
}

/// `none`: as they come, the default; `contact`: those about one contact one after the other.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Ordering {
    None,
    Contact,
}

/// `structured`: the whole `CloudEvent` is the body, the default; `binary`: its attributes are `ce-`
/// headers, its data is the body; `3cx`: as 3CX telephone systems want to be told of SMS.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Mode {
    Structured,
    Binary,
    #[schema(rename = "3cx")]
    ThreeCx,
}

/// A filter of events about messages; other events pass. Empty members let everything pass.
#[derive(ToSchema)]
struct Filter {
    /// Only these contacts, exactly as messages name them.
    #[schema(max_items = 1000)]
    contacts: Option<Vec<String>>,
    /// Only texts in which this regular expression is found. Cipher text never matches.
    content: Option<String>,
    /// Only these SIMs.
    sims: Option<Vec<Sim>>,
    /// Only what comes in, or goes out.
    directions: Option<Vec<Direction>>,
}

/// Which way a message goes, seen from the account.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Direction {
    In,
    Out,
}

/// The types of events that webhooks can get.
#[derive(ToSchema)]
pub(super) enum EventType {
    #[schema(rename = "message.phone.received")]
    MessagePhoneReceived,
    #[schema(rename = "message.phone.sent")]
    MessagePhoneSent,
    #[schema(rename = "message.phone.delivered")]
    MessagePhoneDelivered,
    #[schema(rename = "message.send.failed")]
    MessageSendFailed,
    #[schema(rename = "message.send.expired")]
    MessageSendExpired,
    #[schema(rename = "message.call.missed")]
    MessageCallMissed,
    #[schema(rename = "phone.heartbeat.offline")]
    PhoneHeartbeatOffline,
    #[schema(rename = "phone.heartbeat.online")]
    PhoneHeartbeatOnline,
}

/// A signing key, without the secret.
#[derive(ToSchema)]
struct SigningKey {
    id: Uuid,
    /// From then on it signs the token, until a later one does.
    active_from: Time,
    /// From then on it signs nothing.
    retired_at: Option<Time>,
}

/// Why a webhook is paused: its owner wants it so, it has failed for days, or its account is disabled.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum PauseReason {
    Asked,
    Failing,
    Disabled,
}

/// How a new signing key takes over.
#[derive(ToSchema)]
pub(crate) struct RotateKey {
    /// The new key; made if absent or blank.
    #[schema(max_length = 255)]
    signing_key: Option<String>,
    /// When it begins to sign the token; until then receivers can learn it. By default an hour.
    #[schema(maximum = 604_800, default = 3600)]
    activate_in_seconds: Option<u32>,
    /// How long after that the old keys still sign beside it. By default a day.
    #[schema(maximum = 2_592_000, default = 86_400)]
    overlap_seconds: Option<u32>,
}

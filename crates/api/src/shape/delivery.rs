//! Deliveries to webhooks, and their replays.

use std::collections::BTreeMap;

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;
use super::event::EventData;
use super::webhook::EventType;

/// A delivery of an event to a webhook.
#[derive(ToSchema)]
pub(crate) struct Delivery {
    /// Grows with time.
    id: i64,
    event_id: Uuid,
    event_type: EventType,
    cause: Cause,
    state: DeliveryState,
    /// Attempts so far.
    attempts: i64,
    last_attempt_at: Option<Time>,
    /// Microseconds of the last attempt.
    duration_us: Option<i64>,
    /// The last HTTP status.
    status: Option<i64>,
    /// What went wrong last.
    error: Option<String>,
    next_attempt_at: Option<Time>,
}

/// Why a delivery was made: the event happened, somebody wanted it again, or wanted to see whether it
/// arrives.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum Cause {
    Live,
    Replay,
    Test,
}

/// `waiting`: not attempted yet; `retrying`: failed, and will be tried again; `delivered`: answered
/// 2xx; `failed`: given up, but it can be replayed.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum DeliveryState {
    Waiting,
    Retrying,
    Delivered,
    Failed,
}

/// A delivery with everything that was seen of it.
#[derive(ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: Delivery,
    /// What is sent; null once the event itself was purged.
    event: Option<CloudEvent>,
    /// Its attempts, oldest first.
    log: Vec<Attempt>,
}

/// An event as webhooks get it: a `CloudEvent` 1.0.
#[derive(ToSchema)]
struct CloudEvent {
    specversion: String,
    id: Uuid,
    source: String,
    r#type: EventType,
    datacontenttype: String,
    time: Time,
    /// True, and only there on made-up events.
    test: Option<bool>,
    data: EventData,
}

/// An attempt at a delivery.
#[derive(ToSchema)]
struct Attempt {
    /// From 1.
    number: i64,
    started_at: Time,
    /// Microseconds to the last byte that was read.
    duration_us: i64,
    state: DeliveryState,
    /// The URL it went to.
    url: String,
    /// The request's headers, secrets left out.
    request_headers: BTreeMap<String, String>,
    /// The HTTP status, if an answer came.
    status: Option<i64>,
    /// The answer's headers.
    response_headers: Option<BTreeMap<String, String>>,
    /// The first 16 KiB of the answer's body.
    response_body: Option<String>,
    /// What went wrong, in words.
    error: Option<String>,
    next_attempt_at: Option<Time>,
}

/// A delivery that was made.
#[derive(ToSchema)]
pub(crate) struct DeliveryMade {
    delivery_id: i64,
}

/// An event to make up.
#[derive(ToSchema)]
pub(crate) struct TestWebhook {
    event_type: EventType,
}

/// What is to be replayed.
#[derive(ToSchema)]
pub(crate) struct StartReplay {
    /// Only deliveries that were given up; otherwise, and by default, every event that the webhook
    /// wants, delivered or not.
    failed_only: Option<bool>,
    /// Only these types; empty: all that the webhook wants.
    event_types: Option<Vec<EventType>>,
    /// From this time on.
    since: Time,
    /// Before this time; by default now.
    until: Option<Time>,
}

/// A replay, with its progress.
#[derive(ToSchema)]
pub(crate) struct Replay {
    id: Uuid,
    webhook_id: Uuid,
    stage: ReplayStage,
    /// Events to look at, counted up to 100,001.
    total: i64,
    /// Deliveries made so far.
    queued: i64,
    /// Of those, delivered.
    delivered: i64,
    /// Of those, given up again.
    failed: i64,
    created_at: Time,
}

/// `running`: still queueing; `queued`: everything is queued; `cancelled`: stopped, and what was
/// queued is withdrawn.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum ReplayStage {
    Running,
    Queued,
    Cancelled,
}

/// How a webhook is doing, by its latest attempts.
#[derive(ToSchema)]
pub(crate) struct Health {
    /// Attempts that were looked at, 1,000 at most.
    attempts: u64,
    /// The part of them that was answered 2xx, from 0 to 1; null without attempts.
    success_rate: Option<f64>,
    /// Microseconds that half of them took at most.
    p50_us: Option<i64>,
    /// Microseconds that 95 of 100 took at most.
    p95_us: Option<i64>,
    /// Microseconds that 99 of 100 took at most.
    p99_us: Option<i64>,
    /// Deliveries that wait, counted up to a million.
    backlog: i64,
    /// When the event happened that has waited longest.
    oldest_waiting_at: Option<Time>,
}

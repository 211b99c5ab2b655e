//! Phones, their keys, heartbeats and wake-ups.

use gateway::Uuid;
use utoipa::ToSchema;

use super::{Sim, Time};

/// A phone, which is one SIM of a device.
#[derive(ToSchema)]
pub(crate) struct Phone {
    id: Uuid,
    user_id: String,
    /// How to wake it: a token of the push service, or `stream:…` when it fetches its wake-ups.
    fcm_token: Option<String>,
    /// In E.164.
    phone_number: String,
    /// At most so many messages leave it in a minute; 0: no limit.
    messages_per_minute: i64,
    sim: Sim,
    /// When it may send.
    message_send_schedule_id: Option<Uuid>,
    /// Wake-ups per message before it is given up; 0 means 2.
    max_send_attempts: i64,
    /// How long it may take to report; 0 means 600.
    message_expiration_seconds: i64,
    /// What callers are answered whose call was missed.
    missed_call_auto_reply: Option<String>,
    /// Whether an incoming message takes its thread out of the archive.
    unarchive_thread: bool,
    created_at: Time,
    updated_at: Time,
    /// What its owner calls it.
    name: Option<String>,
    /// Segments that may leave it in any minute; null: no limit.
    limit_per_minute: Option<i64>,
    /// The same in any hour.
    limit_per_hour: Option<i64>,
    /// The same in any 24 hours.
    limit_per_day: Option<i64>,
    /// Whether it is heard of; also true of a phone that never was.
    online: bool,
    /// When its last heartbeat came.
    last_heartbeat_at: Option<Time>,
}

/// Settings of a phone: absent members stay as they are.
#[derive(ToSchema)]
pub(crate) struct PutPhone {
    /// Which phone, in E.164; it is added if it is new.
    phone_number: String,
    /// `null` and blanks take it away.
    #[schema(max_length = 1000)]
    fcm_token: Option<String>,
    /// 0 says nothing.
    #[schema(minimum = 0, maximum = 60)]
    messages_per_minute: Option<i64>,
    /// Anything but `SIM2` is the first.
    sim: Option<String>,
    message_send_schedule_id: Option<Uuid>,
    /// 0 says nothing; otherwise `message_expiration_seconds` must be there, too.
    #[schema(minimum = 0, maximum = 5)]
    max_send_attempts: Option<i64>,
    /// 60 to 3,600, or 0 for the default.
    #[schema(minimum = 0, maximum = 3600)]
    message_expiration_seconds: Option<i64>,
    /// `null` and blanks take it away.
    missed_call_auto_reply: Option<String>,
    unarchive_thread: Option<bool>,
    /// `null` and blanks take it away.
    #[schema(max_length = 60)]
    name: Option<String>,
    /// Segments that may leave it in any minute; 0 and `null`: no limit.
    #[schema(minimum = 0, maximum = 1_000_000)]
    limit_per_minute: Option<i64>,
    /// The same in any hour.
    #[schema(minimum = 0, maximum = 1_000_000)]
    limit_per_hour: Option<i64>,
    /// The same in any 24 hours.
    #[schema(minimum = 0, maximum = 1_000_000)]
    limit_per_day: Option<i64>,
}

/// How a phone is doing, by its heartbeats.
#[derive(ToSchema)]
pub(crate) struct PhoneHealth {
    /// Whether it is heard of.
    online: bool,
    last_heartbeat_at: Option<Time>,
    /// Whether it was plugged in then.
    charging: Option<bool>,
    /// What its app called itself then.
    version: Option<String>,
    /// The part of the time in which it was heard of, from 0 to 100; null for a new phone.
    uptime_percent: Option<f64>,
    /// When it was not heard of, the latest first.
    gaps: Vec<HeartbeatGap>,
    /// Heartbeats by the hour; hours without any are left out.
    buckets: Vec<HeartbeatBucket>,
}

/// A time without heartbeats that was longer than a phone may be silent.
#[derive(ToSchema)]
struct HeartbeatGap {
    /// The last heartbeat before it.
    from: Time,
    /// The first one after it; none so far, if null.
    to: Option<Time>,
}

/// Heartbeats of one hour.
#[derive(ToSchema)]
struct HeartbeatBucket {
    /// When the hour begins.
    from: Time,
    beats: i64,
}

/// A phone that signs in.
#[derive(ToSchema)]
pub(crate) struct SignIn {
    /// In E.164.
    phone_number: String,
    #[schema(max_length = 1000)]
    fcm_token: String,
    /// Anything but `SIM2` is the first.
    sim: Option<String>,
}

/// A key that phones show instead of the account's own.
#[derive(ToSchema)]
pub(crate) struct PhoneKey {
    id: Uuid,
    name: String,
    user_id: String,
    user_email: String,
    /// The numbers bound to it, in the order they were bound.
    phone_numbers: Vec<String>,
    /// Their phones, in the same order.
    phone_ids: Vec<Uuid>,
    /// The key, in clear.
    api_key: String,
    created_at: Time,
    updated_at: Time,
}

/// A key to make.
#[derive(ToSchema)]
pub(crate) struct NewPhoneKey {
    #[schema(min_length = 1, max_length = 60)]
    name: String,
}

/// A sign of life.
#[derive(ToSchema)]
pub(crate) struct Heartbeat {
    id: Uuid,
    /// The phone's number.
    owner: String,
    /// The app's version.
    version: String,
    /// Whether the phone is plugged in.
    charging: bool,
    user_id: String,
    /// When it arrived, by the server's clock.
    timestamp: Time,
}

/// A sign of life to store. The header `X-Client-Version` says the app's version.
#[derive(ToSchema)]
pub(crate) struct StoreHeartbeat {
    /// Its numbers, in E.164.
    #[schema(min_items = 1, max_items = 2)]
    phone_numbers: Vec<String>,
    charging: Option<bool>,
}

/// A wake-up.
#[derive(ToSchema)]
pub(crate) struct Notification {
    /// What the phone acknowledges it by.
    id: Uuid,
    data: WakeUp,
}

/// What a wake-up asks for, in the form of the push service's data message.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum WakeUp {
    /// Fetch this message and send it.
    KeyMessageId(Uuid),
    /// Send a heartbeat; asked for at this time.
    KeyHeartbeatId(Time),
}

//! Messages.

use gateway::Uuid;
use utoipa::ToSchema;

use super::{Sim, Time};

/// An SMS, MMS or missed call.
#[derive(ToSchema)]
pub(crate) struct Message {
    id: Uuid,
    /// The client's own name for it.
    request_id: Option<String>,
    /// The account's phone number.
    owner: String,
    /// The account.
    user_id: String,
    /// The other side: a number, short code or name.
    contact: String,
    /// The text; empty for a missed call.
    content: String,
    /// URLs of what comes with it.
    attachments: Option<Vec<String>>,
    /// Whether the text is cipher text, which only phone and client can read.
    encrypted: bool,
    r#type: MessageType,
    status: MessageStatus,
    sim: Sim,
    /// Nanoseconds from the request to the phone's `SENT`.
    send_time: Option<i64>,
    /// When the request came; for what a phone received, the phone's own time.
    request_received_at: Time,
    created_at: Time,
    updated_at: Time,
    /// What lists are sorted by; only moves forward.
    order_timestamp: Time,
    /// When the phone fetched it.
    last_attempted_at: Option<Time>,
    /// Its slot.
    scheduled_at: Option<Time>,
    /// When the phone sent it, by the phone's clock.
    sent_at: Option<Time>,
    /// When the client wants it sent.
    scheduled_send_time: Option<Time>,
    /// When it reached the recipient, by the phone's clock.
    delivered_at: Option<Time>,
    expired_at: Option<Time>,
    failed_at: Option<Time>,
    /// Wake-ups that left for it.
    send_attempt_count: i64,
    /// Wake-ups at most.
    max_send_attempts: i64,
    /// When the phone received it, by the phone's clock.
    received_at: Option<Time>,
    /// Why it failed, in words.
    failure_reason: Option<String>,
    /// How the text goes over the air; null for cipher text and missed calls.
    encoding: Option<Encoding>,
    /// In how many segments.
    segment_count: Option<i64>,
}

/// An alphabet of the air: of the first a segment has 160 characters, of the second 70.
#[derive(ToSchema)]
enum Encoding {
    #[schema(rename = "GSM-7")]
    Gsm7,
    #[schema(rename = "UCS-2")]
    Ucs2,
}

/// What a message is.
#[derive(ToSchema)]
enum MessageType {
    #[schema(rename = "mobile-terminated")]
    MobileTerminated,
    #[schema(rename = "mobile-originated")]
    MobileOriginated,
    #[schema(rename = "call/missed")]
    MissedCall,
}

/// Where a message stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum MessageStatus {
    Pending,
    Scheduled,
    Sending,
    Sent,
    Delivered,
    Failed,
    Expired,
    Received,
}

/// Several messages.
#[derive(ToSchema)]
pub(crate) struct MessageIds {
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
}

/// What became of a request to delete several.
#[derive(ToSchema)]
pub(crate) struct DeletedMessages {
    /// How many are gone.
    deleted: i64,
}

/// What happened to a message, and what it waits for.
#[derive(ToSchema)]
#[schema(as = MessageTimeline)]
pub(crate) struct Timeline {
    /// The earliest first.
    steps: Vec<Moment>,
    /// Why it is where it is, in words; null if nothing more is to come.
    waiting: Option<String>,
    /// Until when it waits.
    waiting_until: Option<Time>,
    /// The same for programs.
    waiting_for: Option<Waiting>,
}

/// What a message waits for, for programs.
#[derive(ToSchema)]
#[schema(as = WaitingFor)]
struct Waiting {
    code: Awaited,
    /// Until when at most, or at least.
    until: Option<Time>,
    /// Of `phone`: its last heartbeat; null if none ever came.
    heartbeat_at: Option<Time>,
    /// Of `slot`: how many messages a minute its phone may send; null if as many as it can.
    per_minute: Option<i64>,
}

/// `asked_time`: the time that was asked for; `bulk_turn`: its turn in a bulk send; `resume`: that its
/// bulk send goes on, which was paused; `hours`: the hours in which its phone may send; `slot`: its slot,
/// by the rate and the limits of its phone; `phone`: that its phone comes back, which is offline;
/// `wake_up`: that its phone is woken; `fetch`: that its phone, which was woken, fetches it; `report`:
/// that its phone says what became of it; `delivery_report`: that the network says it arrived;
/// `deleted_phone`: nothing more, its phone was deleted.
#[derive(ToSchema)]
#[schema(as = WaitingCode, rename_all = "snake_case")]
enum Awaited {
    AskedTime,
    BulkTurn,
    Resume,
    Hours,
    Slot,
    Phone,
    WakeUp,
    Fetch,
    Report,
    DeliveryReport,
    DeletedPhone,
}

/// Something that happened to a message.
#[derive(ToSchema)]
#[schema(as = TimelineStep)]
struct Moment {
    at: Time,
    step: StepName,
    /// More about it, in words.
    detail: Option<String>,
    /// Why it went wrong.
    reason: Option<String>,
    /// Of `accepted`: the time that was asked for, if any; of `scheduled`: its slot.
    scheduled_at: Option<Time>,
    /// Of `expired`: which wake-up it was, from 1.
    attempt: Option<i64>,
    /// Of `expired`: whether that was the last one.
    is_final: Option<bool>,
}

/// What happened.
#[derive(ToSchema)]
#[schema(as = TimelineStepName, rename_all = "snake_case")]
enum StepName {
    Accepted,
    Scheduled,
    Woken,
    WakeUpFailed,
    Claimed,
    Sent,
    Delivered,
    Failed,
    Expired,
    Retried,
    Received,
    Missed,
}

/// A message that waits for its phone, or for its phone's report.
#[derive(ToSchema)]
pub(crate) struct QueuedMessage {
    message_id: Uuid,
    /// Who is to get it.
    contact: String,
    content: String,
    /// Whether the text is cipher text.
    encrypted: bool,
    status: MessageStatus,
    /// When it is released, sent, or given up waiting for.
    due_at: Option<Time>,
    /// Why it waits, in words.
    reason: String,
    /// The same for programs.
    waiting_for: Waiting,
}

/// An SMS to send.
#[derive(ToSchema)]
pub(crate) struct SendMessage {
    /// The number of a phone of the account, in E.164.
    from: String,
    /// A number or short code.
    to: String,
    /// Lengths are counted in bytes of UTF-8.
    #[schema(min_length = 1, max_length = 2048)]
    content: String,
    /// Absolute http or https URLs.
    #[schema(max_items = 10)]
    attachments: Option<Vec<String>>,
    /// Whether `content` is cipher text for the phone.
    encrypted: Option<bool>,
    /// The client's own name for the message.
    #[schema(max_length = 255)]
    request_id: Option<String>,
    /// When to send it: at most 20 days from now.
    send_at: Option<Time>,
}

/// One text to many. All messages are accepted, or none.
#[derive(ToSchema)]
pub(crate) struct BulkSend {
    /// The number of a phone of the account, in E.164.
    from: String,
    /// Numbers or short codes.
    #[schema(min_items = 1, max_items = 1000)]
    to: Vec<String>,
    #[schema(min_length = 1, max_length = 1024)]
    content: String,
    /// Absolute http or https URLs.
    #[schema(max_items = 10)]
    attachments: Option<Vec<String>>,
    /// Whether `content` is cipher text for the phone.
    encrypted: Option<bool>,
    /// The client's own name for the messages.
    request_id: Option<String>,
}

/// What a phone received.
#[derive(ToSchema)]
pub(crate) struct ReceiveMessage {
    /// Who sent it: a number, short code or name.
    #[schema(min_length = 1)]
    from: String,
    /// The phone's own number, in E.164.
    to: String,
    /// May be empty if there are attachments.
    #[schema(max_length = 2048)]
    content: String,
    /// Whether `content` is cipher text.
    encrypted: Option<bool>,
    /// By which SIM; the first if absent, empty or `DEFAULT`.
    sim: Option<String>,
    /// When the phone received it.
    timestamp: Option<Time>,
    /// At most 3,000,000 bytes together.
    #[schema(max_items = 10)]
    attachments: Option<Vec<ReceivedFile>>,
}

/// A file of an MMS.
#[derive(ToSchema)]
struct ReceivedFile {
    name: Option<String>,
    /// Such as `image/jpeg`.
    content_type: String,
    /// At most 1,500,000 bytes, in base64.
    #[schema(content_encoding = "base64")]
    content: String,
}

/// A call that a phone missed.
#[derive(ToSchema)]
pub(crate) struct MissCall {
    /// Who called.
    from: String,
    /// The phone's own number, in E.164.
    to: String,
    /// By which SIM.
    sim: Sim,
    timestamp: Option<Time>,
}

/// What became of a message, by the phone.
#[derive(ToSchema)]
pub(crate) struct ReportMessage {
    event_name: Reported,
    /// By the phone's clock.
    timestamp: Option<Time>,
    /// Why it failed.
    reason: Option<String>,
}

/// What a phone reports.
#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
enum Reported {
    Sent,
    Failed,
    Delivered,
}

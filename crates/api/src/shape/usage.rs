//! Usage.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;

/// What an account sent and received in a billing cycle.
#[derive(ToSchema)]
pub(crate) struct BillingUsage {
    id: Uuid,
    user_id: String,
    /// Messages released to a phone; the cycle is that of their request.
    sent_messages: i64,
    /// SMS that phones received; missed calls are free.
    received_messages: i64,
    /// Always 0.
    total_cost: i64,
    /// Midnight of the account's day, in UTC.
    start_timestamp: Time,
    /// One second before the next cycle begins.
    end_timestamp: Time,
    created_at: Time,
    updated_at: Time,
    /// How many messages may be sent and received in it; null if the operator has set no
    /// quota, and of cycles that are over.
    message_quota: Option<i64>,
}

/// What happened on a day.
#[derive(ToSchema)]
pub(crate) struct DailyUsage {
    /// Such as `2026-03-02`.
    #[schema(format = Date)]
    day: String,
    /// Messages released to a phone.
    sent: i64,
    /// SMS that phones received.
    received: i64,
    /// Messages that failed, or expired for good.
    failed: i64,
}

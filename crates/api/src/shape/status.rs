//! Status.

use utoipa::ToSchema;

use super::Time;
use super::webhook::PauseReason;

/// Whether there is something to look at.
#[derive(ToSchema)]
#[schema(as = AccountStatus)]
pub(crate) struct Status {
    state: State,
    reasons: Vec<Reason>,
}

/// `ok` without reasons.
#[derive(ToSchema)]
#[schema(as = AccountState, rename_all = "lowercase")]
enum State {
    Ok,
    Attention,
}

/// Something to look at.
#[derive(ToSchema)]
#[schema(as = StatusReason)]
struct Reason {
    kind: Kind,
    /// In words.
    text: String,
    /// Where the dashboard shows it, such as `/phones/5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11`.
    link: String,
    /// Which one: the phone's name or number, the webhook's URL.
    subject: String,
    /// Since when; of `queue_held`: until when; of `phone_offline`: its last heartbeat.
    at: Option<Time>,
    /// Of `queue_held`: how many messages, 10,000 at most.
    count: Option<i64>,
    /// Of `webhook_paused`: why.
    pause_reason: Option<PauseReason>,
}

/// What a reason is about.
#[derive(ToSchema)]
#[schema(as = StatusReasonKind, rename_all = "snake_case")]
enum Kind {
    PhoneOffline,
    QueueHeld,
    WebhookFailing,
    WebhookPaused,
}

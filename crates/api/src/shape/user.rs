//! Accounts.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;

/// An account.
#[derive(ToSchema)]
pub(crate) struct User {
    /// Opaque text.
    id: String,
    email: String,
    /// The account's key, in clear.
    api_key: String,
    /// IANA name.
    timezone: String,
    /// The phone that a dashboard shows.
    active_phone_id: Option<Uuid>,
    /// Always `free`: this server bills nobody.
    subscription_name: String,
    /// Always null.
    subscription_id: Option<String>,
    /// Always null.
    subscription_status: Option<String>,
    /// Always null.
    subscription_renews_at: Option<Time>,
    /// Always null.
    subscription_ends_at: Option<Time>,
    notification_message_status_enabled: bool,
    notification_webhook_enabled: bool,
    notification_heartbeat_enabled: bool,
    notification_newsletter_enabled: bool,
    created_at: Time,
    updated_at: Time,
}

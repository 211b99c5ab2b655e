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
    /// Whether it looks after all accounts of the server.
    admin: bool,
}

/// What a new visitor can do.
#[derive(ToSchema)]
pub(crate) struct Setup {
    /// Whether the first account has no password yet.
    needs_owner: bool,
    sign_up: SignUp,
    /// Of the server.
    version: String,
    /// Where the server is reached, without a slash at its end.
    public_url: String,
}

/// Whether anybody may make an account.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum SignUp {
    Open,
    Closed,
}

/// What makes somebody the owner of a new server.
#[derive(ToSchema)]
pub(crate) struct SetUp {
    /// The key that the server showed at its first start.
    api_key: String,
    email: String,
    /// 8 characters to 1024 bytes.
    password: String,
}

/// What one signs in with.
#[derive(ToSchema)]
pub(crate) struct Credentials {
    email: String,
    /// 8 characters to 1024 bytes.
    password: String,
}

/// Somebody who is signed in.
#[derive(ToSchema)]
pub(crate) struct Session {
    id: Uuid,
    /// What the browser or program called itself.
    agent: String,
    created_at: Time,
    /// When it was last used, within the hour.
    seen_at: Time,
    /// When it ends, unless it is used before.
    expires_at: Time,
    /// Whether this request belongs to it.
    current: bool,
}

/// What an account's owner sets.
#[derive(ToSchema)]
pub(crate) struct PutUser {
    /// IANA name.
    timezone: Option<String>,
    /// The phone that a dashboard shows.
    active_phone_id: Option<Uuid>,
}

/// Which mails are wanted; what is absent is not.
#[derive(ToSchema)]
pub(crate) struct PutNotifications {
    /// About failed and expired messages.
    message_status_enabled: Option<bool>,
    /// About webhooks that cannot be reached.
    webhook_enabled: Option<bool>,
    /// About phones that went offline.
    heartbeat_enabled: Option<bool>,
    /// Kept for clients; nothing reads it.
    newsletter_enabled: Option<bool>,
}

/// A new password.
#[derive(ToSchema)]
pub(crate) struct PutPassword {
    /// Needed if there is one.
    old_password: Option<String>,
    /// 8 characters to 1024 bytes.
    new_password: String,
}

/// What a named key is good for: sending and cancelling messages; reading whatever the account has,
/// secrets aside; phones, phone keys and schedules, and acting as a phone; webhooks; everything.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Scope {
    Send,
    Read,
    Phones,
    Webhooks,
    Admin,
}

/// A named key to be made.
#[derive(ToSchema)]
pub(crate) struct NewApiKey {
    /// 1 to 60 bytes.
    name: String,
    /// At least one.
    scopes: Vec<Scope>,
    /// From then on it opens nothing; never, if absent.
    expires_at: Option<Time>,
}

/// A named key as it is listed.
#[derive(ToSchema)]
pub(crate) struct ApiKey {
    id: Uuid,
    /// 1 to 60 bytes.
    name: String,
    /// How the key begins.
    hint: String,
    scopes: Vec<Scope>,
    /// When it was last used, within the minute.
    last_used_at: Option<Time>,
    /// From then on it opens nothing.
    expires_at: Option<Time>,
    /// Since when it opens nothing.
    revoked_at: Option<Time>,
    created_at: Time,
}

/// A named key that was made just now.
#[derive(ToSchema)]
pub(crate) struct ApiKeyMade {
    #[serde(flatten)]
    listed: ApiKey,
    /// The key itself, shown this once.
    api_key: String,
}

/// Days after which things are purged; 0: never.
#[derive(ToSchema)]
pub(crate) struct Retention {
    /// Messages with their files. What is still to be sent stays.
    messages_days: i64,
    /// Events in the log. What is still to be delivered stays.
    events_days: i64,
    /// Attempts at webhooks; with 0 as long as the server keeps them.
    deliveries_days: i64,
    /// Heartbeats of phones.
    heartbeats_days: i64,
}

/// Days after which things are to be purged, at most 36,500; 0: never. What is absent stays.
#[derive(ToSchema)]
pub(crate) struct PutRetention {
    messages_days: Option<i64>,
    events_days: Option<i64>,
    deliveries_days: Option<i64>,
    heartbeats_days: Option<i64>,
}

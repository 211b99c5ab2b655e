//! Accounts as an administrator sees them.

use utoipa::ToSchema;

use super::Time;

/// An account without its secrets.
#[derive(ToSchema)]
pub(crate) struct Account {
    /// Opaque text.
    id: String,
    email: String,
    /// Whether it looks after all accounts.
    admin: bool,
    state: Standing,
    /// When a session, a named key or a phone of it was last heard of, within the hour.
    last_seen_at: Option<Time>,
    /// Messages released to its phones within thirty days.
    sent_messages: i64,
    /// SMS that its phones received within thirty days.
    received_messages: i64,
    created_at: Time,
}

/// How an account stands: its owner may come in; has a link to choose the first password; may not
/// come in.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum Standing {
    Active,
    Invited,
    Disabled,
}

/// An account to be made.
#[derive(ToSchema)]
pub(crate) struct NewAccount {
    email: String,
    /// 8 characters to 1024 bytes. Without one there will be a link.
    password: Option<String>,
    /// Whether it looks after all accounts.
    admin: Option<bool>,
}

/// An account that was made just now.
#[derive(ToSchema)]
pub(crate) struct AccountMade {
    #[serde(flatten)]
    account: Account,
    /// By which its owner chooses a password; none if it has one.
    password_link: Option<PasswordLink>,
}

/// What changes of an account; what is absent stays.
#[derive(ToSchema)]
pub(crate) struct PutAccount {
    /// Whether it looks after all accounts.
    admin: Option<bool>,
    /// Whether nobody comes in.
    disabled: Option<bool>,
}

/// A link by which an account's owner chooses a password, once.
#[derive(ToSchema)]
pub(crate) struct PasswordLink {
    /// A page of the dashboard. What stands behind its `#` is the secret.
    url: String,
    /// From then on it opens nothing.
    expires_at: Time,
}

/// What a visitor with a link sends.
#[derive(ToSchema)]
pub(crate) struct ChoosePassword {
    /// The secret of the link.
    token: String,
    /// 8 characters to 1024 bytes.
    password: String,
}

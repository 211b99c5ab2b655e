//! Threads.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;
use super::message::MessageStatus;

/// A conversation: what a number of the account and a contact wrote to each other.
#[derive(ToSchema)]
pub(crate) struct MessageThread {
    id: Uuid,
    /// The account's phone number.
    owner: String,
    /// The other side: a number, short code or name.
    contact: String,
    is_archived: bool,
    /// Whether what came in was read.
    is_read: bool,
    /// The account.
    user_id: String,
    /// The name of a colour.
    color: String,
    /// Where its newest message stands.
    status: MessageStatus,
    /// The text of its newest message, or `Missed phone call`.
    last_message_content: String,
    last_message_id: Uuid,
    created_at: Time,
    updated_at: Time,
    /// What lists are sorted by; only moves forward.
    order_timestamp: Time,
}

/// Changes to a thread: absent members stay as they are.
#[derive(ToSchema)]
pub(crate) struct PutThread {
    is_archived: Option<bool>,
    is_read: Option<bool>,
}

/// How many threads there are to look at.
#[derive(ToSchema)]
pub(crate) struct ThreadCounts {
    /// Threads out of the archive in which something was not read.
    unread: i64,
    /// Threads in the archive.
    archived: i64,
    /// The unread ones by the account's numbers.
    by_owner: Vec<UnreadThreads>,
}

/// Unread threads of one number.
#[derive(ToSchema)]
struct UnreadThreads {
    /// The account's phone number.
    owner: String,
    unread: i64,
}

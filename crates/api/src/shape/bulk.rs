//! Bulk messages.

use utoipa::ToSchema;

use super::{Message, Time};

/// Messages with the same request id, counted by where they stand. The first six counts add up to
/// `total`; the later ones are parts of them.
#[derive(ToSchema)]
pub(crate) struct BulkMessage {
    /// Begins with `bulk-`.
    request_id: String,
    total: i64,
    /// They have a slot, or the phone has them.
    scheduled_count: i64,
    /// They wait for their slot.
    pending_count: i64,
    failed_count: i64,
    expired_count: i64,
    sent_count: i64,
    delivered_count: i64,
    /// Of those with a slot: the phone has them.
    sending_count: i64,
    /// Of those that failed: they were cancelled.
    cancelled_count: i64,
    /// Of all: they are held back.
    paused_count: i64,
    status: BulkStatus,
    created_at: Time,
}

/// Where a bulk message stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum BulkStatus {
    Running,
    Paused,
    Finished,
}

/// A bulk message with some of its messages.
#[derive(ToSchema)]
pub(crate) struct BulkDetail {
    #[serde(flatten)]
    bulk: BulkMessage,
    /// In the order of the file.
    messages: Vec<Message>,
}

/// A file of messages.
#[derive(ToSchema)]
pub(crate) struct BulkFile {
    /// CSV or XLSX, 1,000 messages at most.
    #[schema(content_media_type = "application/octet-stream")]
    document: String,
    /// Which columns are what, if not those of the template.
    mapping: Option<BulkMapping>,
    /// The sender of rows that name none: the number of a phone of the account, in E.164.
    from: Option<String>,
}

/// Which columns of a file are what: the text of the column's first row, or its index from 0.
#[derive(ToSchema)]
struct BulkMapping {
    from: Option<BulkColumn>,
    to: BulkColumn,
    content: Option<BulkColumn>,
    send_time: Option<BulkColumn>,
    attachments: Option<BulkColumn>,
}

/// A column of a file.
#[derive(ToSchema)]
#[serde(untagged)]
enum BulkColumn {
    Name(String),
    Index(u32),
}

/// What a file would send.
#[derive(ToSchema)]
pub(crate) struct BulkPreview {
    /// The texts of its first row.
    columns: Vec<String>,
    /// Its first hundred messages.
    rows: Vec<BulkRow>,
    /// All of its messages; of too many only 1,001 are counted.
    total: u32,
    /// Everything that sending it would be refused for.
    errors: Vec<String>,
}

/// A message of a file.
#[derive(ToSchema)]
struct BulkRow {
    /// As errors count it.
    row: u32,
    from: String,
    to: String,
    content: String,
    /// Null: at once, or when it cannot be read.
    send_time: Option<Time>,
    /// URLs of what is sent along.
    attachments: Vec<String>,
    /// Short messages that the text takes on the air.
    segments: u32,
    /// What is wrong with it.
    errors: Vec<String>,
}

/// Messages that were accepted together.
#[derive(ToSchema)]
pub(crate) struct BulkAccepted {
    /// Their request id.
    request_id: String,
    /// How many they are.
    count: u32,
}

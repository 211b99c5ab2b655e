//! Files.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;

/// A file that was uploaded.
#[derive(ToSchema)]
pub(crate) struct Attachment {
    id: Uuid,
    /// Where it can be fetched: what `attachments` of a message may name.
    url: String,
    /// Its name, as it is kept.
    name: String,
    content_type: String,
    /// In bytes.
    size: u32,
    created_at: Time,
}

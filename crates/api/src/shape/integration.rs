//! What other systems send and get.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;

/// An SMS from 3CX.
#[derive(ToSchema)]
pub(crate) struct ThreeCxSend {
    /// The number of a phone of the account, in E.164.
    from: String,
    /// A number or short code.
    to: String,
    #[schema(min_length = 1, max_length = 2048)]
    text: String,
}

/// What 3CX is answered.
#[derive(ToSchema)]
pub(crate) struct ThreeCxSent {
    data: ThreeCxData,
}

#[derive(ToSchema)]
struct ThreeCxData {
    payload: ThreeCxPayload,
}

#[derive(ToSchema)]
struct ThreeCxPayload {
    /// The message.
    id: Uuid,
}

/// Whom an invoice is for.
#[derive(ToSchema)]
pub(crate) struct Invoice {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(min_length = 1, max_length = 200)]
    address: String,
    #[schema(min_length = 1, max_length = 100)]
    city: String,
    #[schema(max_length = 100)]
    state: Option<String>,
    #[schema(min_length = 2, max_length = 2)]
    country: String,
    #[schema(min_length = 1, max_length = 20)]
    zip_code: String,
    #[schema(max_length = 1000)]
    notes: Option<String>,
}

/// A `CloudEvent` for the reference's queue.
#[derive(ToSchema)]
pub(crate) struct DispatchEvent {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    r#type: Option<String>,
}

/// A connection to a Discord server.
#[derive(ToSchema)]
pub(crate) struct Discord {
    id: Uuid,
    user_id: String,
    name: String,
    server_id: String,
    /// The channel that shows what phones receive.
    incoming_channel_id: String,
    created_at: Time,
    updated_at: Time,
}

/// A connection to make, or to put in place of another.
#[derive(ToSchema)]
pub(crate) struct PutDiscord {
    /// Blanks around it are left out.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Digits.
    #[schema(min_length = 1, max_length = 255)]
    server_id: String,
    /// Digits.
    #[schema(min_length = 1, max_length = 255)]
    incoming_channel_id: String,
}

/// What Discord tells of; it has more members than are read.
#[derive(ToSchema)]
pub(crate) struct DiscordInteraction {
    r#type: i64,
    /// Of a command: one that comes again is not done again.
    id: Option<String>,
    guild_id: Option<String>,
    data: Option<DiscordCommand>,
}

#[derive(ToSchema)]
struct DiscordCommand {
    options: Vec<DiscordOption>,
}

#[derive(ToSchema)]
struct DiscordOption {
    name: String,
    value: String,
}

/// What Discord is answered.
#[derive(ToSchema)]
pub(crate) struct DiscordReply {
    r#type: i64,
    data: Option<DiscordMessage>,
}

#[derive(ToSchema)]
struct DiscordMessage {
    content: String,
    embeds: Vec<DiscordEmbed>,
}

#[derive(ToSchema)]
struct DiscordEmbed {
    title: Option<String>,
    color: Option<i64>,
    fields: Option<Vec<DiscordField>>,
}

#[derive(ToSchema)]
struct DiscordField {
    name: String,
    value: String,
    inline: bool,
}

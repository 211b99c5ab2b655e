//! What other systems send and get.

use gateway::Uuid;
use utoipa::ToSchema;

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

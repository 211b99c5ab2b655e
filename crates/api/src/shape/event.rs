//! Events of the log.

use gateway::Uuid;
use gateway::event::Kind;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Time;

/// A part of the log.
#[derive(ToSchema)]
pub(crate) struct Events {
    events: Vec<LoggedEvent>,
    /// The `after` of the next part.
    next: i64,
}

/// An event in the log: a `CloudEvent` 1.0 with its place.
#[derive(ToSchema)]
struct LoggedEvent {
    /// Its place, for `after`. Other accounts have places, too: it is no count.
    seq: i64,
    specversion: String,
    id: Uuid,
    /// The path of the request that caused it.
    source: String,
    r#type: AnyEventType,
    datacontenttype: String,
    time: Time,
    data: EventData,
}

/// What happened; the members depend on the event's type.
pub(super) struct EventData;

impl PartialSchema for EventData {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .description(Some(
                "What happened; the members depend on the event's type.",
            ))
            .into()
    }
}

impl ToSchema for EventData {}

/// All types of events; webhooks can ask for some of them.
struct AnyEventType;

impl PartialSchema for AnyEventType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Kind::ALL.map(Kind::as_str)))
            .description(Some("The type of an event."))
            .into()
    }
}

impl ToSchema for AnyEventType {}

//! Schemas of parameters.

use serde_json::json;
use utoipa::PartialSchema as _;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Schema};

use crate::shape::Time;

/// Any text.
pub(crate) fn text() -> Object {
    Object::with_type(Type::String)
}

/// `true` or `false`.
pub(crate) fn boolean() -> Object {
    Object::with_type(Type::Boolean)
}

/// One of these texts.
pub(crate) fn one_of(names: &[&str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names.iter().copied()))
        .build()
}

/// Several of these, as a parameter that is repeated.
pub(crate) fn list_of(item: impl Into<RefOr<Schema>>) -> Array {
    Array::new(item)
}

/// A whole number.
pub(crate) fn integer(least: i64, most: Option<i64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(most)
}

/// A version 4 UUID.
pub(crate) fn uuid() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .build()
}

/// An object with any members.
pub(super) fn anything() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// A time in RFC 3339.
pub(crate) fn time() -> RefOr<Schema> {
    Time::schema()
}

/// A number of a phone.
pub(crate) fn phone_number() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .examples([json!("+18005550199")])
}

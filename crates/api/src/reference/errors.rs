//! Envelopes, and the answers that say what is wrong, which routes share.

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, Object, ObjectBuilder, Type};
use utoipa::openapi::{Components, Ref, RefOr, Response, ResponseBuilder, Schema};

/// An answer with this status, and an example of its message if it is always much the same.
pub(super) fn envelope(status: &str, data: Option<RefOr<Schema>>, message: Option<&str>) -> Object {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .examples(message)
        .description(Some("For people."));
    let word = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([status]));
    let object = ObjectBuilder::new().schema_type(Type::Object);
    let object = match data {
        Some(data) => object.property("data", data).required("data"),
        None => object,
    };
    object
        .property("message", text)
        .required("message")
        .property("status", word)
        .required("status")
        .build()
}

/// What the document calls the answer with this status.
pub(super) fn name(status: u16) -> &'static str {
    match status {
        400 => "Malformed",
        401 => "Unauthorized",
        402 => "Limited",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        413 => "TooLarge",
        422 => "Invalid",
        429 => "TooMany",
        503 => "Unavailable",
        _ => "Internal",
    }
}

/// Adds the answers to the document.
pub(super) fn add(components: &mut Components) {
    let why = || Some(Object::with_type(Type::String).into());
    let fields = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::from(Schema::Array(Array::new(
            Object::with_type(Type::String),
        )))))
        .examples([json!({"from": ["The from field is required"]})]);
    let malformed = "The request isn't properly formed";
    let nobody = "You are not authorized to carry out this request.";
    let forbidden = "This API key may not do that: it needs the scope [webhooks]";
    let limit =
        "You can't create more than 1 discord integration contact us to upgrade your account.";
    let away = "The database is not available at the moment. Please try again.";
    let internal = "We ran into an internal error while handling the request.";
    let answers = [
        (
            400,
            "Not a request of this API: the body is no JSON object, a member has a wrong type, or a text holds U+0000; `data` says what was expected.",
            envelope("error", why(), Some(malformed)),
        ),
        (
            401,
            "No key and no session, an unknown key, one of the wrong kind, a phone's key that is not bound to the number, or a wrong password.",
            envelope("error", why(), Some(nobody)),
        ),
        (
            402,
            "There may be no more of these.",
            envelope("error", None, Some(limit)),
        ),
        (
            403,
            "A key that is not good for this, or a session that another site's page uses.",
            envelope("error", None, Some(forbidden)),
        ),
        (
            429,
            "Too many attempts; try again.",
            envelope(
                "error",
                None,
                Some("Too many attempts. Please try again in 8 seconds."),
            ),
        ),
        (
            404,
            "The account has no such thing.",
            envelope(
                "error",
                None,
                Some("cannot find message with ID [5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11]"),
            ),
        ),
        (
            409,
            "The state of the thing forbids it.",
            envelope(
                "error",
                None,
                Some(
                    "cannot cancel message with ID [5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11] any more, it is [sent]",
                ),
            ),
        ),
        (
            422,
            "Something is wrong with the request; `data` says what, by field.",
            envelope(
                "error",
                Some(fields.build().into()),
                Some("validation errors while sending message"),
            ),
        ),
        (
            500,
            "A fault of the server.",
            envelope("error", None, Some(internal)),
        ),
        (
            503,
            "The database is away or full, or too many ask for something long: try again. Without `Retry-After` this took too long; then ask for less.",
            envelope("error", None, Some(away)),
        ),
    ];
    for (status, about, envelope) in answers {
        let shape = format!("{}Error", name(status));
        let answer = json(status, about, &shape);
        components
            .schemas
            .insert(shape, Schema::from(envelope).into());
        components
            .responses
            .insert(name(status).to_owned(), answer.into());
    }
    // Its text is not described: generated clients would take every error for maybe a text.
    let too_large = ResponseBuilder::new().description(
        "The body is too large: more than 4 MiB, or 8 MiB for received messages. The answer is the text `Request Entity Too Large`.",
    );
    components
        .responses
        .insert(name(413).to_owned(), too_large.build().into());
}

fn json(status: u16, about: &str, shape: &str) -> Response {
    let shape = Ref::from_schema_name(shape);
    let content = ContentBuilder::new().schema(Some(shape)).build();
    let answer = ResponseBuilder::new()
        .description(about)
        .content("application/json", content);
    if !matches!(status, 429 | 503) {
        return answer.build();
    }
    let seconds = HeaderBuilder::new()
        .description(Some("Seconds to wait."))
        .schema(Some(Object::with_type(Type::Integer)));
    answer.header("Retry-After", seconds.build()).build()
}

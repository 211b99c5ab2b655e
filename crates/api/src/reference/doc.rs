//! What one route says of itself: who may call it, with what, and what it answers.

use gateway::api_key::Scope;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Array, Object, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{HttpMethod, Ref, RefOr, Required, ResponseBuilder, Schema};

use super::errors;
use super::plain::{anything, integer, time, uuid};

const JSON: &str = "application/json";

/// The description of one route.
pub(crate) struct Doc {
    operation: OperationBuilder,
    /// Needs a key or a session.
    keyed: bool,
    /// A longer text.
    note: String,
    /// What a named key must be good for, if that does not follow from method and tag.
    scope: Option<Scope>,
    /// What goes wrong beside what follows from the rest.
    refusals: Vec<u16>,
    parameters: Vec<Parameter>,
    has_body: bool,
    may_miss: bool,
    /// Answers nothing that depends on the database.
    fixed: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
    sent: Vec<String>,
}

/// The description as the document has it.
pub(super) struct Told {
    pub(super) operation: Operation,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) sent: Vec<String>,
}

impl Doc {
    /// A route for an account.
    pub(crate) fn user(id: &str, summary: &str) -> Self {
        Self::new(id, summary, true)
    }

    /// A route for a phone, or for an account.
    pub(crate) fn phone(id: &str, summary: &str) -> Self {
        let doc = Self::new(id, summary, true).scope(Scope::Phones);
        doc.note("Takes the key of a phone, too; it acts for the numbers bound to it only.")
    }

    /// A route for anybody, whose answer never depends on the database.
    pub(crate) fn public(id: &str, summary: &str) -> Self {
        let mut doc = Self::new(id, summary, false);
        doc.fixed = true;
        doc
    }

    fn new(id: &str, summary: &str, keyed: bool) -> Self {
        Self {
            operation: OperationBuilder::new()
                .operation_id(Some(id))
                .summary(Some(summary)),
            keyed,
            note: String::new(),
            scope: None,
            refusals: Vec::new(),
            parameters: Vec::new(),
            has_body: false,
            may_miss: false,
            fixed: false,
            schemas: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// What a named key must be good for, where it is not reading for `GET` and what the routes
    /// around it say for the other methods.
    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// What a named key must be good for; nothing on a public route.
    pub(crate) fn needs_scope(&self, method: &HttpMethod, writes: Scope) -> Option<Scope> {
        let usual = match method {
            HttpMethod::Get => Scope::Read,
            _ => writes,
        };
        self.keyed.then(|| self.scope.unwrap_or(usual))
    }

    /// Whether it is for anybody.
    pub(crate) fn is_public(&self) -> bool {
        !self.keyed
    }

    /// A longer text.
    pub(crate) fn note(mut self, text: &str) -> Self {
        text.clone_into(&mut self.note);
        self
    }

    /// A parameter of the path that is no UUID.
    pub(crate) fn path(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Path, name, about, schema.into(), true)
    }

    /// A parameter of the query.
    pub(crate) fn query(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, name, about, schema.into(), false)
    }

    /// A parameter of the query that must be there.
    pub(crate) fn needs(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, name, about, schema.into(), true)
    }

    /// A header of the request.
    pub(crate) fn header(self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Header, name, about, schema.into(), false)
    }

    /// The requests of a `POST` may have a key.
    pub(crate) fn repeatable(self) -> Self {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255));
        let about = "The same request with the same key is done once, and gets the same answer for 24 hours; another request with it gets 422.";
        self.header("Idempotency-Key", about, key).may(409).may(422)
    }

    /// The requests of a public `POST` may not: whose key would it be?
    pub(crate) fn unrepeatable(mut self) -> Self {
        self.note.push_str(" `Idempotency-Key` is ignored here.");
        self
    }

    /// The parameters of lists.
    pub(crate) fn window(self, limit: i64) -> Self {
        self.query("skip", "Items to pass over.", integer(0, None))
            .query(
                "limit",
                "Items to show at most; all of them if negative.",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .default(Some(limit.into())),
            )
            .query(
                "query",
                "Only items that contain this text, letter case aside.",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .max_length(Some(100)),
            )
    }

    /// The parameters of lists that can be read on from a place which new items do not move.
    pub(crate) fn places(self) -> Self {
        self.query(
            "before",
            "Only items older than this: the `order_timestamp` of the last item seen.",
            time(),
        )
        .query(
            "before_id",
            "The id of that item, so that others of the same time are not passed over.",
            uuid(),
        )
    }

    fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        about: &str,
        schema: RefOr<Schema>,
        needed: bool,
    ) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if needed {
                Required::True
            } else {
                Required::False
            })
            .description(Some(about))
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self
    }

    /// A body of this shape, such as this.
    pub(crate) fn takes<T: ToSchema>(self, example: Value) -> Self {
        self.body::<T>(example, Required::True)
    }

    /// The same, but nothing at all will do.
    pub(crate) fn may_take<T: ToSchema>(self, example: Value) -> Self {
        self.body::<T>(example, Required::False)
    }

    /// A form with a file, its parts of this shape.
    pub(crate) fn takes_form<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.sent_schema::<T>()));
        self.content("multipart/form-data", content, Required::True)
    }

    /// A file of one of these media types as the body.
    pub(crate) fn takes_file(mut self, media_types: impl Iterator<Item = &'static str>) -> Self {
        self.has_body = true;
        let any = ContentBuilder::new().build();
        let body = media_types.fold(RequestBodyBuilder::new(), |body, media_type| {
            body.content(media_type, any.clone())
        });
        let body = body.required(Some(Required::True)).build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    fn body<T: ToSchema>(mut self, example: Value, required: Required) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.sent_schema::<T>()))
            .example(Some(example));
        self.content(JSON, content, required)
    }

    /// The shape of what clients send.
    fn sent_schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let before = self.schemas.len();
        let schema = self.refer::<T>();
        let sent = self.schemas[before..].iter().map(|(name, _)| name.clone());
        self.sent.extend(sent);
        schema
    }

    fn content(mut self, media_type: &str, content: ContentBuilder, required: Required) -> Self {
        self.has_body = true;
        let body = RequestBodyBuilder::new()
            .content(media_type, content.build())
            .required(Some(required));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// Answers with one of these.
    pub(crate) fn gives<T: ToSchema>(mut self, status: u16, message: &str) -> Self {
        let data = self.refer::<T>();
        self.answers(status, message, &T::name(), Some(data))
    }

    /// Answers 200 with one of these, without an envelope.
    pub(crate) fn bare<T: ToSchema>(mut self, about: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(self.refer::<T>()));
        let answer = ResponseBuilder::new()
            .description(about)
            .content(JSON, content.build());
        self.operation = self.operation.response("200", answer.build());
        self
    }

    /// Answers with a list of these.
    pub(crate) fn lists<T: ToSchema>(mut self, status: u16, message: &str) -> Self {
        let data = Array::new(self.refer::<T>());
        let name = format!("{}List", T::name());
        self.answers(status, message, &name, Some(data.into()))
    }

    /// Answers that it is done.
    pub(crate) fn does(self, message: &str) -> Self {
        let null = ObjectBuilder::new().schema_type(Type::Null).build();
        self.answers(200, message, "Done", Some(null.into()))
    }

    /// Answers 202 without data.
    pub(crate) fn queues(self, message: &str) -> Self {
        self.answers(202, message, "Queued", None)
    }

    /// Answers 204 without a body.
    pub(crate) fn empties(mut self, why: &str) -> Self {
        let answer = ResponseBuilder::new().description(why);
        self.operation = self.operation.response("204", answer.build());
        self
    }

    /// Answers 200 with something other than an envelope.
    pub(crate) fn text(self, media_type: &str, about: &str) -> Self {
        self.plain("200", media_type, about)
    }

    /// Answers 503 in the same way.
    pub(crate) fn away(self, media_type: &str, about: &str) -> Self {
        self.plain("503", media_type, about)
    }

    fn plain(mut self, status: &str, media_type: &str, about: &str) -> Self {
        let any = ContentBuilder::new().schema(Some(match media_type {
            JSON => anything(),
            _ => Object::with_type(Type::String),
        }));
        let answer = ResponseBuilder::new()
            .description(about)
            .content(media_type, any.build());
        self.operation = self.operation.response(status, answer.build());
        self
    }

    /// Answers 404 for what is unknown.
    pub(crate) fn finds(mut self) -> Self {
        self.may_miss = true;
        self
    }

    /// Answers 401, though it is public.
    pub(crate) fn refuses(self) -> Self {
        self.may(401)
    }

    /// Answers 402 if there may be no more of these.
    pub(crate) fn limits(self) -> Self {
        self.may(402)
    }

    /// Answers 403, though it is public.
    pub(crate) fn forbids(self) -> Self {
        self.may(403)
    }

    /// Answers 409 if the state of things forbids it.
    pub(crate) fn conflicts(self) -> Self {
        self.may(409)
    }

    /// Answers 422 for a parameter of the path that is described as a text.
    pub(crate) fn checks(self) -> Self {
        self.may(422)
    }

    /// Answers 429 to whoever asks too often.
    pub(crate) fn slows(self) -> Self {
        self.may(429)
    }

    fn may(mut self, status: u16) -> Self {
        self.refusals.push(status);
        self
    }

    /// May answer 503, though it is public.
    pub(crate) fn reads(mut self) -> Self {
        self.fixed = false;
        self
    }

    /// Answers with an envelope, which has a name of its own for the sake of generated clients.
    fn answers(
        mut self,
        status: u16,
        message: &str,
        name: &str,
        data: Option<RefOr<Schema>>,
    ) -> Self {
        let name = format!("{name}Response");
        let envelope = errors::envelope("success", data, None);
        self.schemas
            .push((name.clone(), Schema::from(envelope).into()));
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name)));
        let answer = ResponseBuilder::new()
            .description(message)
            .content(JSON, content.build());
        self.operation = self.operation.response(status.to_string(), answer.build());
        self
    }

    /// Keeps a shape and those in it for the document; a reference to it.
    fn refer<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }

    /// Adds what follows from the rest.
    pub(super) fn finish(mut self, path: &str, tag: &str, scope: Option<Scope>) -> Told {
        let ids = self.add_ids(path);
        let asked = self.has_body || !self.parameters.is_empty();
        let by_query = |parameter: &Parameter| matches!(parameter.parameter_in, ParameterIn::Query);
        let checked = self.has_body || ids || self.parameters.iter().any(by_query);
        let errors = [
            (asked, 400),
            (self.keyed, 401),
            (self.keyed, 403),
            (self.may_miss, 404),
            (self.has_body, 413),
            (checked, 422),
            (!self.fixed, 500),
            (!self.fixed, 503),
        ];
        let mut operation = self.operation.tag(tag).parameters(Some(self.parameters));
        let note = self.note.trim();
        if !note.is_empty() {
            operation = operation.description(Some(note));
        }
        let told = errors.into_iter().filter(|(may, _)| *may);
        for status in told.map(|(_, status)| status).chain(self.refusals) {
            let reference = Ref::from_response_name(errors::name(status));
            operation = operation.response(status.to_string(), reference);
        }
        if let Some(scope) = scope {
            operation = operation
                .security(SecurityRequirement::new("key", [scope.as_str()]))
                .security(SecurityRequirement::new("session", [""; 0]));
        }
        Told {
            operation: operation.build(),
            schemas: self.schemas,
            sent: self.sent,
        }
    }

    /// Describes the path's parameters that are ids; whether there are any.
    fn add_ids(&mut self, path: &str) -> bool {
        let names: Vec<&str> = path
            .split('/')
            .filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'))
            .filter(|name| !self.parameters.iter().any(|known| known.name == *name))
            .collect();
        for name in &names {
            let parameter = ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("A version 4 UUID in lower case."))
                .schema(Some(uuid()));
            self.parameters.push(parameter.build());
        }
        !names.is_empty()
    }
}

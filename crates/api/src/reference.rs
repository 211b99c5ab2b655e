//! The description of the API: an `OpenAPI` document made from what the routes say of themselves.
//! `GET /openapi.json` has it for programs, `GET /docs` for people.

mod doc;
mod errors;
mod page;
mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gateway::api_key::Scope;
use http::header;
use serde_json::json;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::schema::{AllOf, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, License, OpenApi, OpenApiBuilder, RefOr, Server};

use crate::Api;
use crate::routes::Routes;

pub(crate) use doc::Doc;
pub(crate) use plain::{boolean, integer, list_of, one_of, phone_number, text, time, uuid};

/// Adds the routes that show the description.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .tag("Server", Scope::Admin)
        .get(
            "/openapi.json",
            json,
            Doc::public("getOpenApi", "This description, for programs")
                .text("application/json", "An OpenAPI 3.1 document."),
        )
        .get(
            "/docs",
            html,
            Doc::public("getDocs", "This description, for people")
                .text("text/html; charset=utf-8", "A page."),
        )
}

/// What the routes have said so far.
#[derive(Default)]
pub(crate) struct Description {
    paths: Paths,
    components: Components,
    tags: Vec<&'static str>,
    /// Shapes that clients send: what they may leave out is not always there.
    sent: BTreeSet<String>,
}

impl Description {
    /// Adds a route.
    pub(crate) fn add(
        &mut self,
        method: HttpMethod,
        path: &str,
        tag: &'static str,
        scope: Option<Scope>,
        doc: Doc,
    ) {
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        let told = doc.finish(path, tag, scope);
        self.sent.extend(told.sent);
        self.components.schemas.extend(told.schemas);
        self.paths
            .add_path_operation(path, vec![method], told.operation);
    }

    /// The whole document.
    pub(crate) fn finish(self) -> OpenApi {
        let mut components = self.components;
        let sent: BTreeMap<String, RefOr<Schema>> = components
            .schemas
            .iter()
            .filter(|(name, _)| self.sent.contains(*name))
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        for (name, schema) in &mut components.schemas {
            let partial = sent.contains_key(name) || OTHERS.contains(&name.as_str());
            if let (false, RefOr::T(schema)) = (partial, schema) {
                require_everything(schema, &sent);
            }
        }
        errors::add(&mut components);
        let key = ApiKeyValue::with_description("x-api-key", KEY);
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        let session = ApiKeyValue::with_description("httpsms_session", SESSION);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
        let mut info = Info::new("httpsms", env!("CARGO_PKG_VERSION"));
        info.description = Some(ABOUT.to_owned());
        let mut license = License::new("Apache-2.0");
        license.identifier = Some("Apache-2.0".to_owned());
        info.license = Some(license);
        let tags = self.tags.into_iter();
        OpenApiBuilder::new()
            .info(info)
            .servers(Some([Server::new("/")]))
            .paths(self.paths)
            .components(Some(components))
            .tags(Some(tags.map(|tag| TagBuilder::new().name(tag).build())))
            .build()
    }
}

const KEY: &str = "The key of an account, or on a phone's routes the key of a phone, which begins with `pk_`. The key of an account may also be a member of the JSON body or of the query with this name. So may a named key, which begins with `ak_`; it needs the scope that the route names, or `admin`.";

const SESSION: &str =
    "The cookie of a session, set by `POST /v1/sessions`. It stands for the key of its account.";

/// Answers whose form is not ours: members may be absent.
const OTHERS: [&str; 3] = ["CloudEvent", "DiscordReply", "DiscordEmbed"];

const ABOUT: &str = "Turns Android phones and GSM modems into an SMS API. Answers are JSON objects with `status` (`success` or `error`), `message` (for people) and `data`. Letter case of paths, of members of a body and of a query does not matter; unknown members are ignored; `null` is like an absent member. Times are RFC 3339.";

/// What the server sends always has all of its members, also those of a part that clients may leave
/// out when they send it.
fn require_everything(schema: &mut Schema, sent: &BTreeMap<String, RefOr<Schema>>) {
    match schema {
        Schema::Object(object) => object.required = object.properties.keys().cloned().collect(),
        Schema::AllOf(AllOf { items, .. }) => {
            for item in items {
                let part = match item {
                    RefOr::Ref(reference) => reference.ref_location.rsplit('/').next(),
                    RefOr::T(_) => None,
                };
                if let Some(part) = part.and_then(|name| sent.get(name)) {
                    *item = part.clone();
                }
                if let RefOr::T(item) = item {
                    require_everything(item, sent);
                }
            }
        }
        _ => {}
    }
}

/// The document as it is shown, written when somebody wants to see it.
pub(crate) struct Reference {
    document: OpenApi,
    json: OnceLock<Bytes>,
    page: OnceLock<Bytes>,
}

impl Reference {
    pub(crate) fn new(document: OpenApi) -> Self {
        Self {
            document,
            json: OnceLock::new(),
            page: OnceLock::new(),
        }
    }

    fn json(&self) -> Bytes {
        let write = || {
            serde_json::to_vec(&self.document)
                .unwrap_or_default()
                .into()
        };
        self.json.get_or_init(write).clone()
    }

    fn page(&self) -> Bytes {
        let write = || {
            let document = serde_json::to_value(&self.document);
            page::write(&document.unwrap_or_else(|_| json!({}))).into()
        };
        self.page.get_or_init(write).clone()
    }
}

async fn json(State(api): State<Api>) -> impl IntoResponse {
    let json = "application/json; charset=utf-8";
    ([(header::CONTENT_TYPE, json)], api.reference.json())
}

async fn html(State(api): State<Api>) -> Response {
    const HEADERS: [(header::HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (HEADERS, api.reference.page()).into_response()
}

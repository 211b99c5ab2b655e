//! Who is asking: the account by its key, by a named key or by a session of the dashboard, or on a
//! phone's routes also a phone by its own key.
//!
//! A key is read from the header `x-api-key`, else from a member of the JSON body with that name,
//! else from the query. A phone key, which begins with `pk_`, counts in the header only. Without any
//! key a Firebase ID token counts, where the operator takes them, or the cookie of a session; then
//! the request must come from the server's own pages.

mod visitor;

use axum::extract::{FromRequestParts, Request};
use gateway::api_key::{self, Scope};
use gateway::{Caller, Gateway};
use http::request::Parts;
use http::{HeaderMap, Uri};

use crate::error::Error;
use crate::query::Query;
use crate::{Api, Firebase, body, cookie, firebase, json};

pub(crate) use visitor::Knock;
pub use visitor::Peer;

const NAME: &str = "x-api-key";
const PHONE_KEY: &str = "pk_";

/// What a named key must be good for on a route. Every route with callers has one: without it, it
/// serves nobody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs(pub(crate) Scope);

/// A caller who is known already, in a request's extensions.
#[derive(Clone)]
pub(crate) struct Known(pub(crate) Caller);

/// Whoever asks, also a phone; what the route needs is not asked here.
pub(crate) async fn anybody(parts: &Parts, api: &Api) -> Result<Option<Caller>, Error> {
    if let Some(Known(caller)) = parts.extensions.get() {
        return Ok(Some(caller.clone()));
    }
    match in_header(&parts.headers) {
        Some(key) if key.starts_with(PHONE_KEY) => Ok(api.gateway.phone_caller(key).await?),
        _ => user(parts, api).await,
    }
}

/// An account, by its own key, a named one or a session.
pub(crate) struct UserCaller(pub(crate) Caller);

/// An administrator of the server, by what is good for everything of its own account.
pub(crate) struct AdminCaller;

/// A phone by its key, or an account.
pub(crate) struct PhoneOrUser(pub(crate) Caller);

impl FromRequestParts<Api> for UserCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        let caller = match parts.extensions.get() {
            Some(Known(caller)) => Some(caller.clone()),
            None => user(parts, api).await?,
        };
        let caller = caller.filter(|caller| caller.phone_key().is_none());
        let caller = caller.ok_or(Error::Unauthorized)?;
        admit(parts, &caller)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<Api> for AdminCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        let UserCaller(caller) = UserCaller::from_request_parts(parts, api).await?;
        if api.gateway.is_admin(&caller).await? {
            return Ok(Self);
        }
        let why = "Only an administrator of this server may do that.";
        Err(Error::Forbidden(why.to_owned()))
    }
}

impl FromRequestParts<Api> for PhoneOrUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        let caller = anybody(parts, api).await?.ok_or(Error::Unauthorized)?;
        if caller.phone_key().is_none() {
            admit(parts, &caller)?;
        }
        Ok(Self(caller))
    }
}

/// Refuses a named key that is not good for this route.
fn admit(parts: &Parts, caller: &Caller) -> Result<(), Error> {
    let Some(Needs(scope)) = parts.extensions.get() else {
        tracing::error!(uri = parts.uri.path(), "a route does not say what it needs");
        return Err(Error::Internal);
    };
    caller.may(*scope).map_err(|_| {
        Error::Forbidden(format!(
            "This API key may not do that: it needs the scope [{scope}]"
        ))
    })
}

async fn user(parts: &Parts, api: &Api) -> Result<Option<Caller>, Error> {
    let found;
    let key = match (
        in_header(&parts.headers),
        parts.extensions.get::<KeyInBody>(),
    ) {
        (Some(key), _) => key,
        (None, Some(KeyInBody(key))) => key,
        (None, None) => {
            found = in_query(&parts.uri);
            found.as_str()
        }
    };
    if let Some(caller) = by_key(key, &api.gateway).await? {
        return Ok(Some(caller));
    }
    match (firebase::bearer(&parts.headers), &api.options.firebase) {
        (Some(token), Some(firebase)) => by_token(token, firebase, &api.gateway).await,
        _ if key.is_empty() => session(parts, api).await,
        _ => Ok(None),
    }
}

/// By a Firebase ID token.
async fn by_token(
    token: &str,
    firebase: &Firebase,
    gateway: &Gateway,
) -> Result<Option<Caller>, Error> {
    let Some(claims) = firebase.verify(token).await else {
        return Ok(None);
    };
    Ok(gateway.outside_caller(&claims.sub, &claims.email).await?)
}

async fn by_key(key: &str, gateway: &Gateway) -> Result<Option<Caller>, Error> {
    if key.is_empty() || key == "undefined" || key.starts_with(PHONE_KEY) {
        return Ok(None);
    }
    if key.starts_with(api_key::PREFIX) {
        return Ok(gateway.named_caller(key).await?);
    }
    Ok(gateway.user(key).await?)
}

/// By the cookie, which a browser also sends along with what other pages make it ask.
async fn session(parts: &Parts, api: &Api) -> Result<Option<Caller>, Error> {
    let Some(token) = cookie::read(&parts.headers) else {
        return Ok(None);
    };
    if !parts.method.is_safe() && !visitor::is_from_own_page(parts, &api.options.public_url) {
        return Err(Error::Forbidden(
            "This request comes from a page of another server.".to_owned(),
        ));
    }
    Ok(api.gateway.session(token).await?)
}

/// The header's value, unless it is empty. One that is no text is nobody's key.
fn in_header(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(NAME)?.as_bytes();
    let key = std::str::from_utf8(value).unwrap_or("undefined");
    (!key.is_empty()).then_some(key)
}

fn in_query(uri: &Uri) -> String {
    match uri.query() {
        Some(query) if has_key(query) => Query::lenient(query).text(NAME).to_owned(),
        _ => String::new(),
    }
}

fn has_key(query: &str) -> bool {
    query.len() >= NAME.len() && query.to_ascii_lowercase().contains(NAME)
}

/// Whether the body is the only place left for a key.
pub(crate) fn may_be_in_body(request: &Request) -> bool {
    in_header(request.headers()).is_none()
        && body::is_json(request.headers())
        && !request.uri().query().is_some_and(has_key)
}

/// A key that was a member of the body, put into the request's extensions.
#[derive(Clone)]
pub(crate) struct KeyInBody(String);

impl KeyInBody {
    pub(crate) fn find(body: &[u8]) -> Option<Self> {
        json::text_member(body, NAME).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(header: Option<&str>, content_type: &str, query: &str) -> Request {
        let mut builder = Request::builder()
            .uri(format!("/v1/phones{query}"))
            .header("content-type", content_type);
        if let Some(key) = header {
            builder = builder.header(NAME, key);
        }
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[test]
    fn the_body_is_looked_into_only_for_want_of_a_key() {
        for (header, content_type, query, expected) in [
            (None, "application/json", "", true),
            (
                Some(""),
                "application/json; charset=utf-8",
                "?limit=1",
                true,
            ),
            (Some("k"), "application/json", "", false),
            (Some("undefined"), "application/json", "", false),
            (None, "application/json", "?X-Api-Key=k", false),
            (None, "text/plain", "", false),
        ] {
            let request = request(header, content_type, query);
            assert_eq!(
                may_be_in_body(&request),
                expected,
                "{header:?} {content_type} {query}"
            );
        }
    }

    #[test]
    fn keys_are_read_where_they_may_stand() {
        assert_eq!(
            in_query(request(None, "", "?a=b&x-api-key=k%2B1").uri()),
            "k+1"
        );
        assert_eq!(in_query(request(None, "", "?a=b").uri()), "");
        let found = KeyInBody::find(br#"{"a": [{"x-api-key": "no"}], "x-api-key": "yes"}"#);
        assert_eq!(found.map(|key| key.0).as_deref(), Some("yes"));
        for none in [
            "",
            "[]",
            "{",
            "{\"x-api-key\": 1}",
            "{\"to\": \"x-api-key\"}",
        ] {
            assert!(KeyInBody::find(none.as_bytes()).is_none(), "{none}");
        }
    }
}

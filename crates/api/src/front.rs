//! What happens to a request before it is routed: its path is brought into the form of the routes,
//! and a key in its body is found. A request that needs neither only passes. Pages of other servers are let in
//! here as well.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::uri::PathAndQuery;
use http::{HeaderName, Method, StatusCode, Uri};
use tower::{Layer as _, Service};
use tower_http::cors::{AllowMethods, Any, Cors, CorsLayer};

use crate::requests::Counter;
use crate::{Options, auth, body, health};

type Routing = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// The way to all routes. Clones share them.
#[derive(Clone)]
pub struct Front(Arc<Parts>);

struct Parts {
    /// For `/health`, which other pages may not read (contract: API, 54).
    router: Router,
    /// The same with what lets other pages call it.
    routes: Cors<Router>,
    paths: Paths,
    options: Arc<Options>,
    /// Counts what does not reach a route.
    other: Arc<Counter>,
}

impl Front {
    pub(crate) fn new(
        router: Router,
        paths: Paths,
        options: Arc<Options>,
        other: Arc<Counter>,
    ) -> Self {
        Self(Arc::new(Parts {
            routes: cors().layer(router.clone()),
            router,
            paths,
            options,
            other,
        }))
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Routing;

    /// A router is always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Some(path) = self.0.paths.straight(request.uri().path())
            && let Some(uri) = with_path(request.uri(), &path)
        {
            *request.uri_mut() = uri;
        }
        if auth::may_be_in_body(&request) {
            return Box::pin(self.clone().read_key(request));
        }
        self.route(request)
    }
}

/// Any page may call: who may do what is decided by keys that only the caller has.
fn cors() -> CorsLayer {
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let nothing: [HeaderName; 0] = [];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_headers(Any)
        .allow_methods(AllowMethods::list(methods))
        .expose_headers(Any)
        .vary(nothing)
}

/// The contract's status for preflights.
fn without_body(mut response: Response) -> Response {
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

impl Front {
    fn route(&self, request: Request) -> Routing {
        if request.uri().path() == health::PATH {
            return Box::pin(self.0.router.clone().call(request));
        }
        let preflight = request.method() == Method::OPTIONS;
        let answer = self.0.routes.clone().call(request);
        if preflight {
            return Box::pin(async move { Ok(without_body(answer.await?)) });
        }
        Box::pin(answer)
    }

    /// Reads the body for the key in it, and passes both on.
    async fn read_key(self, request: Request) -> Result<Response, Infallible> {
        let (mut parts, body) = request.into_parts();
        let bytes = match body::read(body, self.0.options.receive_limit).await {
            Ok(bytes) => bytes,
            Err(error) => return Ok(self.0.other.count(error.into_response())),
        };
        if let Some(key) = auth::KeyInBody::find(&bytes) {
            parts.extensions.insert(key);
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        self.route(request).await
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// The paths of the routes, by their words; `None` is a parameter.
pub(crate) struct Paths(Vec<Vec<Option<&'static str>>>);

impl Paths {
    pub(crate) fn new(paths: &[&'static str]) -> Self {
        let words = |path: &&'static str| {
            path.split('/')
                .skip(1)
                .map(|word| (!word.starts_with('{')).then_some(word))
                .collect()
        };
        Self(paths.iter().map(words).collect())
    }

    /// The path without needless slashes, and its words, but not its parameters, in lower case.
    /// `None` if it has no need.
    fn straight(&self, path: &str) -> Option<String> {
        let crooked = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
        if !crooked && !path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        // Of `/messages/send` and `/messages/{id}` the first.
        let route = self
            .0
            .iter()
            .filter(|route| fits(route, &words))
            .max_by_key(|route| route.iter().flatten().count());
        for (word, name) in words.iter_mut().zip(route.into_iter().flatten()) {
            *word = name.unwrap_or(word);
        }
        Some(format!("/{}", words.join("/")))
    }
}

fn fits(route: &[Option<&str>], words: &[&str]) -> bool {
    route.len() == words.len()
        && route
            .iter()
            .zip(words)
            .all(|(name, word)| name.is_none_or(|name| name.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_straightened_and_parameters_kept() {
        let paths = Paths::new(&[
            "/v1/messages/send",
            "/v1/messages/{id}",
            "/v1/users/{id}/api-keys",
        ]);
        for (typed, straight) in [
            ("//v1/messages/send", "/v1/messages/send"),
            ("/v1/messages/send/", "/v1/messages/send"),
            ("/V1/Messages/SEND", "/v1/messages/send"),
            ("/v1//messages///AbC/", "/v1/messages/AbC"),
            ("/v1/Users/Send/API-keys", "/v1/users/Send/api-keys"),
            ("/Nobody/Knows//it/", "/Nobody/Knows/it"),
            ("//", "/"),
        ] {
            assert_eq!(paths.straight(typed).as_deref(), Some(straight), "{typed}");
        }
        for right in ["/", "/v1/messages/send", "/v1/messages/5f0e6c0a"] {
            assert_eq!(paths.straight(right), None, "{right}");
        }
    }

    #[test]
    fn a_new_path_keeps_the_query() {
        let uri = Uri::from_static("http://h:1//v1/x/?a=//B");
        assert_eq!(with_path(&uri, "/v1/x").unwrap(), "http://h:1/v1/x?a=//B");
    }
}

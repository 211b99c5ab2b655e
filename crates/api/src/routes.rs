//! The list of routes as the nouns fill it, and what becomes of requests that none of them takes.
//! A route is added with its description, its counter and what keys it needs, or not at all.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{self, MethodRouter};
use gateway::Gateway;
use gateway::api_key::Scope;
use http::{HeaderName, Method, StatusCode, header};
use tower::util::{MapRequestLayer, MapResponseLayer};
use utoipa::openapi::HttpMethod;

use crate::auth::Needs;
use crate::front::{Front, Paths};
use crate::once::Once;
use crate::reference::{Description, Doc, Reference};
use crate::requests::{Counter, Requests};
use crate::{Api, Options, Reach, health};

/// Routes so far.
pub(crate) struct Routes {
    router: Router<Api>,
    paths: Vec<&'static str>,
    description: Description,
    requests: Requests,
    tag: &'static str,
    writes: Scope,
}

impl Routes {
    pub(crate) fn new(requests: Requests) -> Self {
        Self {
            router: Router::new(),
            paths: Vec::new(),
            description: Description::default(),
            requests,
            tag: "",
            writes: Scope::Admin,
        }
    }

    /// The heading under which the routes that follow are described, and what a named key must be
    /// good for to use them. For `GET` that is reading; [`Doc::scope`] says otherwise.
    pub(crate) fn tag(mut self, tag: &'static str, writes: Scope) -> Self {
        self.tag = tag;
        self.writes = writes;
        self
    }

    /// Adds what `GET` does on a path, whose words are in lower case.
    pub(crate) fn get<H, T>(self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        self.on(HttpMethod::Get, path, routing::get(handler), doc)
    }

    /// The same where `GET` takes something away, so that `HEAD` may not stand for it.
    pub(crate) fn take<H, T>(self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let route = routing::get(handler).head(no_head);
        self.on(HttpMethod::Get, path, route, doc)
    }

    /// The same of `POST`, whose requests may have an `Idempotency-Key` if somebody makes them.
    pub(crate) fn post<H, T>(self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let route = if doc.is_public() {
            routing::post(handler)
        } else {
            routing::post::<Once<H>, T, Api>(Once(handler))
        };
        self.on(HttpMethod::Post, path, route, doc)
    }

    /// The same of `PUT`.
    pub(crate) fn put<H, T>(self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        self.on(HttpMethod::Put, path, routing::put(handler), doc)
    }

    /// The same of `DELETE`.
    pub(crate) fn delete<H, T>(self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        self.on(HttpMethod::Delete, path, routing::delete(handler), doc)
    }

    fn on(
        mut self,
        method: HttpMethod,
        path: &'static str,
        route: MethodRouter<Api>,
        doc: Doc,
    ) -> Self {
        let route = self.described(method, path, route, doc);
        self.router = self.router.route(path, route);
        self
    }

    /// The route with its counter, once it is in the lists.
    fn described(
        &mut self,
        method: HttpMethod,
        path: &'static str,
        route: MethodRouter<Api>,
        doc: Doc,
    ) -> MethodRouter<Api> {
        let name = match method {
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Delete => "DELETE",
            _ => "GET",
        };
        let counter = self.requests.counter(name, path);
        let scope = doc.needs_scope(&method, self.writes);
        let doc = match (&method, scope) {
            (HttpMethod::Post, Some(_)) => doc.repeatable(),
            (HttpMethod::Post, None) => doc.unrepeatable(),
            _ => doc,
        };
        self.description.add(method, path, self.tag, scope, doc);
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
        // As one layer: each has an allocation of its own for every request.
        match scope {
            Some(scope) => route.route_layer((counting(&counter), needing(scope))),
            None => route.route_layer(counting(&counter)),
        }
    }

    /// The whole server.
    pub(crate) fn finish(self, gateway: Gateway, options: Options) -> Front {
        let mut all = self.tag("Server", Scope::Admin);
        let (health, doc) = (health::routes(), health::doc());
        let health = all.described(HttpMethod::Get, health::PATH, health, doc);
        let other = all.requests.counter("", "");
        let unknown = unknown.layer(counting(&other));
        let wrong_method = wrong_method.layer(counting(&other));
        let router = all
            .router
            .fallback(unknown)
            .method_not_allowed_fallback(wrong_method.clone())
            .route(health::PATH, health.fallback(wrong_method));
        let options = Arc::new(options);
        let api = Api(Arc::new(Reach {
            gateway,
            options: Arc::clone(&options),
            reference: Reference::new(all.description.finish()),
        }));
        Front::new(
            router.with_state(api),
            Paths::new(&all.paths),
            options,
            other,
        )
    }
}

/// Lets the caller's extractor know what the route needs.
fn needing(
    scope: Scope,
) -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync + 'static> {
    MapRequestLayer::new(move |mut request: Request| {
        request.extensions_mut().insert(Needs(scope));
        request
    })
}

/// Lets a counter see what passes.
fn counting(
    counter: &Arc<Counter>,
) -> MapResponseLayer<impl Fn(Response) -> Response + Clone + Send + Sync + 'static> {
    let counter = Arc::clone(counter);
    MapResponseLayer::new(move |answer| counter.count(answer))
}

/// No route has this path. The reference has a page for every path, so `GET` finds nothing there
/// and other methods are not allowed.
async fn unknown(method: Method) -> Response {
    match method {
        Method::GET | Method::HEAD => (StatusCode::NOT_FOUND, "Not Found").into_response(),
        _ => {
            let allow = [(header::ALLOW, "GET, HEAD")];
            (StatusCode::METHOD_NOT_ALLOWED, allow, "Method Not Allowed").into_response()
        }
    }
}

/// Looking takes something away here.
async fn no_head() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")])
}

/// The path has routes, for other methods; which, the router adds.
async fn wrong_method() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

//! The wire: routes, principals, bodies and envelopes of the public API.
//!
//! One file per noun. Each reads a request into the product's checked types or answers what is wrong
//! with it, calls one operation of [`Gateway`], and puts the result into an envelope.

mod accounts;
mod api_keys;
mod attachments;
mod auth;
mod body;
mod bulk_messages;
mod check;
mod cookie;
mod csv;
mod discord;
mod dispatch;
mod envelope;
mod error;
mod events;
mod export;
mod firebase;
mod form;
mod front;
mod health;
mod heartbeats;
mod json;
mod messages;
mod notifications;
mod once;
mod page;
mod password_links;
mod phone_api_keys;
mod phones;
mod query;
mod reference;
mod requests;
mod retention;
mod routes;
mod schedules;
mod sessions;
mod setup;
mod shape;
mod status;
mod subscription;
mod threads;
mod three_cx;
mod usage;
mod users;
mod webhooks;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use gateway::Gateway;
use gateway::discord::{Bot, PublicKey};
use tokio_util::sync::CancellationToken;

pub use auth::Peer;
pub use firebase::{CERTIFICATES, Firebase};
pub use front::Front;
pub use requests::Requests;

use reference::Reference;
use routes::Routes;

/// What an operator decides about the wire.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where this server is reached, without a slash at its end; URLs of attachments begin with it.
    pub public_url: String,
    /// Whose ID tokens are taken, if any.
    pub firebase: Option<Arc<Firebase>>,
    /// Whether anybody may make an account.
    pub sign_up: bool,
    /// Bytes of a request's body at most.
    pub body_limit: usize,
    /// The same for received messages, whose files come with them.
    pub receive_limit: usize,
    /// How often a stream of events says that it is still there, and looks whether its caller may
    /// still have it.
    pub beat: Duration,
    /// Cancelled when the server stops: requests that only wait are answered then.
    pub stop: CancellationToken,
    /// The Discord bot, if there is one.
    pub discord: Option<Arc<dyn Bot>>,
    /// How Discord's requests are known; without it none is.
    pub discord_key: Option<PublicKey>,
    /// Counts what is answered.
    pub requests: Requests,
}

impl Options {
    /// The limits of the contract.
    pub fn new(public_url: impl Into<String>) -> Self {
        let public_url: String = public_url.into();
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            firebase: None,
            sign_up: false,
            body_limit: 4 << 20,
            // The documented three million bytes of files take four as base64; twice that leaves
            // room to say what is wrong with a little too much.
            receive_limit: 8 << 20,
            beat: Duration::from_secs(15),
            stop: CancellationToken::new(),
            discord: None,
            discord_key: None,
            requests: Requests::default(),
        }
    }
}

/// What every route can reach: cloned for each request.
#[derive(Clone)]
struct Api(Arc<Reach>);

struct Reach {
    gateway: Gateway,
    options: Arc<Options>,
    reference: Reference,
}

impl Deref for Api {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.0
    }
}

impl FromRef<Api> for Gateway {
    fn from_ref(api: &Api) -> Self {
        api.gateway.clone()
    }
}

/// All routes, to be served.
pub fn front(gateway: Gateway, options: Options) -> Front {
    let nouns = [
        messages::routes,
        threads::routes,
        attachments::routes,
        bulk_messages::routes,
        heartbeats::routes,
        phones::routes,
        schedules::routes,
        notifications::routes,
        phone_api_keys::routes,
        webhooks::routes,
        users::routes,
        events::routes,
        usage::routes,
        retention::routes,
        export::routes,
        api_keys::routes,
        setup::routes,
        sessions::routes,
        accounts::routes,
        password_links::routes,
        status::routes,
        three_cx::routes,
        discord::routes,
        subscription::routes,
        dispatch::routes,
        reference::routes,
    ];
    let routes = Routes::new(options.requests.clone());
    nouns
        .into_iter()
        .fold(routes, |routes, noun| noun(routes))
        .finish(gateway, options)
}

//! The operator's Discord bot: what is asked of Discord's own interface, and posted there
//! (contract: events, §7.2).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use gateway::discord::{Asking, Bot};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use serde_json::{Value, json};
use tracing::warn;

use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::guard::PrivateNetworks;

/// For each request.
const LIMIT: Duration = Duration::from_secs(10);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Discord wants this form.
const AGENT: HeaderValue = HeaderValue::from_static(concat!(
    "DiscordBot (https://httpsms.com, ",
    env!("CARGO_PKG_VERSION"),
    ")"
));

/// A bot by its token.
pub struct DiscordBot {
    client: Client,
    /// Without a slash at its end.
    endpoint: String,
    token: HeaderValue,
    /// Whose slash command it is; without it none is offered.
    application_id: Option<String>,
}

impl DiscordBot {
    /// Where Discord's own interface is.
    pub const ENDPOINT: &str = "https://discord.com/api";

    /// None if the token has characters that no token has.
    pub fn new(endpoint: &str, token: &str, application_id: Option<String>) -> Option<Self> {
        let mut token = HeaderValue::try_from(format!("Bot {}", token.trim())).ok()?;
        token.set_sensitive(true);
        Some(Self {
            // The operator says where it is, not a stranger.
            client: Client::new(PrivateNetworks::Allow),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            application_id,
        })
    }

    /// Posts a message to a channel.
    pub(super) async fn post(&self, channel: &str, message: Bytes) -> Result<Answer, Failure> {
        let path = format!("/channels/{channel}/messages");
        self.send(Method::POST, &path, message).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, Failure> {
        let uri: Uri = format!("{}{path}", self.endpoint)
            .parse()
            .map_err(|_| Failure::Url)?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.token.clone());
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(USER_AGENT, AGENT);
        self.client.send(request, LIMIT).await
    }

    /// Whether Discord does what is asked. Why not, the log says.
    async fn does(&self, method: Method, path: &str, body: Bytes) -> bool {
        match self.send(method, path, body).await {
            Ok(answer) if answer.status.is_success() => true,
            Ok(answer) => {
                warn!(path, status = answer.status.as_u16(), "Discord refuses");
                false
            }
            Err(failure) => {
                warn!(path, %failure, "Discord cannot be asked");
                false
            }
        }
    }
}

impl Bot for DiscordBot {
    fn sees_channel<'a>(&'a self, id: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let path = format!("/channels/{id}");
            self.does(Method::GET, &path, Bytes::new()).await
        })
    }

    fn sees_server<'a>(&'a self, id: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let path = format!("/guilds/{id}");
            self.does(Method::GET, &path, Bytes::new()).await
        })
    }

    fn offer_command<'a>(&'a self, server_id: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let Some(application) = &self.application_id else {
                return true;
            };
            let path = format!("/applications/{application}/guilds/{server_id}/commands");
            self.does(Method::POST, &path, command().to_string().into())
                .await
        })
    }
}

/// The slash command.
fn command() -> Value {
    let option = |name: &str, about: &str, required: bool| json!({"type": 3, "name": name, "description": about, "required": required});
    json!({
        "name": "httpsms",
        "type": 1,
        "description": "Send an SMS",
        "options": [
            option("from", "The number of your phone, e.g. +18005550199", true),
            option("to", "Who gets the SMS, e.g. +18005550100", true),
            option("message", "The text", true),
            option("attachment_urls", "URLs of files", false),
        ],
    })
}

impl fmt::Debug for DiscordBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordBot").finish_non_exhaustive()
    }
}

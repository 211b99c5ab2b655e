//! What Discord sends by itself: whether the server is there, and the command `/httpsms`, which
//! sends an SMS. Nobody has a key here; Discord signs (contract: API, §2.13, events, §7.2).

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use gateway::api_key::Scope;
use gateway::idempotency::{self, Outcome};
use gateway::message::{Message, SendSms};
use gateway::{Caller, Fields, Gateway, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use crate::Api;
use crate::body;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::shape;

const PATH: &str = "/discord/event";

/// How far the time of a signature may be from ours.
const FRESH: Duration = Duration::from_mins(5);

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::public("receiveDiscordEvent", "Tell of an interaction on Discord")
        .note("For Discord alone, which signs what it sends. `type` 1 asks whether the server is there, 2 is the command `/httpsms`.")
        .header("X-Signature-Ed25519", "The signature, hexadecimal.", text())
        .header("X-Signature-Timestamp", "Seconds since 1970, signed before the body; at most five minutes off.", text())
        .takes::<shape::DiscordInteraction>(json!({"type": 1}))
        .bare::<shape::DiscordReply>("What Discord shows.")
        .reads()
        .refuses();
    routes
        .tag("Integrations", Scope::Send)
        .post(PATH, receive, doc)
}

/// What is read of an interaction.
#[derive(Deserialize)]
struct Interaction {
    r#type: i64,
    /// Its own, as every interaction has one.
    #[serde(default)]
    id: String,
    guild_id: Option<String>,
    data: Option<Command>,
}

#[derive(Deserialize)]
struct Command {
    #[serde(default)]
    options: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    name: String,
    #[serde(default)]
    value: Value,
}

impl Command {
    fn text(&self, name: &str) -> &str {
        let choice = self.options.iter().find(|choice| choice.name == name);
        choice
            .and_then(|choice| choice.value.as_str())
            .unwrap_or_default()
    }
}

async fn receive(State(api): State<Api>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let body = body::read(body, api.options.body_limit).await?;
    let header = |name| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let (signature, timestamp) = (
        header("x-signature-ed25519"),
        header("x-signature-timestamp"),
    );
    let key = api.options.discord_key;
    let fresh = is_fresh(timestamp, api.gateway.now());
    if !fresh || !key.is_some_and(|key| key.verifies(signature, timestamp, &body)) {
        return Err(Error::NotYourself);
    }
    let interaction: Interaction = serde_json::from_slice(&body)
        .map_err(|_| Error::malformed("an interaction of Discord is expected"))?;
    match interaction.r#type {
        1 => Ok(envelope::bare(&json!({"type": 1}))),
        2 => run(&api.gateway, &interaction).await,
        _ => Err(Error::malformed("the type must be 1 or 2")),
    }
}

/// Whether it was signed just now: what was signed long ago may have been overheard.
fn is_fresh(timestamp: &str, now: Time) -> bool {
    let Ok(seconds) = timestamp.parse::<i64>() else {
        return false;
    };
    let at = Time::from_micros(seconds.saturating_mul(1_000_000));
    at.since(now).max(now.since(at)) <= FRESH
}

/// Does what the command says, once; Discord always gets an answer to show.
async fn run(gateway: &Gateway, interaction: &Interaction) -> Answer {
    let server = interaction.guild_id.as_deref().unwrap_or_default();
    let caller = gateway.discord_caller(server).await;
    let (Ok(Some(caller)), Some(command)) = (caller.as_ref(), &interaction.data) else {
        return Ok(shown(&caller.map_or_else(refusal, |_| {
            let why =
                format!("the discord server with ID [{server}] is not connected to an account");
            reply::refused(&[why])
        })));
    };
    let sms = match read(command) {
        Ok(sms) => sms,
        Err(wrong) => return Ok(shown(&reply::refused(&texts(&wrong)))),
    };
    // An interaction that comes again gets the same answer, and is not done again.
    let Ok(same) = idempotency::Request::new(caller, PATH, &interaction.id, b"") else {
        return Err(Error::malformed("an interaction has an id"));
    };
    let work = async { (send(gateway, caller, sms).await, None) };
    match gateway.once(same, work).await {
        Ok(Outcome::Done(answer)) => Ok(answer),
        Ok(Outcome::Repeated(answer)) => Ok(once::repeated(answer)),
        Err(error) => Ok(shown(&refusal(error))),
    }
}

async fn send(gateway: &Gateway, caller: &Caller, sms: SendSms) -> Response {
    let answer = |message: &Message| shown(&reply::sent(message));
    let sent = once::answered(gateway.send_by(caller, sms, PATH), |error| error, answer).await;
    sent.unwrap_or_else(|error| shown(&refusal(error)))
}

fn shown(reply: &Reply) -> Response {
    envelope::bare(reply)
}

/// Why nothing is sent, as far as whoever gave the command may know.
fn refusal(error: gateway::Error) -> Reply {
    match error {
        gateway::Error::Invalid(wrong) => reply::refused(&texts(&wrong)),
        gateway::Error::NotFound(why) | gateway::Error::Limit(why) => reply::refused(&[why]),
        error => {
            tracing::warn!(%error, "a command on Discord failed");
            let why = "The server could not take the SMS. Please try again.";
            reply::refused(&[why.to_owned()])
        }
    }
}

/// By the rules of other messages.
fn read(command: &Command) -> Result<SendSms, Fields> {
    let mut wrong = Fields::default();
    let from = check::phone_number(&mut wrong, "from", command.text("from"));
    let to = check::recipient(&mut wrong, "to", command.text("to"));
    let content = command.text("message").to_owned();
    check::filled(&mut wrong, "message", &content, 2048);
    let Some(from) = from.filter(|_| wrong.is_empty()) else {
        return Err(wrong);
    };
    Ok(SendSms {
        from,
        to,
        content,
        attachments: Vec::new(),
        encrypted: false,
        request_id: None,
        send_at: None,
    })
}

/// What is wrong, without the fields' names, which the texts repeat.
fn texts(wrong: &Fields) -> Vec<String> {
    let fields = serde_json::to_value(wrong).unwrap_or_default();
    let texts = fields.as_object().into_iter().flatten();
    let texts = texts.filter_map(|(_, texts)| texts.as_array());
    let texts = texts.flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

//! What Discord sends by itself: whether the server is there, and the command `/httpsms`, which
//! sends an SMS. Nobody has a key here; Discord signs (contract: API, §2.13, events, §7.2).

use axum::extract::{Request, State};
use gateway::api_key::Scope;
use gateway::message::{Message, SendSms};
use gateway::{Fields, Gateway};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use crate::Api;
use crate::body;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::shape;

const PATH: &str = "/discord/event";

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::public("receiveDiscordEvent", "Tell of an interaction on Discord")
        .note("For Discord alone, which signs what it sends. `type` 1 asks whether the server is there, 2 is the command `/httpsms`.")
        .header("X-Signature-Ed25519", "The signature, hexadecimal.", text())
        .header("X-Signature-Timestamp", "What is signed before the body.", text())
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
    if !key.is_some_and(|key| key.verifies(signature, timestamp, &body)) {
        return Err(Error::NotYourself);
    }
    let interaction: Interaction = serde_json::from_slice(&body)
        .map_err(|_| Error::malformed("an interaction of Discord is expected"))?;
    match interaction.r#type {
        1 => Ok(envelope::bare(&json!({"type": 1}))),
        2 => Ok(envelope::bare(&run(&api.gateway, &interaction).await)),
        _ => Err(Error::malformed("the type must be 1 or 2")),
    }
}

/// Does what the command says; Discord always gets an answer to show.
async fn run(gateway: &Gateway, interaction: &Interaction) -> Reply {
    match send(gateway, interaction).await {
        Ok(message) => reply::sent(&message),
        Err(gateway::Error::Invalid(wrong)) => reply::refused(&texts(&wrong)),
        Err(gateway::Error::NotFound(why) | gateway::Error::Limit(why)) => reply::refused(&[why]),
        Err(error) => {
            tracing::warn!(%error, "a command on Discord failed");
            let why = "The server could not take the SMS. Please try again.";
            reply::refused(&[why.to_owned()])
        }
    }
}

async fn send(gateway: &Gateway, interaction: &Interaction) -> gateway::Result<Message> {
    let server = interaction.guild_id.as_deref().unwrap_or_default();
    let (Some(caller), Some(command)) = (gateway.discord_caller(server).await?, &interaction.data)
    else {
        let why = format!("the discord server with ID [{server}] is not connected to an account");
        return Err(gateway::Error::NotFound(why));
    };
    let sms = read(command).map_err(gateway::Error::Invalid)?;
    gateway.send_by(&caller, sms, PATH).await
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

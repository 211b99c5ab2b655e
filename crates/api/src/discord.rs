//! Discord servers that an account is connected to (contract: API, §2.13). What Discord itself sends
//! is in a file of its own.

mod command;
mod reply;

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::discord::{Bot, Discord, Draft};
use gateway::{Fields, Gateway, Uuid};
use serde_json::{Value, json};

use crate::Api;
use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

const ID: &str = "discordID";
const SERVER: &str = "server_id";
const CHANNEL: &str = "incoming_channel_id";

pub(crate) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/v1/discord-integrations";
    const ONE: &str = "/v1/discord-integrations/{id}";
    let list_doc = Doc::user("listDiscords", "List connections to Discord, newest first")
        .scope(Scope::Webhooks)
        .window(1)
        .lists::<shape::Discord>(200, "fetched 1 discord integration");
    let create_doc = Doc::user("createDiscord", "Connect the account to a Discord server")
        .note("What phones receive is shown in the channel, and `/httpsms` on the server sends SMS for the account. The operator's bot must be able to read both.")
        .takes::<shape::PutDiscord>(example())
        .limits()
        .gives::<shape::Discord>(201, "discord integration created successfully");
    let replace_doc = Doc::user("replaceDiscord", "Change a connection to Discord")
        .takes::<shape::PutDiscord>(example())
        .finds()
        .gives::<shape::Discord>(200, "discord integration updated successfully");
    let remove_doc = Doc::user("deleteDiscord", "End a connection to Discord")
        .finds()
        .does("discord integration deleted successfully");
    let routes = routes
        .tag("Integrations", Scope::Webhooks)
        .get(PATH, list, list_doc)
        .post(PATH, create, create_doc)
        .put(ONE, replace, replace_doc)
        .delete(ONE, remove, remove_doc);
    command::routes(routes)
}

fn example() -> Value {
    json!({
        "name": "Ops server", "server_id": "1100000000000000001",
        "incoming_channel_id": "1100000000000000002",
    })
}

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const INVALID: &str = "validation errors while fetching discord integrations";
    const RULE: Rule = Rule {
        default: 1,
        longest: 100,
    };
    let page = page::of(&query, &RULE, INVALID)?;
    let discords = gateway.discords(&caller, page).await?;
    Ok(envelope::fetched(&discords, "discord integration"))
}

async fn create(State(api): State<Api>, UserCaller(caller): UserCaller, body: JsonBody) -> Answer {
    const INVALID: &str = "validation errors while storing discord integration";
    let (draft, wrong) = read(&body.members()?)?;
    let bot = prepare(&api, &draft, wrong, INVALID).await?;
    let checked = api.gateway.check_discord(&caller, None, &draft).await;
    checked.map_err(Error::of(INVALID))?;
    offer_command(&*bot, &draft, INVALID).await?;
    let words = "discord integration created successfully";
    let answer = |made: &Discord| envelope::created(words, made);
    let operation = api.gateway.add_discord(&caller, draft);
    once::answered(operation, Error::of(INVALID), answer).await
}

async fn replace(
    State(api): State<Api>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while updating discord integration";
    let (draft, mut wrong) = read(&body.members()?)?;
    let id = check::uuid(&mut wrong, ID, &id).unwrap_or(Uuid::nil());
    let bot = prepare(&api, &draft, wrong, INVALID).await?;
    let checked = api.gateway.check_discord(&caller, Some(id), &draft).await;
    checked.map_err(Error::of(INVALID))?;
    offer_command(&*bot, &draft, INVALID).await?;
    let changed = api.gateway.put_discord(&caller, id, draft).await;
    let changed = changed.map_err(Error::of(INVALID))?;
    Ok(envelope::ok(
        "discord integration updated successfully",
        &changed,
    ))
}

async fn remove(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let invalid = "validation errors while deleting discord integration";
    let id = check::id(invalid, ID, &id)?;
    gateway.delete_discord(&caller, id).await?;
    Ok(envelope::ok(
        "discord integration deleted successfully",
        &(),
    ))
}

/// Reads a connection, and what is wrong with it.
fn read(body: &Members<'_>) -> Result<(Draft, Fields), Error> {
    let mut wrong = Fields::default();
    let text = |name| -> Result<String, Error> { Ok(body.text_or_empty(name)?.trim().to_owned()) };
    let draft = Draft {
        name: text("name")?,
        server_id: text(SERVER)?,
        incoming_channel_id: text(CHANNEL)?,
    };
    check::filled(&mut wrong, "name", &draft.name, 255);
    digits(&mut wrong, SERVER, &draft.server_id);
    digits(&mut wrong, CHANNEL, &draft.incoming_channel_id);
    Ok((draft, wrong))
}

fn digits(wrong: &mut Fields, name: &str, text: &str) {
    check::required(wrong, name, text.is_empty());
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        wrong.add(name, format!("The {name} field must be numeric"));
    }
    check::at_most(wrong, name, text, 255);
}

/// The bot, if nothing is `wrong` and it can read what the draft names.
async fn prepare(
    api: &Api,
    draft: &Draft,
    wrong: Fields,
    invalid: &'static str,
) -> Result<std::sync::Arc<dyn Bot>, Error> {
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(invalid, wrong))?;
    let Some(bot) = &api.options.discord else {
        let why = "this server has no Discord bot configured";
        return Err(Error::Invalid(invalid, Fields::one(SERVER, why)));
    };
    let mut unseen = Fields::default();
    if !bot.sees_channel(&draft.incoming_channel_id).await {
        unseen.add(CHANNEL, cannot("channel", &draft.incoming_channel_id));
    }
    if !bot.sees_server(&draft.server_id).await {
        unseen.add(SERVER, cannot("server", &draft.server_id));
    }
    unseen
        .check()
        .map_err(|unseen| Error::Invalid(invalid, unseen))?;
    Ok(std::sync::Arc::clone(bot))
}

fn cannot(what: &str, id: &str) -> String {
    format!("cannot fetch discord {what} with ID [{id}] make sure the bot has access to the {what}")
}

/// Only when the connection can be stored: what is refused changes nothing on the server.
async fn offer_command(bot: &dyn Bot, draft: &Draft, invalid: &'static str) -> Result<(), Error> {
    if bot.offer_command(&draft.server_id).await {
        return Ok(());
    }
    let id = &draft.server_id;
    let why = format!("cannot register the command /httpsms on the discord server with ID [{id}]");
    Err(Error::Invalid(invalid, Fields::one(SERVER, why)))
}

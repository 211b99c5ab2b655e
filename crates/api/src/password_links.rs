//! Links by which somebody chooses a password: an administrator makes one, whoever has it uses it.
//! Ours.

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::{Gateway, Time};
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::auth::{AdminCaller, Knock};
use crate::body::JsonBody;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::{sessions, shape};

pub(crate) fn routes(routes: Routes) -> Routes {
    let made = Doc::user("createPasswordLink", "Make a link to choose a password")
        .note("For an administrator of the server. An older link of the account ends; its password stays until the link is used. It is shown this once.")
        .path("id", "The account.", text())
        .finds()
        .gives::<shape::PasswordLink>(201, "password link created successfully");
    let chosen = Doc::public("choosePassword", "Choose a password by a link")
        .note("Uses the link up, ends all sessions of the account, and opens one.")
        .reads()
        .takes::<shape::ChoosePassword>(json!({"token": "...", "password": "correct horse"}))
        .finds()
        .slows()
        .gives::<shape::User>(201, "password chosen successfully");
    routes
        .tag("Administration", Scope::Admin)
        .post("/v1/admin/users/{id}/password-links", create, made)
        .tag("Sessions", Scope::Admin)
        .post("/v1/choose-password", choose, chosen)
}

/// A link as it is shown, once.
#[derive(Serialize)]
pub(crate) struct Link {
    url: String,
    expires_at: Time,
}

/// Makes a link for an account. What stands behind the `#` stays in the browser, and out of logs.
pub(crate) async fn make(api: &Api, user_id: &str) -> Result<Link, Error> {
    let link = api.gateway.password_link(user_id).await?;
    Ok(Link {
        url: format!("{}/#/password?token={}", api.options.public_url, link.token),
        expires_at: link.expires_at,
    })
}

async fn create(State(api): State<Api>, _: AdminCaller, Params(id): Params<String>) -> Answer {
    let link = make(&api, &id).await?;
    Ok(envelope::created(
        "password link created successfully",
        &link,
    ))
}

async fn choose(
    State(api): State<Api>,
    State(gateway): State<Gateway>,
    Knock(visitor): Knock,
    body: JsonBody,
) -> Answer {
    let members = body.members()?;
    let text = |name| {
        members
            .text_or_empty(name)
            .map(std::borrow::Cow::into_owned)
    };
    let (token, password) = (text("token")?, text("password")?);
    let user = gateway
        .choose_password(&token, password)
        .await
        .map_err(Error::of("validation errors while choosing password"))?;
    sessions::begin(&api, &user, &visitor, "password chosen successfully").await
}

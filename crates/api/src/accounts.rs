//! All accounts of the server, for its administrators. Ours: the reference has a provider for it.

use axum::extract::State;
use gateway::account::{Account, Change, NewUser};
use gateway::api_key::Scope;
use gateway::{Fields, Gateway};
use serde::Serialize;
use serde_json::json;

use crate::auth::AdminCaller;
use crate::body::JsonBody;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::page::{self, Rule};
use crate::password_links::{self, Link};
use crate::query::Query;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::users::to_the_end;
use crate::{Api, shape};

pub(crate) fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/v1/admin/users";
    const ONE: &str = "/v1/admin/users/{id}";
    const WHO: &str = "For an administrator of the server; the first account is one.";
    let listed = Doc::user("listAccounts", "List all accounts, oldest first")
        .note(WHO)
        .scope(Scope::Admin)
        .window(RULE.default)
        .lists::<shape::Account>(200, "fetched 1 user");
    let created = Doc::user("createAccount", "Make an account for somebody")
        .note(&format!(
            "{WHO} Without a password there is a link to choose one, shown this once."
        ))
        .takes::<shape::NewAccount>(json!({"email": "ben@example.org", "admin": false}))
        .gives::<shape::AccountMade>(201, "user created successfully");
    let changed = Doc::user("updateAccount", "Let an account in or out, make it an administrator or none")
        .note(&format!("{WHO} While an account is disabled, its keys and sessions open nothing, its webhooks keep what happens for later, and its phones are not woken. The last administrator who may come in stays one."))
        .path("id", "The account.", text())
        .takes::<shape::PutAccount>(json!({"disabled": true}))
        .finds()
        .conflicts()
        .gives::<shape::Account>(200, "user updated successfully");
    let deleted = Doc::user(
        "deleteAccount",
        "Delete somebody's account with everything of it",
    )
    .note(WHO)
    .path("id", "The account.", text())
    .finds()
    .conflicts()
    .empties("It is deleted, and everything of it.");
    routes
        .tag("Administration", Scope::Admin)
        .get(ALL, list, listed)
        .post(ALL, create, created)
        .put(ONE, update, changed)
        .delete(ONE, delete, deleted)
}

const RULE: Rule = Rule {
    default: 100,
    longest: 100,
};

/// A new account, and how its owner comes in.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    account: &'a Account,
    password_link: Option<Link>,
}

async fn list(State(gateway): State<Gateway>, _: AdminCaller, query: Query) -> Answer {
    let mut wrong = Fields::default();
    let page = page::read(&query, &RULE, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while fetching users", wrong))?;
    let accounts = gateway.accounts(page).await?;
    Ok(envelope::fetched(&accounts, "user"))
}

async fn create(State(api): State<Api>, _: AdminCaller, body: JsonBody) -> Answer {
    let body = body.members()?;
    let password = body
        .text("password")?
        .filter(|password| !password.is_empty());
    let new = NewUser {
        email: body.text_or_empty("email")?.trim().to_owned(),
        password: password.map(std::borrow::Cow::into_owned),
        admin: body.flag("admin")?.unwrap_or_default(),
        ..NewUser::default()
    };
    let invited = new.password.is_none();
    let invalid = Error::of("validation errors while creating user");
    let made = api.gateway.add_account(new).await.map_err(invalid)?;
    let password_link = if invited {
        Some(password_links::make(&api, &made.id).await?)
    } else {
        None
    };
    // Only now it counts as invited.
    let account = &api.gateway.account(&made.id).await?;
    let made = Made {
        account,
        password_link,
    };
    Ok(envelope::created("user created successfully", &made))
}

async fn update(
    State(gateway): State<Gateway>,
    _: AdminCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    let body = body.members()?;
    let change = Change {
        admin: body.flag("admin")?,
        disabled: body.flag("disabled")?,
    };
    let account = gateway.change_account(&id, change).await?;
    Ok(envelope::ok("user updated successfully", &account))
}

async fn delete(
    State(gateway): State<Gateway>,
    _: AdminCaller,
    Params(id): Params<String>,
) -> Answer {
    to_the_end(async move { gateway.remove_account(&id).await }).await?;
    Ok(envelope::no_content())
}

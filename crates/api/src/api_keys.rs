//! Named keys of the account, each for some purposes. Ours: the reference has one key for everything.

use axum::extract::State;
use gateway::Gateway;
use gateway::api_key::{ApiKey, NewApiKey, Scope};
use serde::Serialize;
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let listed = Doc::user("listApiKeys", "List named keys, newest first")
        .note("Revoked and expired ones, too.")
        .scope(Scope::Admin)
        .window(RULE.default)
        .lists::<shape::ApiKey>(200, "fetched 1 API key");
    let created = Doc::user("createApiKey", "Make a named key")
        .note("The key itself is shown this once. It works wherever the account's key does, as far as its scopes go.")
        .takes::<shape::NewApiKey>(json!({"name": "shop", "scopes": ["send", "read"]}))
        .gives::<shape::ApiKeyMade>(201, "API key created successfully");
    let revoked = Doc::user("revokeApiKey", "Revoke a named key")
        .finds()
        .empties("It opens nothing any more.");
    routes
        .tag("API keys", Scope::Admin)
        .get("/v1/api-keys", list, listed)
        .post("/v1/api-keys", create, created)
        .delete("/v1/api-keys/{id}", revoke, revoked)
}

const RULE: Rule = Rule {
    default: 100,
    longest: 100,
};

/// A new key with how it is listed.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    listed: &'a ApiKey,
    api_key: &'a str,
}

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    let page = page::of(&query, &RULE, "validation errors while fetching API keys")?;
    let keys = gateway.api_keys(&caller, page).await?;
    Ok(envelope::fetched(&keys, "API key"))
}

async fn create(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while creating API key";
    let body = body.members()?;
    let (name, scopes) = (body.text_or_empty("name")?, body.texts("scopes")?);
    let expires_at = body.time("expires_at")?;
    let new = NewApiKey::parse(&name, &scopes, expires_at, gateway.now())
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    let answer = |(api_key, listed): &(String, ApiKey)| {
        let made = Made { listed, api_key };
        envelope::created("API key created successfully", &made)
    };
    once::answered(gateway.add_api_key(&caller, new), Error::from, answer).await
}

async fn revoke(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while revoking API key", "apiKeyID", &id)?;
    gateway.revoke_api_key(&caller, id).await?;
    Ok(envelope::no_content())
}

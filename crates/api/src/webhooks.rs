//! Webhooks of an account: made, shown, replaced and deleted here, the rest in files of their own.

mod control;
mod deliveries;
mod describe;
mod draft;
mod headers;
mod policy;
mod replays;

use axum::extract::State;
use gateway::Gateway;
use gateway::api_key::Scope;
use gateway::webhook::Webhook;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .tag("Webhooks", Scope::Webhooks)
        .get("/v1/webhooks", list, describe::list())
        .post("/v1/webhooks", create, describe::create())
        .get("/v1/webhooks/{id}", show, describe::show())
        .put("/v1/webhooks/{id}", replace, describe::replace())
        .delete("/v1/webhooks/{id}", remove, describe::remove());
    let routes = control::routes(routes);
    let routes = deliveries::routes(routes);
    replays::routes(routes)
}

const ID: &str = "webhookID";

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 1,
        longest: 100,
    };
    let page = page::of(&query, &RULE, "validation errors while fetching webhooks")?;
    let webhooks = gateway.webhooks(&caller, page).await?;
    Ok(envelope::fetched(&webhooks, "webhook"))
}

async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while fetching webhook", ID, &id)?;
    let webhook = gateway.webhook(&caller, id).await?;
    Ok(envelope::ok("webhook fetched successfully", &webhook))
}

async fn create(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while storing webhook";
    let (draft, wrong) = draft::read(&body.members()?)?;
    let draft = draft.ok_or(Error::Invalid(INVALID, wrong))?;
    let answer = |webhook: &Webhook| envelope::created("webhook created successfully", webhook);
    let operation = gateway.add_webhook(&caller, draft);
    once::answered(operation, Error::of(INVALID), answer).await
}

async fn replace(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while updating webhook";
    let (draft, mut wrong) = draft::read(&body.members()?)?;
    let id = check::uuid(&mut wrong, ID, &id);
    let (Some(draft), Some(id)) = (draft, id) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let webhook = gateway
        .put_webhook(&caller, id, draft)
        .await
        .map_err(Error::of(INVALID))?;
    Ok(envelope::ok("webhook updated successfully", &webhook))
}

async fn remove(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while deleting webhook", ID, &id)?;
    gateway.delete_webhook(&caller, id).await?;
    Ok(envelope::ok("webhook deleted successfully", &()))
}

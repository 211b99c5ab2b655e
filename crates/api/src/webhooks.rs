//! Webhooks of an account.

use axum::extract::State;
use axum::routing::{get, put};
use gateway::event::Kind;
use gateway::webhook::{Draft, WebhookUrl};
use gateway::{Fields, Gateway};

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .on("/v1/webhooks", get(list).post(create))
        .on("/v1/webhooks/{id}", put(replace).delete(remove))
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
    let mut wrong = Fields::default();
    let page = page::read(&query, &RULE, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while fetching webhooks", wrong))?;
    let webhooks = gateway.webhooks(&caller, page).await?;
    Ok(envelope::fetched(&webhooks, "webhook"))
}

async fn create(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while storing webhook";
    let mut wrong = Fields::default();
    let draft = read(&body.members()?, &mut wrong)?.ok_or(Error::Invalid(INVALID, wrong))?;
    let webhook = gateway
        .add_webhook(&caller, draft)
        .await
        .map_err(Error::of(INVALID))?;
    Ok(envelope::created("webhook created successfully", &webhook))
}

async fn replace(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while updating webhook";
    let mut wrong = Fields::default();
    let draft = read(&body.members()?, &mut wrong)?;
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

/// What a webhook is made of; `None` if something is wrong with it.
fn read(body: &Members<'_>, wrong: &mut Fields) -> Result<Option<Draft>, Error> {
    let url = url(&body.text_or_empty("url")?, wrong);
    let signing_key = body.text("signing_key")?.map(|key| key.trim().to_owned());
    check::at_most(
        wrong,
        "signing_key",
        signing_key.as_deref().unwrap_or_default(),
        255,
    );
    let events = events(body.texts("events")?, wrong);
    let phone_numbers = body.texts("phone_numbers")?;
    check::required(wrong, "phone_numbers", phone_numbers.is_empty());
    for (index, number) in phone_numbers.iter().enumerate() {
        check::recipient_at(wrong, "phone_numbers", index, number);
    }
    Ok(url.filter(|_| wrong.is_empty()).map(|url| Draft {
        url,
        signing_key,
        phone_numbers: without_repetition(phone_numbers),
        events,
    }))
}

fn url(text: &str, wrong: &mut Fields) -> Option<WebhookUrl> {
    let text = text.trim();
    check::required(wrong, "url", text.is_empty());
    let url = WebhookUrl::parse(text);
    if text.len() > WebhookUrl::MAX {
        check::at_most(wrong, "url", text, WebhookUrl::MAX);
    } else if url.is_none() {
        wrong.add("url", "The url field format is invalid");
    }
    url
}

fn events(names: Vec<String>, wrong: &mut Fields) -> Vec<Kind> {
    check::required(wrong, "events", names.is_empty());
    if names.is_empty() {
        wrong.add("events", "The events field is an empty array");
    }
    let mut events = Vec::with_capacity(names.len().min(Kind::FOR_WEBHOOKS.len()));
    for name in without_repetition(names) {
        match Kind::for_webhook(&name) {
            Some(kind) => events.push(kind),
            None => wrong.add(
                "events",
                format!("The events field has an invalid event with name [{name}]"),
            ),
        }
    }
    events
}

/// Each item once, in the order of the first.
fn without_repetition(items: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}

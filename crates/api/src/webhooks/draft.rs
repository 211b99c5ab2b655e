//! What a webhook is made of, as a request says it.

use gateway::Fields;
use gateway::event::Kind;
use gateway::webhook::{Draft, WebhookUrl};

use super::{headers, policy};
use crate::check;
use crate::error::Error;
use crate::json::Members;

/// Reads a webhook, and what is wrong with it; it is there only if nothing is.
pub(super) fn read(body: &Members<'_>) -> Result<(Option<Draft>, Fields), Error> {
    let (policy, mut wrong) = policy::read(body);
    let headers = headers::read(body, &mut wrong);
    let url = url(&body.text_or_empty("url")?, &mut wrong);
    let signing_key = signing_key(body, &mut wrong)?;
    let events = events(body.texts("events")?, &mut wrong);
    let phone_numbers = phone_numbers(body, policy.all_phone_numbers, &mut wrong)?;
    let draft = url.filter(|_| wrong.is_empty()).map(|url| Draft {
        url,
        signing_key,
        phone_numbers,
        events,
        policy,
        headers,
    });
    Ok((draft, wrong))
}

/// A signing key without the blanks around it.
pub(super) fn signing_key(body: &Members<'_>, wrong: &mut Fields) -> Result<Option<String>, Error> {
    const NAME: &str = "signing_key";
    let key = body.text(NAME)?.map(|key| key.trim().to_owned());
    check::at_most(wrong, NAME, key.as_deref().unwrap_or_default(), 255);
    Ok(key)
}

/// The types of events by these names, each once.
pub(super) fn kinds(name: &str, names: Vec<String>, wrong: &mut Fields) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(names.len().min(Kind::FOR_WEBHOOKS.len()));
    for kind in without_repetition(names) {
        match Kind::for_webhook(&kind) {
            Some(kind) => kinds.push(kind),
            None => wrong.add(
                name,
                format!("The {name} field has an invalid event with name [{kind}]"),
            ),
        }
    }
    kinds
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
    const NAME: &str = "events";
    check::required(wrong, NAME, names.is_empty());
    if names.is_empty() {
        wrong.add(NAME, "The events field is an empty array");
    }
    kinds(NAME, names, wrong)
}

/// With `all` of the account's phones, none needs to be named.
fn phone_numbers(body: &Members<'_>, all: bool, wrong: &mut Fields) -> Result<Vec<String>, Error> {
    const NAME: &str = "phone_numbers";
    let numbers = body.texts(NAME)?;
    check::required(wrong, NAME, numbers.is_empty() && !all);
    for (index, number) in numbers.iter().enumerate() {
        check::recipient_at(wrong, NAME, index, number);
    }
    Ok(without_repetition(numbers))
}

/// Each item once, in the order of the first.
fn without_repetition(items: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}

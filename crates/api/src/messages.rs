//! Messages: reading and deleting them here, the other operations in files of their own.

mod describe;
mod outstanding;
mod receive;
mod report;
mod search;
mod send;
mod several;
pub(crate) mod shown;
mod unescaped;

use axum::extract::State;
use axum::response::Response;
use gateway::api_key::Scope;
use gateway::message::{Between, Message};
use gateway::{Fields, Gateway, PhoneNumber};

use crate::auth::UserCaller;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::routes::Routes;
use shown::{all_shown, shown};

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .tag("Messages", Scope::Send)
        .get("/v1/messages", list, describe::list())
        .get("/v1/messages/search", search::search, search::describe())
        .get(
            "/v1/messages/export",
            search::export,
            search::describe_export(),
        )
        .post("/v1/messages/send", send::send, describe::send())
        .post("/v1/messages/bulk-send", send::bulk, describe::bulk())
        .post(
            "/v1/messages/receive",
            receive::receive,
            describe::receive(),
        )
        .post(
            "/v1/messages/calls/missed",
            receive::missed,
            describe::missed(),
        )
        .take(
            "/v1/messages/outstanding",
            outstanding::claim,
            describe::claim(),
        )
        .get("/v1/messages/{id}", show, describe::show())
        .delete("/v1/messages/{id}", delete, describe::delete())
        .post(
            "/v1/messages/bulk-delete",
            several::delete,
            several::describe_delete(),
        )
        .post(
            "/v1/messages/bulk-resend",
            several::resend,
            several::describe_resend(),
        )
        .get("/v1/messages/{id}/timeline", timeline, describe::timeline())
        .post("/v1/messages/{id}/cancel", cancel, describe::cancel())
        .post(
            "/v1/messages/{id}/events",
            report::report,
            describe::report(),
        )
}

/// The words for a wrong id, whatever the route does.
const WRONG_ID: &str = "validation errors while storing event";
const ID: &str = "messageID";

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 20,
        longest: 20,
    };
    let mut wrong = Fields::default();
    let owner = listed(&query, "owner");
    check::required(&mut wrong, "owner", owner.is_empty());
    // Unlike elsewhere nothing is put before a number here.
    if !owner.starts_with('+') || PhoneNumber::parse(&owner).is_none() {
        wrong.add("owner", format!("The owner field {}", check::E164));
    }
    let contact = listed(&query, "contact");
    check::filled(&mut wrong, "contact", &contact, usize::MAX);
    let between = Between {
        owner,
        contact,
        before: page::before(&query, &mut wrong),
    };
    let page = page::read(&query, &RULE, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while fetching messages", wrong))?;
    let messages = gateway.messages(&caller, between, page).await?;
    Ok(envelope::fetched(&all_shown(&messages), "message"))
}

/// A number as it stands in the query, where a `+` that was not escaped has become a space.
fn listed(query: &Query, name: &str) -> String {
    let text = query.text(name).trim_end_matches(' ');
    match text.strip_prefix(' ') {
        Some(digits) => format!("+{digits}"),
        None => text.to_owned(),
    }
}

async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id(WRONG_ID, ID, &id)?;
    let message = gateway.message(&caller, id).await?;
    Ok(envelope::ok(
        "message fetched successfully",
        &shown(&message),
    ))
}

async fn timeline(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while fetching timeline", ID, &id)?;
    let timeline = gateway.timeline(&caller, id).await?;
    Ok(envelope::ok("timeline fetched successfully", &timeline))
}

async fn cancel(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while cancelling message", ID, &id)?;
    let words = "message cancelled successfully";
    let answer = |message: &Message| envelope::ok(words, &shown(message));
    once::answered(gateway.cancel_message(&caller, id), Error::from, answer).await
}

async fn delete(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Result<Response, Error> {
    let id = check::id(WRONG_ID, ID, &id)?;
    gateway.delete_message(&caller, id).await?;
    if let Err(error) = gateway.remove_attachments(&caller, id).await {
        // The message is gone and nothing leads to its files any more.
        tracing::warn!(%error, message = %id, "files of a deleted message stay");
    }
    Ok(envelope::no_content())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_that_became_a_space_is_put_back() {
        let query = Query::lenient("a=+1800++&b=%2B1800&c=1800&d=++1&e=+");
        for (name, expected) in [
            ("a", "+1800"),
            ("b", "+1800"),
            ("c", "1800"),
            ("d", "+ 1"),
            ("e", ""),
        ] {
            assert_eq!(listed(&query, name), expected, "{name}");
        }
    }
}

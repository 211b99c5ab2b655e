//! Threads: lists of conversations.

use axum::extract::State;
use axum::response::Response;
use gateway::api_key::Scope;
use gateway::thread::{Changes, Wanted};
use gateway::{Fields, Gateway};
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::{Doc, boolean, phone_number};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let shown = Doc::user("getThread", "Show a thread")
        .finds()
        .gives::<shape::MessageThread>(200, "message thread fetched successfully");
    let counted = Doc::user("countThreads", "Count unread and archived threads")
        .gives::<shape::ThreadCounts>(200, "message threads counted successfully");
    let updated = Doc::user("putThread", "Mark a thread as read, or put it away")
        .note("At least one member must be there.")
        .takes::<shape::PutThread>(json!({"is_read": true}))
        .finds()
        .gives::<shape::MessageThread>(200, "message thread updated successfully");
    let removed = Doc::user("deleteThread", "Delete a thread with all its messages")
        .note("What was still to be sent is cancelled.")
        .finds()
        .empties("It is deleted.");
    routes
        .tag("Threads", Scope::Send)
        .get("/v1/message-threads", list, describe_list())
        .get("/v1/message-threads/counts", counts, counted)
        .get("/v1/message-threads/{id}", show, shown)
        .put("/v1/message-threads/{id}", update, updated)
        .delete("/v1/message-threads/{id}", remove, removed)
}

fn describe_list() -> Doc {
    Doc::user("listThreads", "List threads, newest first")
        .query(
            "owner",
            "The phone's number, in E.164; needed unless `all` is true.",
            phone_number(),
        )
        .query("all", "Those of all the account's numbers.", boolean())
        .query(
            "is_archived",
            "Those in the archive instead of those out of it.",
            boolean(),
        )
        .query(
            "unread",
            "Only those in which something was not read.",
            boolean(),
        )
        .window(20)
        .places()
        .lists::<shape::MessageThread>(200, "fetched 1 message thread")
}

const ID: &str = "messageThreadID";

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
    let all = check::flag(&mut wrong, "all", query.text("all"));
    let owner = match query.text("owner") {
        "" if all => None,
        text => check::phone_number(&mut wrong, "owner", text),
    };
    let wanted = Wanted {
        owner: owner.map(|owner| owner.as_str().to_owned()),
        is_archived: check::flag(&mut wrong, "is_archived", query.text("is_archived")),
        unread: check::flag(&mut wrong, "unread", query.text("unread")),
        before: page::before(&query, &mut wrong),
    };
    let page = page::read(&query, &RULE, &mut wrong);
    wrong.check().map_err(|wrong| {
        Error::Invalid("validation errors while fetching message threads", wrong)
    })?;
    let threads = gateway.threads(&caller, wanted, page).await?;
    Ok(envelope::fetched(&threads, "message thread"))
}

async fn counts(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let counts = gateway.thread_counts(&caller).await?;
    Ok(envelope::ok(
        "message threads counted successfully",
        &counts,
    ))
}

async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while fetching message thread", ID, &id)?;
    let thread = gateway.thread(&caller, id).await?;
    Ok(envelope::ok("message thread fetched successfully", &thread))
}

async fn update(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while updating message thread";
    let body = body.members()?;
    let changes = Changes {
        is_archived: body.flag("is_archived")?,
        is_read: body.flag("is_read")?,
    };
    let id = check::id(INVALID, ID, &id)?;
    let thread = gateway
        .update_thread(&caller, id, changes)
        .await
        .map_err(Error::of(INVALID))?;
    Ok(envelope::ok("message thread updated successfully", &thread))
}

async fn remove(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Result<Response, Error> {
    let id = check::id("validation errors while deleting a thread thread", ID, &id)?;
    gateway.delete_thread(&caller, id).await?;
    Ok(envelope::no_content())
}

//! Bulk messages: files of SMS, and what became of them.

mod control;
mod describe;
mod upload;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use gateway::api_key::Scope;
use gateway::bulk::{self, Accepted, BulkMessage};
use gateway::message::Status;
use gateway::{Fields, Gateway};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::auth::UserCaller;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::form::Form;
use crate::messages::shown::{Shown, all_shown};
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .tag("Bulk messages", Scope::Send)
        .get("/v1/bulk-messages", list, describe::list())
        .post("/v1/bulk-messages", send, describe::send())
        .post("/v1/bulk-messages/preview", preview, describe::preview())
        .get(
            "/v1/bulk-messages/template.xlsx",
            template,
            describe::template(),
        )
        .get("/v1/bulk-messages/{request_id}", show, describe::show());
    control::routes(routes)
}

const INVALID: &str = "validation errors while sending bulk SMS";
const INVALID_LIST: &str = "validation errors while fetching bulk messages";

/// The names of the states.
const STATES: [&str; 3] = ["running", "paused", "finished"];

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 10,
        longest: 100,
    };
    let mut wrong = Fields::default();
    let page = page::read(&query, &RULE, &mut wrong);
    let state: Option<bulk::State> = filter(&query, &STATES, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID_LIST, wrong))?;
    let found = gateway.bulk_messages(&caller, state, page).await?;
    Ok(envelope::fetched(&found, "bulk message"))
}

/// The media type of XLSX files.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn template(_: UserCaller) -> Answer {
    let file = bulk::template().map_err(gateway::Error::Files)?;
    let headers = [
        (header::CONTENT_TYPE, XLSX),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"bulk-template.xlsx\"",
        ),
    ];
    Ok((headers, file).into_response())
}

async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(request_id): Params<String>,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 100,
        longest: 100,
    };
    let mut wrong = Fields::default();
    let page = page::read(&query, &RULE, &mut wrong);
    let status = filter(&query, &Status::ALL.map(Status::as_str), &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID_LIST, wrong))?;
    let request_id = id(request_id)?;
    let found = gateway
        .bulk_message(&caller, request_id, status, page)
        .await?;
    let detail = Detail {
        bulk: &found.bulk,
        messages: all_shown(&found.messages),
    };
    Ok(envelope::ok("bulk message fetched successfully", &detail))
}

/// A bulk message with some of its messages, as the wire shows them.
#[derive(Serialize)]
struct Detail<'m> {
    #[serde(flatten)]
    bulk: &'m BulkMessage,
    messages: Vec<Shown<'m>>,
}

/// The member `status` of the query: one of these names, or nothing.
fn filter<T: std::str::FromStr>(query: &Query, names: &[&str], wrong: &mut Fields) -> Option<T> {
    let name = query.text("status").trim();
    if name.is_empty() {
        return None;
    }
    check::one_of(wrong, "status", name, names);
    name.parse().ok()
}

/// A request id of a path. No row has U+0000 in it, and no database takes it.
fn id(text: String) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::malformed("request_id: holds the character U+0000"));
    }
    Ok(text)
}

async fn send(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    form: Form,
) -> Answer {
    let file = upload::read(&form)?;
    drop(form);
    let answer = |accepted: &Accepted| added(accepted, envelope::queued(&words(accepted)));
    once::answered(gateway.send_file(&caller, file), Error::of(INVALID), answer).await
}

async fn preview(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    form: Form,
) -> Answer {
    let file = upload::read(&form)?;
    drop(form);
    let preview = gateway
        .preview_file(&caller, file)
        .await
        .map_err(Error::of(INVALID))?;
    Ok(envelope::ok(
        "bulk message previewed successfully",
        &preview,
    ))
}

fn words(accepted: &Accepted) -> String {
    // All or none: there is no message here that failed.
    let count = accepted.count;
    format!("Added {count} out of {count} messages to the queue")
}

/// Says where what was accepted can be looked at.
fn added(accepted: &Accepted, mut response: Response) -> Response {
    let id = utf8_percent_encode(&accepted.request_id, NON_ALPHANUMERIC);
    debug_assert_eq!(response.status(), StatusCode::ACCEPTED);
    if let Ok(place) = HeaderValue::try_from(format!("/v1/bulk-messages/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

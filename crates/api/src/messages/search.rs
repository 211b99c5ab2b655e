//! Finding messages, one page of them or all as a file.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use gateway::message::{Kind, Message, Status};
use gateway::search::{COUNTED, Search, SortBy, Sweep};
use gateway::{Fields, Gateway, Page};
use http::{HeaderName, HeaderValue, header};
use http_body_util::channel::{Channel, Sender};

use super::shown::all_shown;
use crate::auth::UserCaller;
use crate::check;
use crate::csv::Row;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::{Doc, boolean, integer, list_of, one_of, phone_number, text, time};
use crate::shape;

const INVALID: &str = "validation errors while searching messages";
const TYPES: [&str; 3] = ["call/missed", "mobile-originated", "mobile-terminated"];
const SORTS: [&str; 5] = ["created_at", "owner", "contact", "type", "status"];

/// Messages that one page has at most.
const MOST: i64 = 10_000;

pub(super) fn describe() -> Doc {
    let doc = Doc::user("searchMessages", "Find messages")
        .note("Omitted filters exclude nothing. With `count=true` the header `X-Total-Count` says how many there are, counted up to 10,000; it is left out where counting takes longer than a second. What takes longer than five seconds to find is answered 503: ask for a shorter time or fewer numbers then.")
        .query("sort_by", "What to sort by; otherwise `created_at`. By anything else the newest 100,000 matches are sorted.", one_of(&SORTS))
        .query("sort_descending", "The other way round.", boolean())
        .header("token", "Not needed, and not looked at.", text())
        .query("count", "Whether to count what is found.", boolean())
        .query("skip", "Items to pass over.", integer(0, None))
        .query("limit", "Items to show at most; otherwise 100.", integer(0, Some(MOST)));
    describe_filters(doc).lists::<shape::Message>(200, "found 1 message")
}

pub(super) fn describe_export() -> Doc {
    let doc = Doc::user("exportMessages", "Save messages as a file, oldest first").note(
        "Comma-separated values by RFC 4180, the first line with names. What a spreadsheet program would take for a formula has an apostrophe in front.",
    );
    describe_filters(doc).text("text/csv; charset=utf-8", "A file.")
}

fn describe_filters(doc: Doc) -> Doc {
    doc.query("owners", "Numbers of the account.", list_of(phone_number()))
        .query("types", "What they are.", list_of(one_of(&TYPES)))
        .query(
            "statuses",
            "Where they stand.",
            list_of(one_of(&Status::ALL.map(Status::as_str))),
        )
        .query("since", "Stored then or later.", time())
        .query("until", "Stored before.", time())
        .query(
            "query",
            "A text of at most 50 bytes that content, contact, failure reason or request id contain, letter case aside, or an id.",
            text(),
        )
}

pub(super) async fn search(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let mut search = filters(&query, &mut wrong);
    search.sort_by = sort_by(&query, &mut wrong);
    search.descending = descending(&query)?;
    search.page = window(&query, &mut wrong);
    let count = check::flag(&mut wrong, "count", query.text("count"));
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    let total = if count {
        gateway.count_found(&caller, search.clone()).await?
    } else {
        None
    };
    let found = gateway.search(&caller, search).await?;
    let noun = if found.len() == 1 {
        "message"
    } else {
        "messages"
    };
    let words = format!("found {} {noun}", found.len());
    let mut answer = envelope::ok(&words, &all_shown(&found));
    if let Some(total) = total {
        const NAME: HeaderName = HeaderName::from_static("x-total-count");
        debug_assert!(total <= COUNTED);
        answer.headers_mut().insert(NAME, total.into());
    }
    Ok(answer)
}

pub(super) async fn export(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Result<Response, Error> {
    let mut wrong = Fields::default();
    let mut search = filters(&query, &mut wrong);
    search.page = window(&query, &mut wrong);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    let (file, body) = Channel::new(2);
    tokio::spawn(write(gateway.sweep(&caller, search), file));
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"messages.csv\"",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// What is looked for, but for the window.
fn filters(query: &Query, wrong: &mut Fields) -> Search {
    let owners: Vec<String> = query.texts("owners").map(str::to_owned).collect();
    for (index, owner) in owners.iter().enumerate() {
        check::recipient_at(wrong, "owners", index, owner);
    }
    Search {
        owners,
        types: named::<Kind>(query, "types", wrong),
        statuses: named::<Status>(query, "statuses", wrong),
        since: check::time(wrong, "since", query.text("since")),
        until: check::time(wrong, "until", query.text("until")),
        ..Search::default()
    }
}

/// A list of names of which each must be known.
fn named<T: std::str::FromStr>(query: &Query, name: &str, wrong: &mut Fields) -> Vec<T> {
    let mut known = Vec::new();
    for (index, text) in query.texts(name).enumerate() {
        match text.parse() {
            Ok(value) => known.push(value),
            Err(_) => wrong.add(
                name,
                format!(
                    "the {name} field in contains an invalid value [{text}] at index [{index}]"
                ),
            ),
        }
    }
    known
}

fn sort_by(query: &Query, wrong: &mut Fields) -> SortBy {
    let text = query.text("sort_by").trim();
    if !text.is_empty() && text.parse::<SortBy>().is_err() {
        check::one_of(wrong, "sort_by", text, &SORTS);
    }
    text.parse().unwrap_or_default()
}

/// What the reference takes for true and false; anything else is no request of this API.
fn descending(query: &Query) -> Result<bool, Error> {
    const NAME: &str = "sort_descending";
    match query.text(NAME) {
        "on" | "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(Error::malformed(format!(
            "{NAME}: expected true or false, found {other}"
        ))),
    }
}

/// The reference fails for a `limit` that is negative or absurdly large.
fn window(query: &Query, wrong: &mut Fields) -> Page {
    const RULE: Rule = Rule {
        default: 100,
        longest: 200,
    };
    let page = page::read_with(query, &RULE, 50, wrong);
    if page.limit < 0 {
        wrong.add("limit", "The limit field value can not be less than 0");
    }
    check::within(wrong, "limit", page.limit.max(0), 0, MOST);
    page
}

/// Writes the file part by part, as fast as it is read at the other end.
async fn write(mut sweep: Sweep, mut file: Sender<Bytes, gateway::Error>) {
    let mut text = COLUMNS.join(",") + "\r\n";
    loop {
        match sweep.part().await {
            Ok(Some(found)) => found.iter().for_each(|message| row(message).end(&mut text)),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "an export of messages ends early");
                return file.abort(error);
            }
        }
        if file
            .send_data(std::mem::take(&mut text).into())
            .await
            .is_err()
        {
            return;
        }
    }
}

const COLUMNS: [&str; 18] = [
    "id",
    "type",
    "status",
    "owner",
    "contact",
    "content",
    "attachments",
    "encrypted",
    "sim",
    "request_id",
    "created_at",
    "scheduled_at",
    "sent_at",
    "delivered_at",
    "failed_at",
    "expired_at",
    "failure_reason",
    "segment_count",
];

fn row(message: &Message) -> Row {
    let time = |time: Option<gateway::Time>| time.map_or(String::new(), |time| time.to_string());
    let urls = message.attachments.as_ref();
    let segments = message.on_air().map(|(_, count)| count.to_string());
    Row::default()
        .field(&message.id.to_string())
        .field(message.kind.as_str())
        .field(message.status.as_str())
        .field(&message.owner)
        .field(&message.contact)
        .field(&message.content)
        .field(&urls.map_or_else(String::new, |urls| urls.list().join(" ")))
        .field(if message.encrypted { "true" } else { "false" })
        .field(message.sim.as_str())
        .field(message.request_id.as_deref().unwrap_or_default())
        .field(&message.created_at.to_string())
        .field(&time(message.scheduled_at))
        .field(&time(message.sent_at))
        .field(&time(message.delivered_at))
        .field(&time(message.failed_at))
        .field(&time(message.expired_at))
        .field(message.failure_reason.as_deref().unwrap_or_default())
        .field(&segments.unwrap_or_default())
}

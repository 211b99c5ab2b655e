//! The account's events: the log read in parts, or followed live.
//! Ours: the reference has no such routes.

mod describe;
mod stream;

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::event::{Kind, Recorded};
use gateway::{Fields, Gateway};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::auth::UserCaller;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::query::Query;
use crate::routes::Routes;

const INVALID: &str = "validation errors while fetching events";

/// Events at once, at most and by default.
const MOST: i64 = 500;
const USUAL: i64 = 100;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .tag("Events", Scope::Read)
        .get("/v1/events", list, describe::list())
        .get("/v1/events/stream", stream::follow, describe::stream())
}

/// A part of the log.
#[derive(Serialize)]
struct Events {
    events: Vec<Box<RawValue>>,
    /// The `after` of the next part.
    next: i64,
}

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let after = place(&mut wrong, "after", query.text("after")).unwrap_or(0);
    let kinds = kinds(&mut wrong, &query);
    let limit = limit(&mut wrong, query.text("limit"));
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    let part = gateway
        .events_after(&caller.user_id, after, &kinds, limit)
        .await?;
    let events: Vec<_> = part.events.iter().map(numbered).collect::<Result<_, _>>()?;
    let noun = if events.len() == 1 { "event" } else { "events" };
    let message = format!("fetched {} {noun}", events.len());
    let next = part.position;
    Ok(envelope::ok(&message, &Events { events, next }))
}

/// The event as webhooks get it, with its place in front.
fn numbered(event: &Recorded) -> Result<Box<RawValue>, Error> {
    let members = event.body.strip_prefix('{').unwrap_or_default();
    RawValue::from_string(format!("{{\"seq\":{},{members}", event.seq)).map_err(|error| {
        tracing::error!(%error, seq = event.seq, "an event in the log is no JSON object");
        Error::Internal
    })
}

/// A place in the log, if the text is not empty.
fn place(wrong: &mut Fields, name: &str, text: &str) -> Option<i64> {
    let text = Some(text.trim()).filter(|text| !text.is_empty())?;
    let place = text.parse().ok().filter(|place| *place >= 0);
    if place.is_none() {
        wrong.add(name, format!("The {name} field must be numeric"));
    }
    place
}

/// The types that are wanted, with commas or as several members of the query; none: all.
fn kinds(wrong: &mut Fields, query: &Query) -> Vec<Kind> {
    let names = query.texts("types").flat_map(|text| text.split(','));
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    let mut kinds = Vec::new();
    for name in names {
        match name.parse() {
            Ok(kind) if kinds.contains(&kind) => {}
            Ok(kind) => kinds.push(kind),
            Err(_) => wrong.add(
                "types",
                format!("The types field has an invalid event with name [{name}]"),
            ),
        }
    }
    kinds
}

fn limit(wrong: &mut Fields, text: &str) -> i64 {
    let text = text.trim();
    if text.is_empty() {
        return USUAL;
    }
    if let Ok(limit @ 1..=MOST) = text.parse() {
        return limit;
    }
    let message = format!("The limit field must be between 1 and {MOST}");
    wrong.add("limit", message);
    USUAL
}

//! The delivery log of a webhook. Ours: the reference has no such routes.

use axum::extract::State;
use gateway::delivery::{State as Stage, Wanted};
use gateway::event::Kind;
use gateway::{Fields, Gateway, Uuid};
use serde::Serialize;

use super::{ID, describe};
use crate::auth::UserCaller;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::query::Query;
use crate::routes::Routes;

const INVALID: &str = "validation errors while fetching deliveries";
const STATES: [&str; 4] = ["waiting", "retrying", "delivered", "failed"];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/v1/webhooks/{id}/deliveries",
            list,
            describe::deliveries(&STATES, &Kind::FOR_WEBHOOKS.map(Kind::as_str)),
        )
        .get(
            "/v1/webhooks/{id}/deliveries/{delivery}",
            show,
            describe::delivery(),
        )
        .post(
            "/v1/webhooks/{id}/deliveries/{delivery}/replay",
            replay,
            describe::replay_delivery(),
        )
}

/// What is answered when a delivery was made.
#[derive(Serialize)]
pub(super) struct Made {
    pub(super) delivery_id: i64,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let wanted = wanted(&query, &mut wrong);
    let Some(id) = id.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let deliveries = gateway.deliveries(&caller, id, wanted).await?;
    Ok(envelope::fetched_as(&deliveries, "delivery", "deliveries"))
}

pub(super) async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(ids): Params<(String, String)>,
) -> Answer {
    let (webhook, id) = read_ids(&ids, "validation errors while fetching delivery")?;
    let delivery = gateway.delivery(&caller, webhook, id).await?;
    Ok(envelope::ok("delivery fetched successfully", &delivery))
}

pub(super) async fn replay(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(ids): Params<(String, String)>,
) -> Answer {
    let (webhook, id) = read_ids(&ids, "validation errors while replaying delivery")?;
    let answer = |id: &i64| {
        let made = Made { delivery_id: *id };
        envelope::accepted("delivery added to queue", &made)
    };
    let operation = gateway.replay_delivery(&caller, webhook, id);
    once::answered(operation, Error::from, answer).await
}

fn read_ids((webhook, id): &(String, String), invalid: &'static str) -> Result<(Uuid, i64), Error> {
    let mut wrong = Fields::default();
    let webhook = check::uuid(&mut wrong, ID, webhook);
    let id = number(id);
    if id.is_none() {
        wrong.add("deliveryID", "The deliveryID field must be numeric");
    }
    webhook.zip(id).ok_or(Error::Invalid(invalid, wrong))
}

fn wanted(query: &Query, wrong: &mut Fields) -> Wanted {
    let state = named(query, "state", &STATES, wrong);
    let kinds = Kind::FOR_WEBHOOKS.map(Kind::as_str);
    let event_type = named(query, "event_type", &kinds, wrong);
    let before = query.text("before").trim();
    if !before.is_empty() && number(before).is_none() {
        wrong.add("before", "The before field must be numeric");
    }
    Wanted {
        state: state.and_then(|name| name.parse::<Stage>().ok()),
        event_type: event_type.and_then(Kind::for_webhook),
        since: check::time(wrong, "since", query.text("since")),
        until: check::time(wrong, "until", query.text("until")),
        before: number(before),
        limit: limit(query.text("limit").trim(), wrong),
    }
}

/// A member of the query that is one of these names, if it is there.
fn named<'a>(query: &'a Query, name: &str, names: &[&str], wrong: &mut Fields) -> Option<&'a str> {
    let text = Some(query.text(name)).filter(|text| !text.is_empty())?;
    check::one_of(wrong, name, text, names);
    Some(text)
}

fn limit(text: &str, wrong: &mut Fields) -> i64 {
    match number(text) {
        None if text.is_empty() => 20,
        Some(limit @ 1..=100) => limit,
        _ => {
            wrong.add("limit", "The limit field must be between 1 and 100");
            0
        }
    }
}

/// Digits that an id may have.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| *number >= 0)
}

//! One phone: its settings, what waits for it, how it is doing. Ours: the reference only has lists.

use axum::extract::State;
use gateway::{Fields, Gateway};

use crate::auth::UserCaller;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::{Doc, integer};
use crate::routes::Routes;
use crate::shape;

/// Days of health that can be asked for.
const DAYS: i64 = 90;

const ID: &str = "phoneID";

pub(super) fn routes(routes: Routes) -> Routes {
    let shown = Doc::user("getPhone", "Show a phone")
        .finds()
        .gives::<shape::Phone>(200, "phone fetched successfully");
    let queue = Doc::user(
        "listPhoneQueue",
        "List what waits for a phone, as it is due",
    )
    .query("skip", "Items to pass over.", integer(0, None))
    .query(
        "limit",
        "Items to show at most; otherwise 50.",
        integer(0, None),
    )
    .finds()
    .lists::<shape::QueuedMessage>(200, "fetched 1 message");
    let health = Doc::user("getPhoneHealth", "Show how a phone is doing")
        .query(
            "days",
            "So many days up to now; otherwise 7.",
            integer(1, Some(DAYS)),
        )
        .finds()
        .gives::<shape::PhoneHealth>(200, "phone health fetched successfully");
    routes
        .get("/v1/phones/{id}", show, shown)
        .get("/v1/phones/{id}/queue", list_queue, queue)
        .get("/v1/phones/{id}/health", show_health, health)
}

async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while fetching phone", ID, &id)?;
    let phone = gateway.phone(&caller, id).await?;
    Ok(envelope::ok("phone fetched successfully", &phone))
}

async fn list_queue(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 50,
        longest: 20,
    };
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let page = page::read(&query, &RULE, &mut wrong);
    let Some(id) = id.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(
            "validation errors while fetching the queue of a phone",
            wrong,
        ));
    };
    let queued = gateway.phone_queue(&caller, id, page).await?;
    Ok(envelope::fetched(&queued, "message"))
}

async fn show_health(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let days = page::days(&query, 7, DAYS, &mut wrong);
    let Some(id) = id.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(
            "validation errors while fetching the health of a phone",
            wrong,
        ));
    };
    let health = gateway.phone_health(&caller, id, days).await?;
    Ok(envelope::ok("phone health fetched successfully", &health))
}

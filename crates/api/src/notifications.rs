//! Wake-ups for phones that fetch them here instead of being told by a push service.
//! Ours: the reference has no such route.

use std::time::Duration;

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::{Fields, Uuid};

use crate::Api;
use crate::auth::PhoneOrUser;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::query::Query;
use crate::reference::{Doc, integer, text};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let doc = Doc::phone(
        "pollNotifications",
        "Fetch wake-ups instead of being pushed",
    )
    .query(
        "wait",
        "Seconds to wait for the first one.",
        integer(0, Some(60)),
    )
    .query(
        "ack",
        "Ids that the phone has taken over, with commas.",
        text(),
    )
    .lists::<shape::Notification>(200, "fetched 1 notification")
    .empties("Nobody wants anything of the phone.");
    routes
        .tag("Phones", Scope::Phones)
        .take("/v1/phones/notifications", poll, doc)
}

/// The longest wait; shorter than what proxies put up with.
const LONGEST: Duration = Duration::from_mins(1);

/// `wait` seconds for the first wake-up, 0 to 60; `ack` names those that the phone has taken over.
async fn poll(State(api): State<Api>, PhoneOrUser(caller): PhoneOrUser, query: Query) -> Answer {
    let wait = wait(query.text("wait"))?;
    let ack = query
        .text("ack")
        .split(',')
        .filter_map(|id| id.trim().parse::<Uuid>().ok());
    let poll = api.gateway.notifications(&caller, ack.collect(), wait);
    let found = tokio::select! {
        found = poll => found?,
        () = api.options.stop.cancelled(), if !wait.is_zero() => None,
    };
    match found {
        Some(notifications) => Ok(envelope::fetched(&notifications, "notification")),
        None => Ok(envelope::no_content()),
    }
}

fn wait(text: &str) -> Result<Duration, Error> {
    let seconds = match text.trim() {
        "" => Ok(0),
        digits => digits.parse().map_err(|_| {
            let wrong = Fields::one("wait", "The wait field must be numeric");
            Error::Invalid("validation errors while fetching notifications", wrong)
        }),
    };
    Ok(Duration::from_secs(seconds?).min(LONGEST))
}

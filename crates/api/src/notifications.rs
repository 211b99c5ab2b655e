//! Wake-ups for phones that fetch them here instead of being told by a push service.
//! Ours: the reference has no such route.

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use gateway::{Fields, Uuid};

use crate::Api;
use crate::auth::PhoneOrUser;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::query::Query;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.on("/v1/phones/notifications", get(poll))
}

/// The longest wait; shorter than what proxies put up with.
const LONGEST: Duration = Duration::from_mins(1);

/// `wait` seconds for the first wake-up, 0 to 60; `ack` names those that the phone has taken over.
async fn poll(
    State(Api { gateway, options }): State<Api>,
    PhoneOrUser(caller): PhoneOrUser,
    query: Query,
) -> Answer {
    let wait = wait(query.text("wait"))?;
    let ack = query
        .text("ack")
        .split(',')
        .filter_map(|id| id.trim().parse::<Uuid>().ok());
    let poll = gateway.notifications(&caller, ack.collect(), wait);
    let found = tokio::select! {
        found = poll => found?,
        () = options.stop.cancelled(), if !wait.is_zero() => None,
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

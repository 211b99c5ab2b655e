//! What a phone reports about a message: sent, delivered, failed.

use std::time::Duration;

use axum::extract::State;
use gateway::message::{Message, Report, Reported};
use gateway::{Fields, Gateway, Time};

use super::shown::shown;
use super::{ID, WRONG_ID, unescaped};
use crate::auth::PhoneOrUser;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;

/// How far off a phone's clock may be to count.
const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);

/// A report as it is written, its event not yet known to be one.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) event_name: String,
    pub(super) timestamp: Option<Time>,
    pub(super) reason: Option<String>,
}

pub(super) async fn report(
    State(gateway): State<Gateway>,
    PhoneOrUser(caller): PhoneOrUser,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    let said = read(&body)?;
    // The name of a part of a longer SMS; only the whole is reported on.
    if id.contains('.') {
        return Ok(envelope::no_content());
    }
    let mut wrong = Fields::default();
    check::required(&mut wrong, "event_name", said.event_name.is_empty());
    check::one_of(
        &mut wrong,
        "event_name",
        &said.event_name,
        &["SENT", "FAILED", "DELIVERED"],
    );
    let id = check::uuid(&mut wrong, ID, &id);
    let (Some(id), Ok(event)) = (id, said.event_name.parse::<Reported>()) else {
        return Err(Error::Invalid(WRONG_ID, wrong));
    };
    let report = Report {
        event,
        timestamp: plausible(said.timestamp, gateway.now()),
        reason: said.reason,
    };
    let words = "message event stored successfully";
    let answer = |message: &Message| envelope::ok(words, &shown(message));
    once::answered(gateway.report(&caller, id, report), Error::from, answer).await
}

/// The Android app does not escape what it puts into a report, and repeats for ever what is refused.
fn read(body: &JsonBody) -> Result<Said, Error> {
    let members = match body.members() {
        Ok(members) => members,
        Err(error) => {
            let said = unescaped::read(&body.text()).ok_or(error)?;
            tracing::info!(event = %said.event_name, "a report is not JSON, but can be read");
            return Ok(said);
        }
    };
    strict(&members)
}

fn strict(members: &Members<'_>) -> Result<Said, Error> {
    Ok(Said {
        event_name: members.text_or_empty("event_name")?.into_owned(),
        timestamp: members.time("timestamp")?,
        reason: members
            .foreign_text("reason")?
            .map(std::borrow::Cow::into_owned),
    })
}

/// The phone's time, or ours if it says none or one that no clock shows.
fn plausible(said: Option<Time>, now: Time) -> Time {
    said.filter(|said| said.since(now).max(now.since(*said)) < CENTURY)
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_of_this_world_is_replaced_by_ours() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let now = at("2026-03-04T09:15:20Z");
        for kept in [
            "2026-03-04T09:15:21Z",
            "1970-01-01T00:00:00Z",
            "2099-01-01T00:00:00Z",
        ] {
            assert_eq!(plausible(Some(at(kept)), now), at(kept));
        }
        for odd in ["0001-01-01T00:00:00Z", "9990-12-31T23:59:59Z"] {
            assert_eq!(plausible(Some(at(odd)), now), now);
        }
        assert_eq!(plausible(None, now), now);
    }
}

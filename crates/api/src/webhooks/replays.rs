//! Replays of many events to a webhook. Ours: the reference has no such routes.

use axum::extract::State;
use gateway::replay::{Replay, Selection};
use gateway::{Fields, Gateway, Uuid};

use super::{ID, describe, draft};
use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::routes::Routes;

const INVALID: &str = "validation errors while starting replay";
const WRONG_ID: &str = "validation errors while fetching replay";

pub(super) fn routes(routes: Routes) -> Routes {
    const ONE: &str = "/v1/webhooks/{id}/replays/{replay}";
    routes
        .post("/v1/webhooks/{id}/replays", start, describe::replay())
        .get(ONE, show, describe::progress())
        .delete(ONE, cancel, describe::cancel())
}

pub(super) async fn start(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let selection = read(&gateway, &body.members()?, &mut wrong);
    let (Some(id), Some(selection)) = (id, selection) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let answer = |replay: &Replay| envelope::accepted("replay started successfully", replay);
    let operation = gateway.start_replay(&caller, id, selection);
    once::answered(operation, Error::of(INVALID), answer).await
}

pub(super) async fn show(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(ids): Params<(String, String)>,
) -> Answer {
    let (webhook, id) = read_ids(&ids)?;
    let replay = gateway.replay(&caller, webhook, id).await?;
    Ok(envelope::ok("replay fetched successfully", &replay))
}

pub(super) async fn cancel(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(ids): Params<(String, String)>,
) -> Answer {
    let (webhook, id) = read_ids(&ids)?;
    let replay = gateway.cancel_replay(&caller, webhook, id).await?;
    Ok(envelope::ok("replay cancelled successfully", &replay))
}

fn read_ids((webhook, replay): &(String, String)) -> Result<(Uuid, Uuid), Error> {
    let mut wrong = Fields::default();
    let webhook = check::uuid(&mut wrong, ID, webhook);
    let replay = check::uuid(&mut wrong, "replayID", replay);
    webhook.zip(replay).ok_or(Error::Invalid(WRONG_ID, wrong))
}

/// What is to be replayed; `None` if something is wrong.
fn read(gateway: &Gateway, body: &Members<'_>, wrong: &mut Fields) -> Option<Selection> {
    let failed_only = body.read("failed_only", || {
        wrong.add("failed_only", "The failed_only field must be true or false");
    });
    let types = body.read("event_types", || {
        wrong.add(
            "event_types",
            "The event_types field must be a list of strings",
        );
    });
    let event_types = draft::kinds("event_types", types.unwrap_or_default(), wrong);
    check::required(wrong, "since", !body.has("since"));
    let since = check::time_of(wrong, "since", body);
    let until = check::time_of(wrong, "until", body).unwrap_or_else(|| gateway.now());
    if since.is_some_and(|since| since >= until) {
        wrong.add(
            "until",
            "The until field must be later than the since field",
        );
    }
    let since = since.filter(|_| wrong.is_empty())?;
    Some(Selection {
        failed_only: failed_only.unwrap_or_default(),
        event_types,
        since: since.micros(),
        until: until.micros(),
    })
}

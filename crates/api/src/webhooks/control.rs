//! What a webhook's owner can do to it: try it, stop it, give it a new key, see how it is doing.
//! Ours: the reference has no such routes.

use std::time::Duration;

use axum::extract::State;
use gateway::event::Kind;
use gateway::webhook::{Rotation, Webhook};
use gateway::{Fields, Gateway};

use super::deliveries::Made;
use super::{ID, describe, draft};
use crate::auth::UserCaller;
use crate::body::{JsonBody, OptionalJsonBody};
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::routes::Routes;

/// The longest waits before a new key signs, and until the old ones no longer do.
const WEEK: u64 = 604_800;
const MONTH: u64 = 2_592_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/v1/webhooks/{id}/test", test, describe::test())
        .post("/v1/webhooks/{id}/pause", pause, describe::pause())
        .post("/v1/webhooks/{id}/resume", resume, describe::resume())
        .post(
            "/v1/webhooks/{id}/rotate-key",
            rotate_key,
            describe::rotate_key(),
        )
        .get("/v1/webhooks/{id}/health", health, describe::health())
}

pub(super) async fn test(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let kind = kind(&body.members()?, &mut wrong);
    let (Some(id), Some(kind)) = (id, kind) else {
        return Err(Error::Invalid(
            "validation errors while testing webhook",
            wrong,
        ));
    };
    let answer = |id: &i64| {
        let made = Made { delivery_id: *id };
        envelope::accepted("test event added to queue", &made)
    };
    once::answered(gateway.send_test(&caller, id, kind), Error::from, answer).await
}

pub(super) async fn pause(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while pausing webhook", ID, &id)?;
    let answer = |webhook: &Webhook| envelope::ok("webhook paused successfully", webhook);
    once::answered(gateway.pause_webhook(&caller, id), Error::from, answer).await
}

pub(super) async fn resume(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while resuming webhook", ID, &id)?;
    let answer = |webhook: &Webhook| envelope::ok("webhook resumed successfully", webhook);
    once::answered(gateway.resume_webhook(&caller, id), Error::from, answer).await
}

pub(super) async fn rotate_key(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, ID, &id);
    let rotation = rotation(&body.members()?, &mut wrong)?;
    let Some(id) = id.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(
            "validation errors while rotating signing key",
            wrong,
        ));
    };
    let answer = |webhook: &Webhook| envelope::ok("signing key rotated successfully", webhook);
    let operation = gateway.rotate_signing_key(&caller, id, rotation);
    once::answered(operation, Error::from, answer).await
}

pub(super) async fn health(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while fetching webhook health", ID, &id)?;
    let health = gateway.webhook_health(&caller, id).await?;
    Ok(envelope::ok("webhook health fetched successfully", &health))
}

/// The type of the event to make up.
fn kind(body: &Members<'_>, wrong: &mut Fields) -> Option<Kind> {
    const NAME: &str = "event_type";
    let name: String = body.read(NAME, || {}).unwrap_or_default();
    check::required(wrong, NAME, !body.has(NAME));
    check::one_of(wrong, NAME, &name, &Kind::FOR_WEBHOOKS.map(Kind::as_str));
    Kind::for_webhook(&name)
}

/// How the new key takes over. A blank one says nothing: a key is made.
fn rotation(body: &Members<'_>, wrong: &mut Fields) -> Result<Rotation, Error> {
    let default = Rotation::default();
    let key = draft::signing_key(body, wrong)?;
    Ok(Rotation {
        signing_key: key.filter(|key| !key.is_empty()),
        activate_in: seconds(body, "activate_in_seconds", WEEK, wrong)
            .unwrap_or(default.activate_in),
        overlap: seconds(body, "overlap_seconds", MONTH, wrong).unwrap_or(default.overlap),
    })
}

fn seconds(body: &Members<'_>, name: &str, most: u64, wrong: &mut Fields) -> Option<Duration> {
    let mut fits = true;
    let seconds: Option<u64> = body.read(name, || fits = false);
    if !fits || seconds.is_some_and(|seconds| seconds > most) {
        wrong.add(
            name,
            format!("The {name} field must be a whole number between 0 and {most}"),
        );
    }
    seconds.map(Duration::from_secs)
}

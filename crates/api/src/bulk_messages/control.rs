//! What can be done to a bulk send on its way. Ours: the reference has no such routes.

use axum::extract::State;
use gateway::Gateway;
use gateway::bulk::Accepted;

use super::{added, describe, id, words};
use crate::auth::UserCaller;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(
            "/v1/bulk-messages/{request_id}/pause",
            pause,
            describe::pause(),
        )
        .post(
            "/v1/bulk-messages/{request_id}/resume",
            resume,
            describe::resume(),
        )
        .post(
            "/v1/bulk-messages/{request_id}/cancel",
            cancel,
            describe::cancel(),
        )
        .post(
            "/v1/bulk-messages/{request_id}/retry-failed",
            retry,
            describe::retry(),
        )
}

async fn pause(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(request_id): Params<String>,
) -> Answer {
    let bulk = gateway.pause_bulk(&caller, id(request_id)?).await?;
    Ok(envelope::ok("bulk message paused successfully", &bulk))
}

async fn resume(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(request_id): Params<String>,
) -> Answer {
    let bulk = gateway.resume_bulk(&caller, id(request_id)?).await?;
    Ok(envelope::ok("bulk message resumed successfully", &bulk))
}

async fn cancel(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(request_id): Params<String>,
) -> Answer {
    let bulk = gateway.cancel_bulk(&caller, id(request_id)?).await?;
    Ok(envelope::ok("bulk message cancelled successfully", &bulk))
}

async fn retry(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(request_id): Params<String>,
) -> Answer {
    let answer =
        |accepted: &Accepted| added(accepted, envelope::accepted(&words(accepted), accepted));
    let operation = gateway.retry_bulk(&caller, id(request_id)?);
    once::answered(operation, Error::from, answer).await
}

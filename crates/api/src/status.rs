//! Status: whether there is something for an account's owner to look at. Ours.

use axum::extract::State;
use gateway::Gateway;
use gateway::api_key::Scope;

use crate::auth::UserCaller;
use crate::envelope::{self, Answer};
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let shown = Doc::user("getStatus", "Say whether all is well, or what to look at")
        .note("Phones that are offline, messages that wait for the hours of a send schedule, webhooks that fail or are paused.")
        .gives::<shape::Status>(200, "status fetched successfully");
    routes
        .tag("Server", Scope::Read)
        .get("/v1/status", show, shown)
}

async fn show(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let status = gateway.status(&caller).await?;
    Ok(envelope::ok("status fetched successfully", &status))
}

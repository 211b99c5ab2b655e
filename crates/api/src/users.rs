//! The caller's own account.

use axum::extract::State;
use axum::routing::{delete, get};
use gateway::Gateway;

use crate::auth::UserCaller;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .on("/v1/users/me", get(me))
        .on("/v1/users/{id}/api-keys", delete(rotate_key))
}

async fn me(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let user = gateway.me(&caller).await?;
    Ok(envelope::ok("user fetched successfully", &user))
}

async fn rotate_key(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    if id != caller.user_id {
        return Err(Error::NotYourself);
    }
    let user = gateway.rotate_key(&caller.user_id).await?;
    Ok(envelope::ok("API Key rotated successfully", &user))
}

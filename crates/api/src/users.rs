//! The caller's own account.

use axum::extract::State;
use gateway::Gateway;

use crate::auth::UserCaller;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let shown = Doc::user("getUser", "Show the account")
        .gives::<shape::User>(200, "user fetched successfully");
    let rotated = Doc::user(
        "rotateApiKey",
        "Give the account a new key; the old one ends at once",
    )
    .path("id", "The caller's own account.", text())
    .gives::<shape::User>(200, "API Key rotated successfully");
    routes.tag("Account").get("/v1/users/me", me, shown).delete(
        "/v1/users/{id}/api-keys",
        rotate_key,
        rotated,
    )
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

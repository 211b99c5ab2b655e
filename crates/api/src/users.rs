//! The caller's own account.

use axum::extract::State;
use gateway::account::{Notifications, User};
use gateway::api_key::Scope;
use gateway::{Caller, Fields, Gateway};
use serde_json::json;

use crate::Api;
use crate::auth::{Knock, UserCaller};
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::cookie;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    const ME: &str = "/v1/users/me";
    let shown = Doc::user("getUser", "Show the account")
        .note("Its key is shown to itself, to sessions and to named keys with the scope `admin`; to others it is empty.")
        .gives::<shape::User>(200, "user fetched successfully");
    let updated = Doc::user("updateUser", "Set time zone and shown phone")
        .note("A time zone that nobody knows is `UTC`. Both are always set.")
        .takes::<shape::PutUser>(json!({"timezone": "Europe/Tallinn", "active_phone_id": null}))
        .gives::<shape::User>(200, "user updated successfully");
    let deleted = Doc::user("deleteUser", "Delete the account with everything of it")
        .empties("It is deleted, and everything of it.");
    let rotated = Doc::user(
        "rotateApiKey",
        "Give the account a new key; the old one ends at once",
    )
    .path("id", "The caller's own account.", text())
    .gives::<shape::User>(200, "API Key rotated successfully");
    let notified = Doc::user("updateNotifications", "Say which mails are wanted")
        .path(
            "id",
            "Anything: it is always the caller's own account.",
            text(),
        )
        .takes::<shape::PutNotifications>(json!({
            "message_status_enabled": true, "webhook_enabled": true,
            "heartbeat_enabled": true, "newsletter_enabled": false,
        }))
        .gives::<shape::User>(200, "user notification settings updated successfully");
    let password = Doc::user("changePassword", "Change the password")
        .note("Ends all other sessions. An account without a password needs no old one.")
        .takes::<shape::PutPassword>(json!({
            "old_password": "correct horse", "new_password": "battery staple",
        }))
        .slows()
        .does("password changed successfully");
    routes
        .tag("Account", Scope::Admin)
        .get(ME, me, shown)
        .put(ME, update, updated)
        .delete(ME, delete, deleted)
        .put("/v1/users/me/password", change_password, password)
        .delete("/v1/users/{id}/api-keys", rotate_key, rotated)
        .put("/v1/users/{id}/notifications", notify, notified)
}

async fn me(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let user = gateway.me(&caller).await?;
    Ok(shown("user fetched successfully", user, &caller))
}

/// The account without its key, if the caller's own is good for less.
fn shown(message: &str, mut user: User, caller: &Caller) -> axum::response::Response {
    if caller.may(Scope::Admin).is_err() {
        user.api_key.clear();
    }
    envelope::ok(message, &user)
}

async fn update(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let body = body.members()?;
    let timezone = body.text_or_empty("timezone")?;
    let phone = check::unless_blank(body.text("active_phone_id")?);
    let mut wrong = Fields::default();
    let phone = phone.and_then(|id| check::uuid(&mut wrong, "active_phone_id", &id));
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while updating user", wrong))?;
    let user = gateway.update_me(&caller, &timezone, phone).await?;
    Ok(envelope::ok("user updated successfully", &user))
}

async fn delete(State(api): State<Api>, UserCaller(caller): UserCaller) -> Answer {
    let gateway = api.gateway.clone();
    to_the_end(async move { gateway.delete_user(&caller.user_id).await }).await?;
    let answer = envelope::no_content();
    Ok(cookie::clear(answer, &api.options.public_url))
}

/// A deletion goes on even if the client does not wait for it.
pub(crate) async fn to_the_end(
    deletion: impl Future<Output = gateway::Result<()>> + Send + 'static,
) -> Result<(), Error> {
    let deleted = tokio::spawn(deletion).await.map_err(|error| {
        tracing::error!(%error, "an account could not be deleted");
        Error::Internal
    })?;
    Ok(deleted?)
}

async fn change_password(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Knock(visitor): Knock,
    body: JsonBody,
) -> Answer {
    let body = body.members()?;
    let text = |name| body.text_or_empty(name).map(std::borrow::Cow::into_owned);
    let (old, new) = (text("old_password")?, text("new_password")?);
    gateway
        .change_password(&caller, old, new, &visitor)
        .await
        .map_err(Error::of("validation errors while changing password"))?;
    Ok(envelope::ok("password changed successfully", &()))
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

async fn notify(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let wanted = wanted(&body.members()?)?;
    let user = gateway.set_notifications(&caller, wanted).await?;
    Ok(envelope::ok(
        "user notification settings updated successfully",
        &user,
    ))
}

/// What is absent is not wanted.
fn wanted(body: &Members<'_>) -> Result<Notifications, Error> {
    let is = |name| body.flag(name).map(Option::unwrap_or_default);
    Ok(Notifications {
        message_status: is("message_status_enabled")?,
        webhook: is("webhook_enabled")?,
        heartbeat: is("heartbeat_enabled")?,
        newsletter: is("newsletter_enabled")?,
    })
}

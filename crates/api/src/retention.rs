//! How long the account keeps what it has. Ours: the reference keeps everything.

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::retention::{MOST_DAYS, PutRetention};
use gateway::{Fields, Gateway};
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/v1/users/me/retention";
    let shown = Doc::user("getRetention", "Show how long things are kept")
        .gives::<shape::Retention>(200, "retention fetched successfully");
    let updated = Doc::user("updateRetention", "Say how long things are kept")
        .note("Absent members stay as they are. What is older is purged within the hour, little by little.")
        .takes::<shape::PutRetention>(json!({"messages_days": 365, "heartbeats_days": 30}))
        .gives::<shape::Retention>(200, "retention updated successfully");
    routes
        .tag("Account", Scope::Admin)
        .get(PATH, show, shown)
        .put(PATH, update, updated)
}

async fn show(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let retention = gateway.retention(&caller).await?;
    Ok(envelope::ok("retention fetched successfully", &retention))
}

async fn update(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let wanted = read(&body.members()?)?;
    let retention = gateway.set_retention(&caller, wanted).await?;
    Ok(envelope::ok("retention updated successfully", &retention))
}

fn read(body: &Members<'_>) -> Result<PutRetention, Error> {
    let mut wrong = Fields::default();
    let mut days = |name| -> Result<Option<i64>, Error> {
        let days = body.integer(name)?;
        if days.is_some_and(|days| days > MOST_DAYS) {
            wrong.add(
                name,
                format!("The {name} field value can not be greater than {MOST_DAYS}"),
            );
        }
        Ok(days)
    };
    let wanted = PutRetention {
        messages_days: days("messages_days")?,
        events_days: days("events_days")?,
        deliveries_days: days("deliveries_days")?,
        heartbeats_days: days("heartbeats_days")?,
    };
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while updating retention", wrong))?;
    Ok(wanted)
}

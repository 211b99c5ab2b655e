//! Send schedules: the hours in which phones may send.

use axum::extract::State;
use axum::response::Response;
use gateway::api_key::Scope;
use gateway::schedule::{Draft, Schedule, Window};
use gateway::{Gateway, Uuid};
use serde_json::json;
use serde_json::value::RawValue;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::Params;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::reference::{Doc, uuid};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let listed = Doc::user("listSchedules", "List send schedules, newest first")
        .lists::<shape::Schedule>(200, "send schedules fetched successfully");
    let made = Doc::user("createSchedule", "Make a send schedule")
        .takes::<shape::PutSchedule>(example())
        .gives::<shape::Schedule>(201, "send schedule created successfully");
    let replaced = with_id(Doc::user("putSchedule", "Replace a send schedule"))
        .note("Slots that messages have already stay as they are.")
        .takes::<shape::PutSchedule>(example())
        .gives::<shape::Schedule>(200, "send schedule updated successfully");
    let removed = with_id(Doc::user("deleteSchedule", "Delete a send schedule"))
        .note("Phones that used it may send at any time.")
        .empties("It is deleted.");
    routes
        .tag("Send schedules", Scope::Phones)
        .get("/v1/send-schedules", list, listed)
        .post("/v1/send-schedules", create, made)
        .put("/v1/send-schedules/{id}", replace, replaced)
        .delete("/v1/send-schedules/{id}", remove, removed)
}

fn with_id(doc: Doc) -> Doc {
    doc.path("id", "A UUID in any form.", uuid()).finds()
}

fn example() -> serde_json::Value {
    json!({
        "name": "Office hours", "timezone": "Europe/Lisbon",
        "windows": [{"day_of_week": 1, "start_minute": 540, "end_minute": 1080}],
    })
}

async fn list(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let schedules = gateway.schedules(&caller).await?;
    let message = "send schedules fetched successfully";
    Ok(envelope::ok(message, &schedules))
}

async fn create(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while saving send schedule";
    let draft = read(&body.members()?, INVALID)?;
    let message = "send schedule created successfully";
    let answer = |schedule: &Schedule| envelope::created(message, schedule);
    once::answered(gateway.add_schedule(&caller, draft), Error::from, answer).await
}

async fn replace(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while updating send schedule";
    let id = read_id(&id)?;
    let draft = read(&body.members()?, INVALID)?;
    let schedule = gateway.put_schedule(&caller, id, draft).await?;
    let message = "send schedule updated successfully";
    Ok(envelope::ok(message, &schedule))
}

async fn remove(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Result<Response, Error> {
    gateway.delete_schedule(&caller, read_id(&id)?).await?;
    Ok(envelope::no_content())
}

/// Of any version and in any form, unlike other ids.
fn read_id(text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::malformed("scheduleID: not a UUID"))
}

fn read(body: &Members<'_>, invalid: &'static str) -> Result<Draft, Error> {
    const WINDOWS: &str = "windows";
    let windows = body.list(WINDOWS)?.into_iter().map(window);
    let windows = windows.collect::<Result<Vec<_>, _>>()?;
    let (name, timezone) = (body.text_or_empty("name")?, body.text_or_empty("timezone")?);
    Draft::parse(&name, &timezone, windows).map_err(|wrong| Error::Invalid(invalid, wrong))
}

fn window(item: &RawValue) -> Result<Window, Error> {
    let item = Members::item("windows", item)?;
    Ok(Window {
        day_of_week: whole(&item, "day_of_week")?,
        start_minute: whole(&item, "start_minute")?,
        end_minute: whole(&item, "end_minute")?,
    })
}

/// A whole number, negative ones included: what is wrong with those the schedule says.
fn whole(item: &Members<'_>, name: &str) -> Result<i64, Error> {
    let mut wrong = false;
    let number = item.read(name, || wrong = true).unwrap_or_default();
    if wrong {
        return Err(Error::malformed(format!("{name}: expected a whole number")));
    }
    Ok(number)
}

//! Phones: their settings, and how a phone signs in.

mod details;

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::phone::{Changes, Sim};
use gateway::{Fields, Gateway, PhoneNumber, Uuid};
use serde_json::json;

use crate::auth::{PhoneOrUser, UserCaller};
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let listed = Doc::user("listPhones", "List phones, newest first")
        .window(10)
        .lists::<shape::Phone>(200, "fetched 1 phone");
    let updated = Doc::user("putPhone", "Change a phone's settings, or add it")
        .takes::<shape::PutPhone>(
            json!({"phone_number": "+18005550199", "messages_per_minute": 10}),
        )
        .gives::<shape::Phone>(200, "phone updated successfully");
    let signed_in = Doc::phone("signInPhone", "Sign a phone in, which binds it to its key")
        .takes::<shape::SignIn>(
            json!({"phone_number": "+18005550199", "fcm_token": "token", "sim": "SIM1"}),
        )
        .gives::<shape::Phone>(200, "FCM token updated successfully");
    let removed = Doc::user("deletePhone", "Delete a phone")
        .finds()
        .does("phone deleted successfully");
    let routes = routes
        .tag("Phones", Scope::Phones)
        .get("/v1/phones", list, listed)
        .put("/v1/phones", update, updated)
        .put("/v1/phones/fcm-token", sign_in, signed_in)
        .delete("/v1/phones/{id}", remove, removed);
    details::routes(routes)
}

const INVALID: &str = "validation errors while updating phones";
const SCHEDULE: &str = "message_send_schedule_id";
const EXPIRATION: &str = "message_expiration_seconds";

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const RULE: Rule = Rule {
        default: 10,
        longest: 20,
    };
    let page = page::of(&query, &RULE, "validation errors while fetching phones")?;
    let phones = gateway.phones(&caller, page).await?;
    Ok(envelope::fetched(&phones, "phone"))
}

async fn update(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let (number, changes) = read(&body.members()?)?;
    let phone = gateway
        .put_phone(&caller, number, changes)
        .await
        .map_err(Error::of(INVALID))?;
    Ok(envelope::ok("phone updated successfully", &phone))
}

async fn sign_in(
    State(gateway): State<Gateway>,
    PhoneOrUser(caller): PhoneOrUser,
    body: JsonBody,
) -> Answer {
    let body = body.members()?;
    let mut wrong = Fields::default();
    let number = check::phone_number(
        &mut wrong,
        "phone_number",
        &body.text_or_empty("phone_number")?,
    );
    let token = body.text_or_empty("fcm_token")?.trim().to_owned();
    check::at_most(&mut wrong, "fcm_token", &token, 1000);
    let sim = Sim::or_first(&body.text_or_empty("sim")?);
    let Some(number) = number.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let phone = gateway.sign_in_phone(&caller, number, token, sim).await?;
    Ok(envelope::ok("FCM token updated successfully", &phone))
}

async fn remove(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id("validation errors while deleting phone", "phoneID", &id)?;
    gateway.delete_phone(&caller, id).await?;
    Ok(envelope::ok("phone deleted successfully", &()))
}

/// Reads the number, and as changes the fields that are there.
fn read(body: &Members<'_>) -> Result<(PhoneNumber, Changes), Error> {
    let mut wrong = Fields::default();
    let number = check::phone_number(
        &mut wrong,
        "phone_number",
        &body.text_or_empty("phone_number")?,
    );
    let changes = Changes {
        fcm_token: unless_absent(body, "fcm_token")?,
        messages_per_minute: at_least_one(body, "messages_per_minute", 60, &mut wrong)?,
        sim: body.text("sim")?.map(|sim| Sim::or_first(&sim)),
        message_send_schedule_id: schedule(body, &mut wrong)?,
        max_send_attempts: at_least_one(body, "max_send_attempts", 5, &mut wrong)?,
        message_expiration_seconds: expiration(body, &mut wrong)?,
        missed_call_auto_reply: unless_absent(body, "missed_call_auto_reply")?,
        unarchive_thread: body.flag("unarchive_thread")?,
        name: unless_absent(body, "name")?,
        limit_per_minute: limit(body, "limit_per_minute", &mut wrong)?,
        limit_per_hour: limit(body, "limit_per_hour", &mut wrong)?,
        limit_per_day: limit(body, "limit_per_day", &mut wrong)?,
    };
    if let Some(Some(name)) = &changes.name {
        check::at_most(&mut wrong, "name", name, 60);
    }
    if let Some(Some(token)) = &changes.fcm_token {
        check::at_most(&mut wrong, "fcm_token", token, 1000);
    }
    let expires = changes.message_expiration_seconds.unwrap_or_default() > 0;
    if changes.max_send_attempts.is_some() && !expires && wrong.is_empty() {
        wrong.add(
            EXPIRATION,
            "message_expiration_seconds cannot be 0 when max_send_attempts is greater than 0",
        );
    }
    match number {
        Some(number) if wrong.is_empty() => Ok((number, changes)),
        _ => Err(Error::Invalid(INVALID, wrong)),
    }
}

/// A text that is taken away by `null` and by nothing but blanks.
#[expect(
    clippy::option_option,
    reason = "absent, taken away, and a value differ"
)]
fn unless_absent(body: &Members<'_>, name: &str) -> Result<Option<Option<String>>, Error> {
    let text = body.text(name)?;
    Ok(body.has(name).then(|| check::unless_blank(text)))
}

/// A number of which 0 says nothing.
fn at_least_one(
    body: &Members<'_>,
    name: &str,
    most: i64,
    wrong: &mut Fields,
) -> Result<Option<i64>, Error> {
    let number = body.integer(name)?.filter(|number| *number > 0);
    check::within(wrong, name, number.unwrap_or_default(), 1, most);
    Ok(number)
}

/// Segments; 0 and `null` take the limit away.
#[expect(
    clippy::option_option,
    reason = "absent, taken away, and a value differ"
)]
fn limit(body: &Members<'_>, name: &str, wrong: &mut Fields) -> Result<Option<Option<i64>>, Error> {
    let number = body.integer(name)?.filter(|number| *number > 0);
    check::within(wrong, name, number.unwrap_or_default(), 1, 1_000_000);
    Ok(body.has(name).then_some(number))
}

/// Seconds, or 0 for the default, which is also what `null` says.
fn expiration(body: &Members<'_>, wrong: &mut Fields) -> Result<Option<i64>, Error> {
    let seconds = body.integer(EXPIRATION)?.unwrap_or_default();
    check::within(wrong, EXPIRATION, seconds, 60, 3600);
    Ok(body.has(EXPIRATION).then_some(seconds))
}

#[expect(
    clippy::option_option,
    reason = "absent, taken away, and a value differ"
)]
fn schedule(body: &Members<'_>, wrong: &mut Fields) -> Result<Option<Option<Uuid>>, Error> {
    let Some(Some(text)) = unless_absent(body, SCHEDULE)? else {
        return Ok(body.has(SCHEDULE).then_some(None));
    };
    let id = gateway::id::parse(&text);
    if id.is_none() {
        // The product says the same of an id that it does not know.
        wrong.add(
            SCHEDULE,
            "The message_send_schedule_id does not belong to the authenticated user or does not exist",
        );
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(body: &str) -> Changes {
        let body = format!("{{\"phone_number\":\"+18005550199\",{body}}}");
        let members = Members::parse(body.as_bytes()).unwrap();
        read(&members).unwrap().1
    }

    #[test]
    fn only_what_is_there_is_a_change() {
        let none = changes(r#""unknown":1"#);
        assert!(none.fcm_token.is_none() && none.sim.is_none());
        assert!(none.missed_call_auto_reply.is_none());
        assert!(none.message_send_schedule_id.is_none());
        assert!(none.message_expiration_seconds.is_none() && none.unarchive_thread.is_none());
    }

    #[test]
    fn null_and_blanks_take_away() {
        for nothing in ["null", "\"\"", "\" \""] {
            let taken = changes(&format!(
                r#""fcm_token":{nothing},"missed_call_auto_reply":{nothing},"message_send_schedule_id":{nothing}"#
            ));
            assert_eq!(taken.fcm_token, Some(None));
            assert_eq!(taken.missed_call_auto_reply, Some(None));
            assert_eq!(taken.message_send_schedule_id, Some(None));
        }
        assert_eq!(
            changes(r#""fcm_token":" t ""#).fcm_token,
            Some(Some("t".to_owned()))
        );
    }

    #[test]
    fn zero_says_nothing_but_of_the_expiration() {
        let zero = changes(
            r#""messages_per_minute":0,"max_send_attempts":0,"message_expiration_seconds":0"#,
        );
        assert_eq!(zero.messages_per_minute, None);
        assert_eq!(zero.max_send_attempts, None);
        assert_eq!(zero.message_expiration_seconds, Some(0));
        let null = changes(r#""message_expiration_seconds":null,"sim":null"#);
        assert_eq!(null.message_expiration_seconds, Some(0));
        assert_eq!(null.sim, None);
    }
}

//! Heartbeats of phones.

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::heartbeat::{Beat, Heartbeat};
use gateway::{Fields, Gateway, PhoneNumber};
use http::HeaderMap;
use serde_json::json;

use crate::auth::{PhoneOrUser, UserCaller};
use crate::body::JsonBody;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::{Doc, phone_number};
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let seen = Doc::user("listHeartbeats", "List heartbeats of a phone, newest first")
        .needs("owner", "The phone's number, in E.164.", phone_number())
        .window(1)
        .lists::<shape::Heartbeat>(200, "fetched 1 heartbeat");
    let beat = Doc::phone("storeHeartbeat", "Store a heartbeat")
        .takes::<shape::StoreHeartbeat>(
            json!({"phone_numbers": ["+18005550199"], "charging": true}),
        )
        .lists::<shape::Heartbeat>(201, "[1] heartbeats received successfully");
    routes
        .tag("Phones", Scope::Phones)
        .get("/v1/heartbeats", list, seen)
        .post("/v1/heartbeats", store, beat)
}

const INVALID: &str = "validation errors while storing heartbeat";
const NUMBERS: &str = "phone_numbers";

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const INVALID: &str = "validation errors while fetching heartbeats";
    const RULE: Rule = Rule {
        default: 1,
        longest: 20,
    };
    let mut wrong = Fields::default();
    let owner = check::phone_number(&mut wrong, "owner", query.text("owner"));
    let page = page::read(&query, &RULE, &mut wrong);
    let Some(owner) = owner.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let heartbeats = gateway.heartbeats(&caller, owner, page).await?;
    Ok(envelope::fetched(&heartbeats, "heartbeat"))
}

async fn store(
    State(gateway): State<Gateway>,
    PhoneOrUser(caller): PhoneOrUser,
    headers: HeaderMap,
    body: JsonBody,
) -> Answer {
    let body = body.members()?;
    let beat = Beat {
        numbers: numbers(&body)?,
        charging: body.flag("charging")?.unwrap_or_default(),
        version: version(&headers),
    };
    let answer = |heartbeats: &Vec<Heartbeat>| {
        let message = format!("[{}] heartbeats received successfully", heartbeats.len());
        envelope::created(&message, heartbeats)
    };
    once::answered(gateway.beat(&caller, beat), Error::from, answer).await
}

/// One or two numbers; older apps send a single one as `owner`.
fn numbers(body: &Members<'_>) -> Result<Vec<PhoneNumber>, Error> {
    let mut wrong = Fields::default();
    let mut typed = body.texts(NUMBERS)?;
    if typed.is_empty() {
        typed.push(body.text_or_empty("owner")?.into_owned());
    }
    if typed.len() > 2 {
        wrong.add(NUMBERS, "The phone_numbers field must be maximum 2 in size");
        return Err(Error::Invalid(INVALID, wrong));
    }
    let numbers: Vec<PhoneNumber> = typed
        .iter()
        .enumerate()
        .filter_map(|(index, text)| check::phone_number_at(&mut wrong, NUMBERS, index, text))
        .collect();
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    Ok(numbers)
}

/// What the app calls itself, at most as long as anything sensible.
fn version(headers: &HeaderMap) -> String {
    let Some(value) = headers.get("x-client-version") else {
        return String::new();
    };
    String::from_utf8_lossy(value.as_bytes())
        .chars()
        .take(255)
        .collect()
}

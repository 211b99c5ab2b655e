//! Keys that phones show instead of the account's own.

use axum::extract::State;
use gateway::api_key::Scope;
use gateway::phone_key::PhoneKey;
use gateway::{Fields, Gateway, number};
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::once;
use crate::page::{self, Rule};
use crate::query::Query;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let listed = Doc::user("listPhoneApiKeys", "List keys of phones, newest first")
        .window(1)
        .scope(Scope::Phones)
        .lists::<shape::PhoneKey>(200, "fetched 1 phone API key");
    let created = Doc::user("createPhoneApiKey", "Make a key for phones")
        .takes::<shape::NewPhoneKey>(json!({"name": "desk"}))
        .gives::<shape::PhoneKey>(200, "phone API key created successfully");
    let revoked = Doc::user("deletePhoneApiKey", "Delete a key of phones")
        .finds()
        .empties("It is deleted.");
    let detached = Doc::user("detachPhone", "Take a phone from a key")
        .finds()
        .empties("It is taken away.");
    routes
        .tag("Phone API keys", Scope::Phones)
        .get("/v1/phone-api-keys", list, listed)
        .post("/v1/phone-api-keys", create, created)
        .delete("/v1/phone-api-keys/{id}", revoke, revoked)
        .delete("/v1/phone-api-keys/{id}/phones/{phone}", detach, detached)
}

/// The reference's words, whatever the route does.
const WRONG_ID: &str = "validation errors while storing event";

async fn list(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    query: Query,
) -> Answer {
    const INVALID: &str = "validation errors while fetching phone API keys";
    const RULE: Rule = Rule {
        default: 1,
        longest: 100,
    };
    let page = page::of(&query, &RULE, INVALID)?;
    let keys = gateway.phone_keys(&caller, page).await?;
    Ok(envelope::fetched(&keys, "phone API key"))
}

async fn create(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    // As in the reference, a name that looks like a number is written like one.
    let name = number::address(&body.members()?.text_or_empty("name")?);
    let mut wrong = Fields::default();
    check::filled(&mut wrong, "name", &name, 60);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid("validation errors while updating phones", wrong))?;
    let answer = |key: &PhoneKey| envelope::ok("phone API key created successfully", key);
    once::answered(gateway.add_phone_key(&caller, name), Error::from, answer).await
}

async fn revoke(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let id = check::id(WRONG_ID, "phoneAPIKeyID", &id)?;
    gateway.delete_phone_key(&caller, id).await?;
    Ok(envelope::no_content())
}

async fn detach(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    Params((key, phone)): Params<(String, String)>,
) -> Answer {
    let mut wrong = Fields::default();
    let key = check::uuid(&mut wrong, "phoneAPIKeyID", &key);
    let phone = check::uuid(&mut wrong, "phoneID", &phone);
    let (Some(key), Some(phone)) = (key, phone) else {
        return Err(Error::Invalid(WRONG_ID, wrong));
    };
    gateway.detach_phone(&caller, key, phone).await?;
    Ok(envelope::no_content())
}

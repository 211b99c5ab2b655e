//! SMS from a 3CX telephone system, which sends them in its own way (contract: API, §2.13).

use axum::extract::{FromRequestParts, State};
use gateway::api_key::Scope;
use gateway::message::{Message, SendSms};
use gateway::{Caller, Fields, Gateway, Uuid};
use http::header;
use http::request::Parts;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

const PATH: &str = "/integration/3cx/messages";
const INVALID: &str = "validation errors while sending message";

pub(crate) fn routes(routes: Routes) -> Routes {
    let doc = Doc::user("sendFrom3cx", "Send an SMS from a 3CX telephone system")
        .note("Takes the key of an account in the header `Authorization`, with or without `Bearer`, too.")
        .takes::<shape::ThreeCxSend>(json!({
            "from": "+18005550199", "to": "+18005550100", "text": "This is a test",
        }))
        .limits()
        .bare::<shape::ThreeCxSent>("The message was added to the queue.");
    routes
        .tag("Integrations", Scope::Send)
        .post(PATH, send, doc)
}

/// An account, by its key in the header that 3CX has for keys, or where all others have it.
struct BearerOrUser(Caller);

impl FromRequestParts<Api> for BearerOrUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        if let Some(key) = bearer(parts)
            && let Some(caller) = api.gateway.user(&key).await?
        {
            return Ok(Self(caller));
        }
        let UserCaller(caller) = UserCaller::from_request_parts(parts, api).await?;
        Ok(Self(caller))
    }
}

/// What is left of the header without the word `Bearer`.
fn bearer(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let key = value.replacen("Bearer", "", 1).trim().to_owned();
    (!key.is_empty()).then_some(key)
}

#[derive(Serialize)]
struct Sent {
    data: Data,
}

#[derive(Serialize)]
struct Data {
    payload: Payload,
}

#[derive(Serialize)]
struct Payload {
    id: Uuid,
}

async fn send(
    State(gateway): State<Gateway>,
    BearerOrUser(caller): BearerOrUser,
    body: JsonBody,
) -> Answer {
    let sms = read(&body.members()?)?;
    let answer = |message: &Message| {
        let payload = Payload { id: message.id };
        let data = Data { payload };
        envelope::bare(&Sent { data })
    };
    let operation = gateway.send_by(&caller, sms, PATH);
    once::answered(operation, Error::of(INVALID), answer).await
}

/// The reference checks nothing here, and fails later; the rules are those of other messages.
fn read(body: &Members<'_>) -> Result<SendSms, Error> {
    let mut wrong = Fields::default();
    let from = check::phone_number(&mut wrong, "from", &body.text_or_empty("from")?);
    let to = check::recipient(&mut wrong, "to", &body.text_or_empty("to")?);
    let content = body.text_or_empty("text")?.into_owned();
    check::filled(&mut wrong, "text", &content, 2048);
    let Some(from) = from.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    Ok(SendSms {
        from,
        to,
        content,
        attachments: Vec::new(),
        encrypted: false,
        request_id: Some("integration-3cx".to_owned()),
        send_at: None,
    })
}

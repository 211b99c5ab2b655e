//! The reference's internal queue calls itself here. This server has no such queue, and lets nobody in.

use gateway::api_key::Scope;
use serde_json::json;

use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::envelope::Answer;
use crate::error::Error;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::shape;

pub(crate) fn routes(routes: Routes) -> Routes {
    let doc = Doc::user("dispatchEvent", "Dispatch an event")
        .note("For the queue of the reference alone: here nobody may.")
        .takes::<shape::DispatchEvent>(json!({
            "specversion": "1.0", "id": "5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11",
            "source": "/v1/messages/send", "type": "message.api.sent",
        }));
    routes
        .tag("Events", Scope::Admin)
        .post("/v1/events", dispatch, doc)
}

async fn dispatch(UserCaller(_): UserCaller, body: JsonBody) -> Answer {
    body.members()?;
    Err(Error::Forbidden("Forbidden".to_owned()))
}

//! A server's first owner, and accounts for whoever asks. Ours: the reference has a provider for it.

use axum::extract::State;
use gateway::Gateway;
use gateway::api_key::Scope;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::auth::Knock;
use crate::body::JsonBody;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::reference::Doc;
use crate::routes::Routes;
use crate::{sessions, shape};

pub(crate) fn routes(routes: Routes) -> Routes {
    let shown = Doc::public("getSetup", "What a new visitor can do here")
        .reads()
        .gives::<shape::Setup>(200, "setup fetched successfully");
    let done = Doc::public("setUp", "Give a new server its owner")
        .note("Works while no account has a password. The key is that of the account which the server showed at its first start. Opens a session.")
        .reads()
        .takes::<shape::SetUp>(json!({
            "api_key": "uk_...", "email": "ann@example.org", "password": "correct horse",
        }))
        .refuses()
        .conflicts()
        .slows()
        .gives::<shape::User>(201, "owner set up successfully");
    let signed_up = Doc::public("signUp", "Make an account")
        .note("Works if the operator has opened sign-up. Opens a session.")
        .reads()
        .takes::<shape::Credentials>(
            json!({"email": "ann@example.org", "password": "correct horse"}),
        )
        .forbids()
        .slows()
        .gives::<shape::User>(201, "account created successfully");
    routes
        .tag("Sessions", Scope::Admin)
        .get("/v1/setup", show, shown)
        .post("/v1/setup", set_up, done)
        .post("/v1/sign-up", sign_up, signed_up)
}

/// What a new visitor can do.
#[derive(Serialize)]
struct Setup<'a> {
    needs_owner: bool,
    sign_up: &'static str,
    version: &'static str,
    public_url: &'a str,
}

async fn show(State(api): State<Api>) -> Answer {
    let setup = Setup {
        needs_owner: api.gateway.needs_owner().await?,
        sign_up: if api.options.sign_up {
            "open"
        } else {
            "closed"
        },
        version: env!("CARGO_PKG_VERSION"),
        public_url: &api.options.public_url,
    };
    Ok(envelope::ok("setup fetched successfully", &setup))
}

async fn set_up(State(api): State<Api>, Knock(visitor): Knock, body: JsonBody) -> Answer {
    let (email, password) = sessions::credentials(&body)?;
    let key = body.members()?.text_or_empty("api_key")?.into_owned();
    let user = api
        .gateway
        .set_up(&key, email, password)
        .await
        .map_err(Error::of("validation errors while setting up"))?;
    sessions::begin(&api, &user, &visitor, "owner set up successfully").await
}

async fn sign_up(
    State(api): State<Api>,
    State(gateway): State<Gateway>,
    Knock(visitor): Knock,
    body: JsonBody,
) -> Answer {
    let (email, password) = sessions::credentials(&body)?;
    let user = gateway
        .sign_up(email, password, api.options.sign_up)
        .await
        .map_err(|error| match error {
            gateway::Error::Unauthorized => {
                Error::Forbidden("Sign-up is closed on this server.".to_owned())
            }
            error => Error::of("validation errors while signing up")(error),
        })?;
    sessions::begin(&api, &user, &visitor, "account created successfully").await
}

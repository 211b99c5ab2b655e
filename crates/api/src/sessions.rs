//! Signing in with e-mail address and password, and out again. Ours: the reference has a provider for it.

use axum::extract::State;
use gateway::account::User;
use gateway::api_key::Scope;
use gateway::session::{Session, Visitor};
use gateway::{Caller, Gateway, Key};
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::auth::{Knock, UserCaller};
use crate::body::JsonBody;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::{cookie, shape};

pub(crate) fn routes(routes: Routes) -> Routes {
    const ONE: &str = "/v1/sessions/{id}";
    let signed_in = Doc::public("signIn", "Sign in")
        .note("Sets the cookie `httpsms_session`, which then stands for a key. What changes something with the cookie alone must come from the server's own pages: it needs `Sec-Fetch-Site: same-origin`, or `Origin` with the server's own. Guessing is slowed down, by account and by address.")
        .reads()
        .takes::<shape::Credentials>(json!({"email": "ann@example.org", "password": "correct horse"}))
        .refuses()
        .slows()
        .gives::<shape::User>(201, "signed in successfully");
    let listed = Doc::user("listSessions", "List sessions, newest first")
        .lists::<shape::Session>(200, "fetched 1 session");
    let ended = Doc::user("signOut", "End a session")
        .path("id", "Its id, or `current`.", text())
        .finds()
        .checks()
        .empties("It is over.");
    let all_ended = Doc::user("signOutEverywhere", "End all sessions").empties("They are over.");
    routes
        .tag("Sessions", Scope::Admin)
        .post("/v1/sessions", sign_in, signed_in)
        .get("/v1/sessions", list, listed.scope(Scope::Admin))
        .delete("/v1/sessions", sign_out_everywhere, all_ended)
        .delete(ONE, sign_out, ended)
}

const ID: &str = "sessionID";

/// A session in a list.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    session: &'a Session,
    current: bool,
}

async fn sign_in(State(api): State<Api>, Knock(visitor): Knock, body: JsonBody) -> Answer {
    let (email, password) = credentials(&body)?;
    let session = api.gateway.sign_in(&email, password, &visitor).await?;
    let session = session.ok_or(Error::WrongPassword)?;
    let caller = Caller {
        user_id: session.user_id,
        key: Key::User,
    };
    let user = api.gateway.me(&caller).await?;
    let answer = envelope::created("signed in successfully", &user);
    Ok(cookie::set(answer, &session.token, &api.options.public_url))
}

/// The e-mail address and the password of a body; what is missing is empty, and so not right.
pub(crate) fn credentials(body: &JsonBody) -> Result<(String, String), Error> {
    let body = body.members()?;
    let text = |name| body.text_or_empty(name).map(std::borrow::Cow::into_owned);
    Ok((text("email")?, text("password")?))
}

/// Opens a session of a new owner.
pub(crate) async fn begin(api: &Api, user: &User, visitor: &Visitor, message: &str) -> Answer {
    let session = api
        .gateway
        .open_session(user.id.clone(), &visitor.agent)
        .await?;
    let answer = envelope::created(message, user);
    Ok(cookie::set(answer, &session.token, &api.options.public_url))
}

async fn list(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let sessions = gateway.sessions(&caller).await?;
    let listed: Vec<Listed<'_>> = sessions
        .iter()
        .map(|session| Listed {
            session,
            current: caller.session() == Some(session.id),
        })
        .collect();
    Ok(envelope::fetched(&listed, "session"))
}

async fn sign_out(
    State(api): State<Api>,
    UserCaller(caller): UserCaller,
    Params(id): Params<String>,
) -> Answer {
    let current = caller.session();
    let id = match (id.as_str(), current) {
        ("current", Some(id)) => id,
        ("current", None) => {
            let why = "this request has no session, but a key";
            return Err(Error::NotFound(why.to_owned()));
        }
        (id, _) => check::id("validation errors while ending session", ID, id)?,
    };
    api.gateway.sign_out(&caller, id).await?;
    let answer = envelope::no_content();
    if current == Some(id) {
        return Ok(cookie::clear(answer, &api.options.public_url));
    }
    Ok(answer)
}

async fn sign_out_everywhere(State(api): State<Api>, UserCaller(caller): UserCaller) -> Answer {
    api.gateway.sign_out_everywhere(&caller).await?;
    let answer = envelope::no_content();
    Ok(cookie::clear(answer, &api.options.public_url))
}

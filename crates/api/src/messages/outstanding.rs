//! A phone that was woken fetches the message to send.

use axum::extract::State;
use gateway::{Fields, Gateway};

use super::shown::shown;
use crate::auth::PhoneOrUser;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::query::Query;

const INVALID: &str = "validation errors while fetching outstanding messages";

pub(super) async fn claim(
    State(gateway): State<Gateway>,
    PhoneOrUser(caller): PhoneOrUser,
    query: Query,
) -> Answer {
    let mut wrong = Fields::default();
    let id = check::uuid(&mut wrong, "message_id", query.text("message_id"));
    let id = id.ok_or(Error::Invalid(INVALID, wrong))?;
    let message = gateway.claim(&caller, id).await?;
    Ok(envelope::ok(
        "outstanding message fetched successfully",
        &shown(&message),
    ))
}

//! Several messages at once: deleted, or sent again.

use axum::extract::State;
use gateway::message::Message;
use gateway::{Fields, Gateway, Uuid};
use serde::Serialize;
use serde_json::json;

use super::shown::all_shown;
use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;
use crate::reference::Doc;
use crate::shape;

/// Messages of a request at most.
const MOST: usize = 1000;

const IDS: &str = "ids";

pub(super) fn describe_delete() -> Doc {
    Doc::user("deleteMessages", "Delete several messages and their files")
        .note("Ids that the account does not have are passed over.")
        .takes::<shape::MessageIds>(json!({"ids": ["5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11"]}))
        .gives::<shape::DeletedMessages>(200, "deleted 1 message")
}

pub(super) fn describe_resend() -> Doc {
    Doc::user("resendMessages", "Send several messages once more, all or none")
        .note("New messages with the same text, attachments and `request_id`; without one they get `resend-of-` and the id of the old one.")
        .takes::<shape::MessageIds>(json!({"ids": ["5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11"]}))
        .finds()
        .limits()
        .lists::<shape::Message>(200, "2 out of 2 messages processed successfully")
}

#[derive(Serialize)]
struct Deleted {
    deleted: usize,
}

pub(super) async fn delete(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let ids = read(
        &body.members()?,
        "validation errors while deleting messages",
    )?;
    let done = gateway.delete_messages(&caller, ids).await?;
    for id in done.with_files {
        if let Err(error) = gateway.remove_attachments(&caller, id).await {
            tracing::warn!(%error, message = %id, "files of a deleted message stay");
        }
    }
    let deleted = done.count;
    let noun = if deleted == 1 { "message" } else { "messages" };
    let message = format!("deleted {deleted} {noun}");
    Ok(envelope::ok(&message, &Deleted { deleted }))
}

pub(super) async fn resend(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    const INVALID: &str = "validation errors while resending messages";
    let ids = read(&body.members()?, INVALID)?;
    let answer = |sent: &Vec<Message>| {
        let count = sent.len();
        let message = format!("{count} out of {count} messages processed successfully");
        envelope::ok(&message, &all_shown(sent))
    };
    let operation = gateway.resend_messages(&caller, ids);
    once::answered(operation, Error::of(INVALID), answer).await
}

fn read(body: &Members<'_>, invalid: &'static str) -> Result<Vec<Uuid>, Error> {
    let texts = body.texts(IDS)?;
    let mut wrong = Fields::default();
    if texts.is_empty() {
        wrong.add(IDS, "The ids field is required");
    }
    if texts.len() > MOST {
        wrong.add(IDS, format!("The ids field must be maximum {MOST} in size"));
        return Err(Error::Invalid(invalid, wrong));
    }
    let mut ids = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match gateway::id::parse(text) {
            Some(id) => ids.push(id),
            None => wrong.add(
                IDS,
                format!("The ids field in index [{index}] must contain valid UUID"),
            ),
        }
    }
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(invalid, wrong))?;
    Ok(ids)
}

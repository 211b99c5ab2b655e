//! Sending an SMS, and one text to many.

use axum::extract::State;
use gateway::message::{BulkSms, Message, SEND_AT_LIMIT, SendSms};
use gateway::{Fields, Gateway, PhoneNumber};

use super::shown::{all_shown, shown};
use crate::auth::UserCaller;
use crate::body::JsonBody;
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;

const INVALID: &str = "validation errors while sending message";
const INVALID_BULK: &str = "validation errors while sending messages";

pub(super) async fn send(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let sms = read_one(&gateway, &body.members()?)?;
    let answer = |message: &Message| envelope::ok("message added to queue", &shown(message));
    once::answered(gateway.send(&caller, sms), Error::of(INVALID), answer).await
}

pub(super) async fn bulk(
    State(gateway): State<Gateway>,
    UserCaller(caller): UserCaller,
    body: JsonBody,
) -> Answer {
    let sms = read_bulk(&body.members()?)?;
    // All or none: there is no message here that failed.
    let answer = |sent: &Vec<Message>| {
        let count = sent.len();
        let message = format!("{count} out of {count} messages processed successfully");
        envelope::ok(&message, &all_shown(sent))
    };
    let operation = gateway.send_bulk(&caller, sms);
    once::answered(operation, Error::of(INVALID_BULK), answer).await
}

fn read_one(gateway: &Gateway, body: &Members<'_>) -> Result<SendSms, Error> {
    let mut wrong = Fields::default();
    let (from, content, attachments, encrypted) = common(body, 2048, &mut wrong)?;
    let to = check::recipient(&mut wrong, "to", &body.text_or_empty("to")?);
    let request_id = check::unless_blank(body.text("request_id")?);
    check::at_most(
        &mut wrong,
        "request_id",
        request_id.as_deref().unwrap_or_default(),
        255,
    );
    let send_at = body.time("send_at")?;
    let latest = gateway.now() + SEND_AT_LIMIT;
    if wrong.is_empty() && send_at.is_some_and(|at| at > latest) {
        wrong.add(
            "send_at",
            "the scheduled time cannot be more than 20 days (480 hours) in the future",
        );
    }
    match from {
        Some(from) if wrong.is_empty() => Ok(SendSms {
            from,
            to,
            content,
            attachments,
            encrypted,
            request_id,
            send_at,
        }),
        _ => Err(Error::Invalid(INVALID, wrong)),
    }
}

fn read_bulk(body: &Members<'_>) -> Result<BulkSms, Error> {
    let mut wrong = Fields::default();
    let (from, content, attachments, encrypted) = common(body, 1024, &mut wrong)?;
    let to = recipients(body, &mut wrong)?;
    let request_id = check::unless_blank(body.text("request_id")?);
    match from {
        Some(from) if wrong.is_empty() => Ok(BulkSms {
            from,
            to,
            content,
            attachments,
            encrypted,
            request_id,
        }),
        _ => Err(Error::Invalid(INVALID_BULK, wrong)),
    }
}

type Common = (Option<PhoneNumber>, String, Vec<String>, bool);

/// Sender, text, attachments, whether it is cipher text.
fn common(body: &Members<'_>, longest: usize, wrong: &mut Fields) -> Result<Common, Error> {
    let from = check::phone_number(wrong, "from", &body.text_or_empty("from")?);
    let content = body.text_or_empty("content")?;
    check::filled(wrong, "content", &content, longest);
    let attachments = check::attachment_urls(wrong, body.texts("attachments")?);
    let encrypted = body.flag("encrypted")?.unwrap_or_default();
    Ok((from, content.into_owned(), attachments, encrypted))
}

fn recipients(body: &Members<'_>, wrong: &mut Fields) -> Result<Vec<String>, Error> {
    let typed = body.texts("to")?;
    check::required(wrong, "to", typed.is_empty());
    if typed.is_empty() {
        wrong.add("to", "The to field must be minimum 1 in size");
    }
    if typed.len() > 1000 {
        wrong.add("to", "The to field must be maximum 1000 in size");
        return Ok(Vec::new());
    }
    let to: Vec<String> = typed
        .iter()
        .map(|to| gateway::number::address(to))
        .collect();
    for (index, to) in to.iter().enumerate() {
        check::recipient_at(wrong, "to", index, to);
    }
    Ok(to)
}

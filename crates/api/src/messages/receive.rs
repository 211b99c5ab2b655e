//! What a phone received: SMS and MMS, and calls that it missed.

use axum::extract::State;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use gateway::attachment::{MAX_BYTES, MAX_COUNT, MAX_TOTAL, Media, NewAttachment};
use gateway::message::{Message, MissedCall, ReceivedSms};
use gateway::phone::Sim;
use gateway::{Fields, Gateway, Time, number};

use super::shown::shown;
use crate::Api;
use crate::auth::PhoneOrUser;
use crate::body::{JsonBody, LargeJsonBody};
use crate::check;
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::json::Members;
use crate::once;

const INVALID: &str = "validation errors while receiving message";
const INVALID_CALL: &str = "validation errors while storing missed call event";
const ATTACHMENTS: &str = "attachments";

/// Takes what the reference takes: bits after the last byte are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

pub(super) async fn receive(
    State(api): State<Api>,
    PhoneOrUser(caller): PhoneOrUser,
    LargeJsonBody(body): LargeJsonBody,
) -> Answer {
    let (sms, files) = read(&api.gateway, &body.members()?)?;
    drop(body);
    let answer = |message: &Message| envelope::ok("message received successfully", &shown(message));
    let operation = async {
        if files.is_empty() {
            return api.gateway.receive(&caller, sms).await;
        }
        let url = &api.options.public_url;
        // Most requests have none, and need not carry with them what this takes.
        Box::pin(api.gateway.receive_with_files(&caller, sms, files, url)).await
    };
    once::answered(operation, Error::from, answer).await
}

pub(super) async fn missed(
    State(gateway): State<Gateway>,
    PhoneOrUser(caller): PhoneOrUser,
    body: JsonBody,
) -> Answer {
    let call = read_call(&body.members()?)?;
    let words = "missed call event stored successfully";
    let answer = |message: &Message| envelope::ok(words, &shown(message));
    once::answered(gateway.miss_call(&caller, call), Error::from, answer).await
}

fn read(gateway: &Gateway, body: &Members<'_>) -> Result<(ReceivedSms, Vec<NewAttachment>), Error> {
    let mut wrong = Fields::default();
    let to = check::phone_number(&mut wrong, "to", &body.text_or_empty("to")?);
    let from = body.foreign_text("from")?.unwrap_or_default();
    check::required(&mut wrong, "from", from.is_empty());
    let content = body.foreign_text("content")?.unwrap_or_default();
    if body.list(ATTACHMENTS)?.is_empty() {
        check::filled(&mut wrong, "content", &content, 2048);
    } else {
        check::at_most(&mut wrong, "content", &content, 2048);
    }
    let files = files(body, &mut wrong)?;
    let sim = sim(&body.text_or_empty("sim")?, &mut wrong);
    let encrypted = body.flag("encrypted")?.unwrap_or_default();
    let timestamp = body.time("timestamp")?.unwrap_or(Time::ZERO);
    let Some(to) = to.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let sms = ReceivedSms {
        id: gateway::id::new(gateway.now()),
        from: number::contact(&from, &to),
        to,
        content: content.into_owned(),
        encrypted,
        sim,
        timestamp,
        attachments: Vec::new(),
    };
    Ok((sms, files))
}

fn read_call(body: &Members<'_>) -> Result<MissedCall, Error> {
    let mut wrong = Fields::default();
    let to = check::phone_number(&mut wrong, "to", &body.text_or_empty("to")?);
    let from = body.foreign_text("from")?.unwrap_or_default();
    check::required(&mut wrong, "from", from.is_empty());
    let sim = Sim::or_first(&body.text_or_empty("sim")?);
    let timestamp = body.time("timestamp")?.unwrap_or(Time::ZERO);
    let Some(to) = to.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID_CALL, wrong));
    };
    Ok(MissedCall {
        from: number::contact(&from, &to),
        to,
        sim,
        timestamp,
    })
}

fn sim(name: &str, wrong: &mut Fields) -> Sim {
    match name.trim() {
        "" | "DEFAULT" => Sim::Sim1,
        name => {
            check::one_of(wrong, "sim", name, &["SIM1", "SIM2"]);
            Sim::or_first(name)
        }
    }
}

/// Reads the files of an MMS. Where one is wrong, its message is added and the file left out.
fn files(body: &Members<'_>, wrong: &mut Fields) -> Result<Vec<NewAttachment>, Error> {
    let items = body.list(ATTACHMENTS)?;
    if items.len() > MAX_COUNT {
        let count = items.len();
        wrong.add(
            ATTACHMENTS,
            format!("attachment count [{count}] exceeds maximum of [{MAX_COUNT}]"),
        );
        return Ok(Vec::new());
    }
    let mut files = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        files.extend(file(index, &Members::item(ATTACHMENTS, item)?, wrong)?);
    }
    let total: usize = files.iter().map(|file| file.content.len()).sum();
    if total > MAX_TOTAL {
        wrong.add(
            ATTACHMENTS,
            format!("total attachment size [{total}] exceeds maximum of [{MAX_TOTAL}] bytes"),
        );
    }
    Ok(files)
}

/// One file, if its kind is known and its content can be decoded.
fn file(
    index: usize,
    item: &Members<'_>,
    wrong: &mut Fields,
) -> Result<Option<NewAttachment>, Error> {
    let content_type = item.text_or_empty("content_type")?;
    let media = Media::named(&content_type);
    if media.is_none() {
        wrong.add(
            ATTACHMENTS,
            format!("attachment [{index}] has unsupported content type [{content_type}]"),
        );
    }
    let content = decode(&item.text_or_empty("content")?);
    match content.as_ref().map(Vec::len) {
        None => wrong.add(
            ATTACHMENTS,
            format!("attachment [{index}] has invalid base64 content"),
        ),
        Some(size) if size > MAX_BYTES => wrong.add(
            ATTACHMENTS,
            format!("attachment [{index}] size [{size}] exceeds maximum of [{MAX_BYTES}] bytes"),
        ),
        Some(_) => {}
    }
    let name = item.foreign_text("name")?.unwrap_or_default().into_owned();
    Ok(media.zip(content).map(|(media, content)| NewAttachment {
        name,
        media,
        content,
    }))
}

/// Padded base64, perhaps in lines.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains(['\r', '\n']) {
        return BASE64.decode(text.replace(['\r', '\n'], "")).ok();
    }
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded_and_may_have_lines() {
        assert_eq!(decode("aGVs\r\nbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode("aGVsbG9=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode("").as_deref(), Some(&b""[..]));
        for wrong in ["aGVsbG8", "aGVs bG8=", "aGVs_G8=", "===="] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_received_sms_names_its_sim_or_none() {
        let mut wrong = Fields::default();
        for (name, read) in [
            ("", Sim::Sim1),
            ("DEFAULT", Sim::Sim1),
            ("SIM1", Sim::Sim1),
            ("SIM2", Sim::Sim2),
        ] {
            assert_eq!(sim(name, &mut wrong), read, "{name}");
        }
        assert!(wrong.is_empty());
        sim("SIM3", &mut wrong);
        assert_eq!(
            wrong,
            Fields::one("sim", "The sim field must be one of SIM1, SIM2")
        );
    }
}

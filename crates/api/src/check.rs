//! The rules of fields and their words (contract: API, §1.6 and §4). A rule that is broken adds its
//! message under the field's name; all rules of a field speak, in their order.
//!
//! Lengths are counted in bytes, though the messages speak of characters.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::extract::path::Path;
use gateway::{Fields, PhoneNumber, Time, Uuid, number};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Api;
use crate::error::Error;
use crate::json::Members;

/// Parameters of the path, decoded.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Error> {
        match Path::from_request_parts(parts, api).await {
            Ok(Path(params)) => Ok(Self(params)),
            Err(rejection) => Err(Error::malformed(rejection.body_text())),
        }
    }
}

/// A parameter of the path that is an id; `invalid` is the route's message for 422.
pub(crate) fn id(invalid: &'static str, name: &str, text: &str) -> Result<Uuid, Error> {
    let mut wrong = Fields::default();
    uuid(&mut wrong, name, text).ok_or(Error::Invalid(invalid, wrong))
}

/// An id: a version 4 UUID in lower case.
pub(crate) fn uuid(wrong: &mut Fields, name: &str, text: &str) -> Option<Uuid> {
    required(wrong, name, text.is_empty());
    let id = gateway::id::parse(text);
    if id.is_none() {
        wrong.add(name, format!("The {name} field must contain valid UUID"));
    }
    id
}

pub(crate) fn required(wrong: &mut Fields, name: &str, missing: bool) {
    if missing {
        wrong.add(name, format!("The {name} field is required"));
    }
}

/// A text of one to `max` bytes.
pub(crate) fn filled(wrong: &mut Fields, name: &str, text: &str, max: usize) {
    required(wrong, name, text.is_empty());
    if text.is_empty() {
        wrong.add(name, format!("The {name} field must be minimum 1 char"));
    }
    at_most(wrong, name, text, max);
}

/// A text of at most `max` bytes.
pub(crate) fn at_most(wrong: &mut Fields, name: &str, text: &str, max: usize) {
    if text.len() > max {
        wrong.add(name, format!("The {name} field must be maximum {max} char"));
    }
}

/// A number within these bounds; 0 passes as if it was not there.
pub(crate) fn within(wrong: &mut Fields, name: &str, value: i64, least: i64, most: i64) {
    if value != 0 && value < least {
        wrong.add(
            name,
            format!("The {name} field value can not be less than {least}"),
        );
    }
    if value > most {
        wrong.add(
            name,
            format!("The {name} field value can not be greater than {most}"),
        );
    }
}

/// Exactly one of these names.
pub(crate) fn one_of(wrong: &mut Fields, name: &str, text: &str, names: &[&str]) {
    if !names.contains(&text) {
        wrong.add(
            name,
            format!("The {name} field must be one of {}", names.join(", ")),
        );
    }
}

/// `true` or `1`, `false` or `0`, in any letter case; nothing is false.
pub(crate) fn flag(wrong: &mut Fields, name: &str, text: &str) -> bool {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "" | "false" | "0" => false,
        _ => {
            wrong.add(name, format!("The {name} field must be one of true, false"));
            false
        }
    }
}

/// A time in RFC 3339, if the text is not empty. A `+` that a query turned into a space is put back.
pub(crate) fn time(wrong: &mut Fields, name: &str, text: &str) -> Option<Time> {
    let text = Some(text.trim()).filter(|text| !text.is_empty())?;
    let time = text.parse().or_else(|_| text.replace(' ', "+").parse());
    if time.is_err() {
        wrong.add(
            name,
            format!("The {name} field must be a time such as 2026-01-02T03:04:05Z"),
        );
    }
    time.ok()
}

/// The same of a body's member; one that is no text is no time.
pub(crate) fn time_of(wrong: &mut Fields, name: &str, body: &Members<'_>) -> Option<Time> {
    let mut text = "";
    let read: Option<String> = body.read(name, || text = "not a text");
    time(wrong, name, read.as_deref().unwrap_or(text))
}

/// The number of a phone, by the address rule.
pub(crate) fn phone_number(wrong: &mut Fields, name: &str, text: &str) -> Option<PhoneNumber> {
    let number = PhoneNumber::parse(text);
    if number.is_none() {
        required(wrong, name, text.trim().is_empty());
        wrong.add(name, format!("The {name} field {E164}"));
    }
    number
}

/// One of several numbers of phones, by the address rule.
pub(crate) fn phone_number_at(
    wrong: &mut Fields,
    name: &str,
    index: usize,
    text: &str,
) -> Option<PhoneNumber> {
    let number = PhoneNumber::parse(text);
    if number.is_none() {
        wrong.add(name, format!("The {name} field in index [{index}] {E164}"));
    }
    number
}

pub(crate) const E164: &str =
    "must be a valid E.164 phone number in the international format e.g +18005550100";

/// Who is to get an SMS: a number by the address rule, or a short code.
pub(crate) fn recipient(wrong: &mut Fields, name: &str, text: &str) -> String {
    let to = number::address(text);
    required(wrong, name, to.is_empty());
    if !number::is_recipient(&to) {
        wrong.add(name, format!("The {name} field {FEW_DIGITS}"));
    }
    to
}

/// One of several that have the form of a recipient.
pub(crate) fn recipient_at(wrong: &mut Fields, name: &str, index: usize, text: &str) {
    if !number::is_recipient(text) {
        wrong.add(
            name,
            format!("The {name} field in index [{index}] {FEW_DIGITS}"),
        );
    }
}

const FEW_DIGITS: &str = "must contain only digits and must be less than 14 characters";

/// URLs of what is to be sent along: trimmed, without empty ones.
pub(crate) fn attachment_urls(wrong: &mut Fields, urls: Vec<String>) -> Vec<String> {
    const NAME: &str = "attachments";
    let urls: Vec<String> = urls
        .into_iter()
        .map(|url| url.trim().to_owned())
        .filter(|url| !url.is_empty())
        .collect();
    if urls.len() > 10 {
        wrong.add(NAME, "The attachments field must be maximum 10 in size");
        return urls;
    }
    for (index, url) in urls.iter().enumerate().filter(|(_, url)| !is_url(url)) {
        wrong.add(
            NAME,
            format!("The attachment {index} with URL [{url}] must be a valid URL e.g https://placehold.co/600x400"),
        );
    }
    urls
}

/// An absolute http or https URL with a host.
fn is_url(text: &str) -> bool {
    let absolute = text.split_once("://").is_some_and(|(scheme, _)| {
        matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
    });
    absolute && !text.contains(char::is_control) && url::Url::parse(text).is_ok()
}

/// Text, but nothing if only blanks are in it.
pub(crate) fn unless_blank(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a rule says.
    fn said(rule: impl FnOnce(&mut Fields)) -> String {
        let mut wrong = Fields::default();
        rule(&mut wrong);
        serde_json::to_string(&wrong).unwrap()
    }

    #[test]
    fn a_missing_field_breaks_all_its_rules_in_order() {
        for (said, expected) in [
            (
                said(|wrong| filled(wrong, "content", "", 9)),
                r#"{"content":["The content field is required","The content field must be minimum 1 char"]}"#,
            ),
            (
                said(|wrong| drop(recipient(wrong, "to", " "))),
                r#"{"to":["The to field is required","The to field must contain only digits and must be less than 14 characters"]}"#,
            ),
            (
                said(|wrong| drop(phone_number(wrong, "from", ""))),
                r#"{"from":["The from field is required","The from field must be a valid E.164 phone number in the international format e.g +18005550100"]}"#,
            ),
            (
                said(|wrong| assert!(uuid(wrong, "message_id", "").is_none())),
                r#"{"message_id":["The message_id field is required","The message_id field must contain valid UUID"]}"#,
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn lengths_count_bytes() {
        assert_eq!(said(|wrong| filled(wrong, "content", "ééé", 6)), "{}");
        assert_eq!(
            said(|wrong| filled(wrong, "content", "éééx", 6)),
            r#"{"content":["The content field must be maximum 6 char"]}"#
        );
    }

    #[test]
    fn numbers_have_bounds_and_zero_is_none() {
        for (value, expected) in [
            (0, "{}"),
            (60, "{}"),
            (59, r#"{"n":["The n field value can not be less than 60"]}"#),
            (
                3601,
                r#"{"n":["The n field value can not be greater than 3600"]}"#,
            ),
        ] {
            assert_eq!(said(|wrong| within(wrong, "n", value, 60, 3600)), expected);
        }
    }

    #[test]
    fn attachments_are_absolute_urls() {
        let urls = [
            "https://a.example/x.jpg",
            " http://127.0.0.1:9/a b ",
            "",
            "HTTPS://h",
        ];
        let mut wrong = Fields::default();
        let kept = attachment_urls(&mut wrong, urls.map(str::to_owned).to_vec());
        assert_eq!(
            kept,
            [
                "https://a.example/x.jpg",
                "http://127.0.0.1:9/a b",
                "HTTPS://h"
            ]
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        for url in [
            "a.example/x",
            "ftp://a.example/x",
            "http:a.example",
            "http://",
            "/x",
            "https:///",
        ] {
            assert!(!is_url(url), "{url}");
        }
        assert_eq!(
            said(|wrong| drop(attachment_urls(wrong, vec![String::new(), "x".to_owned()]))),
            r#"{"attachments":["The attachment 0 with URL [x] must be a valid URL e.g https://placehold.co/600x400"]}"#
        );
        let many = vec!["http://h/".to_owned(); 11];
        assert_eq!(
            said(|wrong| drop(attachment_urls(wrong, many))),
            r#"{"attachments":["The attachments field must be maximum 10 in size"]}"#
        );
    }
}

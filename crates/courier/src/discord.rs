//! Discord takes no events: a received message is shown there as one of Discord's own, by a webhook
//! of Discord's or by the operator's bot (contract: events, §4.5 and §7.2).

mod bot;
mod posts;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use bot::DiscordBot;
pub(crate) use posts::Posts;

/// Discord refuses a field that is longer, in characters.
const LONGEST: usize = 1_024;

/// Discord refuses an empty field; this one looks empty.
const EMPTY: &str = "\u{200b}";

/// Whether a URL is one of Discord's webhooks.
pub(crate) fn is_webhook(url: &str) -> bool {
    url.starts_with("https://discord.com/api/webhooks/")
}

/// The message for a `message.phone.received` event by a webhook, which shows a name and a picture;
/// none if the event cannot be read.
pub(crate) fn message(event: &[u8]) -> Option<Bytes> {
    shown(
        event,
        Some(("https://httpsms.com/avatar.png", "httpsms.com")),
    )
}

/// The same by a bot, which has a name and a picture of its own.
fn post(event: &[u8]) -> Option<Bytes> {
    shown(event, None)
}

fn shown(event: &[u8], speaker: Option<(&'static str, &'static str)>) -> Option<Bytes> {
    let event: Event = serde_json::from_slice(event).ok()?;
    let data = event.data;
    let message = Message {
        avatar_url: speaker.map(|(avatar_url, _)| avatar_url),
        username: speaker.map(|(_, name)| name),
        content: "✉ new message received",
        embeds: [Embed {
            fields: [
                Field::new("From:", &number(&data.contact), Some(true)),
                Field::new("To:", &number(&data.owner), Some(true)),
                Field::new("Content:", &data.content, None),
                Field::new("MessageID:", &data.message_id, None),
            ],
        }],
    };
    serde_json::to_vec(&message).ok().map(Bytes::from)
}

#[derive(Deserialize)]
struct Event {
    data: Received,
}

#[derive(Deserialize)]
struct Received {
    message_id: String,
    owner: String,
    contact: String,
    content: String,
}

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'static str>,
    content: &'static str,
    embeds: [Embed; 1],
}

#[derive(Serialize)]
struct Embed {
    fields: [Field; 4],
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    inline: Option<bool>,
}

impl Field {
    fn new(name: &'static str, text: &str, inline: Option<bool>) -> Self {
        let value = if text.trim().is_empty() {
            EMPTY.to_owned()
        } else {
            text.chars().take(LONGEST).collect()
        };
        Self {
            name,
            value,
            inline,
        }
    }
}

/// A number as people write it; a short code or a name stays as it is.
fn number(text: &str) -> String {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = (10..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if is_number {
        gateway::number::international(&format!("+{digits}"))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(contact: &str, content: &str) -> String {
        let data = serde_json::json!({
            "message_id": "b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02",
            "user_id": "u7Kq2fTzR9",
            "owner": "+37250001111",
            "contact": contact,
            "content": content,
        });
        let event = serde_json::json!({"type": "message.phone.received", "data": data});
        let message = message(event.to_string().as_bytes()).unwrap();
        String::from_utf8(message.to_vec()).unwrap()
    }

    #[test]
    fn a_received_message_is_the_contract_s() {
        let expected = concat!(
            r#"{"avatar_url":"https://httpsms.com/avatar.png","username":"httpsms.com","#,
            r#""content":"✉ new message received","embeds":[{"fields":["#,
            r#"{"name":"From:","value":"+372 5000 2222","inline":true},"#,
            r#"{"name":"To:","value":"+372 5000 1111","inline":true},"#,
            r#"{"name":"Content:","value":"on my way"},"#,
            r#"{"name":"MessageID:","value":"b7e0c0de-2222-4b4b-8d8d-1e1e1e1e1e02"}]}]}"#,
        );
        assert_eq!(received("+37250002222", "on my way"), expected);
    }

    #[test]
    fn names_stay_and_texts_fit() {
        let message = received("TIKTOK", &"ü".repeat(2_000));
        assert!(message.contains(r#""value":"TIKTOK""#));
        assert_eq!(message.matches('ü').count(), 1_024);
        assert!(received("24273", "").contains("\"value\":\"\u{200b}\""));
        assert!(received("37250002222", "x").contains("+372 5000 2222"));
    }

    #[test]
    fn what_is_no_such_event_gives_nothing() {
        assert_eq!(message(b"{}"), None);
        assert!(is_webhook("https://discord.com/api/webhooks/1/a"));
        assert!(!is_webhook(
            "https://discord.com.evil.example/api/webhooks/1/a"
        ));
    }
}

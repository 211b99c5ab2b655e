//! What Discord shows to whoever gave the command.

use gateway::message::Message;
use serde::Serialize;

/// Discord refuses more, of characters and of boxes.
const LONGEST_VALUE: usize = 1_024;
const LONGEST_TITLE: usize = 256;
const MOST_BOXES: usize = 10;

const RED: u32 = 14_681_092;

/// An answer with a message.
#[derive(Serialize)]
pub(super) struct Reply {
    r#type: u8,
    data: Shown,
}

#[derive(Serialize)]
struct Shown {
    content: &'static str,
    embeds: Vec<Embed>,
}

/// A box below the message.
#[derive(Default, Serialize)]
struct Embed {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    value: String,
    inline: bool,
}

/// The SMS is on its way.
pub(super) fn sent(message: &Message) -> Reply {
    let field = |name, value: &str, inline| Field {
        name,
        value: start(value, LONGEST_VALUE),
        inline,
    };
    let fields = vec![
        field("From:", &message.owner, true),
        field("To:", &message.contact, true),
        field("Content:", &message.content, false),
        field("MessageID:", &message.id.to_string(), false),
    ];
    let embed = Embed {
        fields,
        ..Embed::default()
    };
    reply("✔ sending sms", vec![embed])
}

/// It is not, for these reasons.
pub(super) fn refused(reasons: &[String]) -> Reply {
    let embed = |reason: &String| Embed {
        title: Some(start(reason, LONGEST_TITLE)),
        color: Some(RED),
        fields: Vec::new(),
    };
    let embeds = reasons.iter().take(MOST_BOXES).map(embed).collect();
    reply("⚠ the sms is not sent", embeds)
}

fn reply(content: &'static str, embeds: Vec<Embed>) -> Reply {
    let data = Shown { content, embeds };
    Reply { r#type: 4, data }
}

fn start(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

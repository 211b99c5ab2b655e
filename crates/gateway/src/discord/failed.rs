//! What follows when a received message could not be shown on Discord.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::delivery::Done;
use crate::event::{About, Kind};
use crate::mail::{Letter, Topic, readable};
use crate::{Result, Work};

db::row! {
    struct Lost { kind: Kind, owner: Option<String>, body: String, incoming_channel_id: String }
}

/// The parts of the event that its failure repeats.
#[derive(Deserialize)]
struct Told {
    source: String,
    data: Message,
}

#[derive(Deserialize)]
struct Message {
    message_id: Uuid,
}

#[derive(Serialize)]
struct Failed<'a> {
    discord_id: Uuid,
    user_id: &'a str,
    message_id: Uuid,
    event_type: Kind,
    owner: &'a str,
    http_response_status_code: Option<u16>,
    error_message: &'a str,
    discord_channel_id: &'a str,
}

impl Work<'_, '_> {
    /// A delivery to a channel was given up.
    pub(crate) fn discord_failed(
        &mut self,
        done: &Done,
        seq: i64,
        status: Option<u16>,
        error: &str,
    ) -> Result<()> {
        let lost: Option<Lost> = self.tx.optional(
            "SELECT event.kind, owner, body, incoming_channel_id FROM event, discord
              WHERE seq = $1 AND discord.id = $2",
            &[&seq, &done.target],
        )?;
        let Some(lost) = lost else { return Ok(()) };
        let Ok(Told { source, data }) = serde_json::from_str(&lost.body) else {
            return Ok(());
        };
        let owner = lost.owner.as_deref().unwrap_or("");
        let failed = Failed {
            discord_id: done.target,
            user_id: &done.user_id,
            message_id: data.message_id,
            event_type: lost.kind,
            owner,
            http_response_status_code: status,
            error_message: error,
            discord_channel_id: &lost.incoming_channel_id,
        };
        let about = About {
            user_id: &done.user_id,
            owner: lost.owner.as_deref(),
            source: &source,
            message: None,
        };
        self.append(Kind::DiscordSendFailed, about, &failed)?;
        let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let facts = vec![
            ("Channel", lost.incoming_channel_id.clone()),
            ("Event", lost.kind.to_string()),
            ("Number", readable(owner)),
            ("Status", status),
            ("Error", error.to_owned()),
        ];
        self.mail(Topic::DiscordFailed, &done.user_id, owner, |_| Letter {
            subject: "A received message could not be shown on Discord".to_owned(),
            opening: "A message that your phone received could not be posted to your Discord \
                      channel. It is kept here."
                .to_owned(),
            facts,
        })
    }
}

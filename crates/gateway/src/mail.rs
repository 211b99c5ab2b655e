//! Mails to account owners: what they say, whom they bother how often, and their queue.
//!
//! A mail is a row made by the transaction of its cause, and a delivery like any other. It is only
//! made when the operator has set up a mail server.

use std::time::Duration;

use uuid::Uuid;

use crate::clock::Time;
use crate::{Gateway, Result, Work, id, number};

/// The target that all mails share: the mail server.
pub const SERVER: Uuid = Uuid::from_u128(0x6874_7470_736d_4d61_8000_6d61_696c_7301);

/// What a mail is about: the switch that turns it off, and how often it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    MessageFailed,
    MessageExpired,
    WebhookFailed,
    DiscordFailed,
    WebhookPaused,
    PhoneOffline,
    KeyRotated,
    QuotaNear,
    QuotaSpent,
}

impl Topic {
    pub(crate) const ALL: [Self; 9] = [
        Self::MessageFailed,
        Self::MessageExpired,
        Self::WebhookFailed,
        Self::DiscordFailed,
        Self::WebhookPaused,
        Self::PhoneOffline,
        Self::KeyRotated,
        Self::QuotaNear,
        Self::QuotaSpent,
    ];

    /// The column of the account that must be true.
    const fn switch(self) -> Option<&'static str> {
        match self {
            Self::MessageFailed | Self::MessageExpired => Some("notify_message_status"),
            Self::WebhookFailed | Self::DiscordFailed | Self::WebhookPaused => {
                Some("notify_webhook")
            }
            Self::PhoneOffline => Some("notify_heartbeat"),
            Self::KeyRotated | Self::QuotaNear | Self::QuotaSpent => None,
        }
    }

    /// How long another mail with the same key stays away (contract: events, §5).
    const fn quiet(self) -> Option<Duration> {
        match self {
            Self::MessageFailed => Some(Duration::from_mins(15)),
            Self::MessageExpired | Self::WebhookFailed | Self::DiscordFailed => {
                Some(Duration::from_hours(1))
            }
            // Longer than a cycle: its topics name the cycle.
            Self::QuotaNear => Some(Duration::from_hours(32 * 24)),
            Self::QuotaSpent => Some(Duration::from_hours(12)),
            Self::WebhookPaused | Self::PhoneOffline | Self::KeyRotated => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MessageFailed => "message.send.failed",
            Self::MessageExpired => "message.send.expired",
            Self::WebhookFailed => "webhook.send.failed",
            Self::DiscordFailed => "discord.send.failed",
            Self::WebhookPaused => "webhook.paused",
            Self::PhoneOffline => "phone.heartbeat.offline",
            Self::KeyRotated => "user.api-key.rotated",
            Self::QuotaNear => "user.limit.near",
            Self::QuotaSpent => "user.limit.exceeded",
        }
    }
}

/// A mail as it is handed to the mail server.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its id, which makes its `Message-ID`.
    pub id: Uuid,
    /// The recipient's address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

db::row! {
    struct Row { id: Uuid, recipient: String, subject: String, text: String }

    struct Recipient { email: String, timezone: String }
}

/// The words of a mail: its subject, a sentence, and facts as name and value.
pub(crate) struct Letter<'a> {
    pub subject: String,
    pub opening: String,
    pub facts: Vec<(&'a str, String)>,
}

impl Gateway {
    /// A mail by its id; `None` once it has left or is not wanted any more.
    pub async fn mail(&self, id: Uuid) -> Result<Option<Mail>> {
        self.lookup(move |tx| {
            let row: Option<Row> = tx.optional(
                "SELECT id, recipient, subject, text FROM mail WHERE id = $1",
                &[&id],
            )?;
            Ok(row.map(|row| Mail {
                id: row.id,
                to: row.recipient,
                subject: row.subject,
                text: row.text,
            }))
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Queues a mail to the account's owner, unless it is switched off or one like it went out just
    /// now. `about` tells apart what may each have a mail of its own: a number, a webhook.
    pub(crate) fn mail(
        &mut self,
        topic: Topic,
        user_id: &str,
        about: &str,
        letter: impl FnOnce(&str) -> Letter<'static>,
    ) -> Result<()> {
        if !self.gateway.settings.mail {
            return Ok(());
        }
        let switch = topic.switch().unwrap_or("TRUE");
        let recipient: Option<Recipient> = self.tx.optional(
            &format!("SELECT email, timezone FROM account WHERE id = $1 AND disabled_at IS NULL AND {switch}"),
            &[&user_id],
        )?;
        let Some(recipient) = recipient else {
            return Ok(());
        };
        if !self.mail_is_due(topic, user_id, about)? {
            return Ok(());
        }
        let letter = letter(&recipient.timezone);
        let text = text(&letter, topic.switch().is_some());
        let mail = id::new(self.now);
        self.tx.execute(
            "INSERT INTO mail (id, user_id, recipient, subject, text, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &mail,
                &user_id,
                &recipient.email,
                &letter.subject,
                &text,
                &self.now,
            ],
        )?;
        self.queue_mail(user_id, mail)
    }

    /// Whether no mail with this key went out within its quiet time; from now on one has.
    fn mail_is_due(&mut self, topic: Topic, user_id: &str, about: &str) -> Result<bool> {
        let Some(quiet) = topic.quiet() else {
            return Ok(true);
        };
        let key = format!("{}/{user_id}/{about}", topic.name());
        let changed = self.tx.execute(
            "INSERT INTO mail_quiet (key, until) VALUES ($1, $2)
             ON CONFLICT (key) DO UPDATE SET until = $2 WHERE mail_quiet.until <= $3",
            &[&key, &(self.now + quiet), &self.now],
        )?;
        Ok(changed == 1)
    }

    /// Forgets a mail that has left, or was given up.
    pub(crate) fn mail_is_done(&mut self, mail: Uuid) -> Result<()> {
        self.tx
            .execute("DELETE FROM mail WHERE id = $1", &[&mail])?;
        Ok(())
    }
}

fn text(letter: &Letter<'_>, can_be_switched_off: bool) -> String {
    let mut text = format!("{}\n", letter.opening);
    for (name, value) in &letter.facts {
        text.extend(["\n", name, ": ", value]);
    }
    if can_be_switched_off {
        text.push_str("\n\nYou can switch these mails off in the settings of your account.");
    }
    text.push('\n');
    text
}

/// An instant as people of that zone read it, by RFC 1123; UTC if nobody knows the zone.
pub(crate) fn local(time: Time, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    match jiff::Timestamp::from_microsecond(time.micros()) {
        Ok(timestamp) => timestamp
            .to_zoned(zone)
            .strftime("%a, %d %b %Y %H:%M:%S %Z")
            .to_string(),
        Err(_) => time.to_string(),
    }
}

/// A number as people read it; a name or short code as it is.
pub(crate) fn readable(text: &str) -> String {
    number::international(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_in_the_owners_zone() {
        let time: Time = "2026-03-04T09:15:20Z".parse().unwrap();
        assert_eq!(
            local(time, "Europe/Tallinn"),
            "Wed, 04 Mar 2026 11:15:20 EET"
        );
        assert_eq!(local(time, "Nowhere/Land"), "Wed, 04 Mar 2026 09:15:20 UTC");
    }

    #[test]
    fn a_mail_is_a_sentence_and_its_facts() {
        let letter = Letter {
            subject: "s".to_owned(),
            opening: "It failed.".to_owned(),
            facts: vec![("From", "+1 800".to_owned())],
        };
        let text = text(&letter, true);
        assert!(
            text.starts_with("It failed.\n\nFrom: +1 800\n\nYou can"),
            "{text}"
        );
    }
}

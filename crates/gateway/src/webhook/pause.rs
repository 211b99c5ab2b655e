//! Pausing: nothing is sent to a webhook, and what happens meanwhile waits for it.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::delivery::News;
use crate::event::{About, Kind};
use crate::mail::{Letter, Topic, local};
use crate::names::names;
use crate::{Gateway, Result, Work};

use super::Webhook;

/// Why a webhook is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// Its owner wants it so.
    Asked,
    /// It has failed for days, with never a success.
    Failing,
    /// Its account may not come in; it goes on with it.
    Disabled,
}

names!(PauseReason { Asked => "asked", Failing => "failing", Disabled => "disabled" });

/// The payload of `webhook.paused`.
#[derive(Serialize)]
struct Paused<'a> {
    webhook_id: Uuid,
    webhook_url: &'a str,
    user_id: &'a str,
    reason: PauseReason,
    failing_since: Option<Time>,
    timestamp: Time,
}

impl Gateway {
    /// Stops sending to a webhook. Its events wait.
    pub async fn pause_webhook(&self, caller: &Caller, webhook: Uuid) -> Result<Webhook> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.webhook_row(&user_id, webhook)?;
            work.pause(&user_id, webhook, PauseReason::Asked)?;
            let row = work.webhook_row(&user_id, webhook)?;
            work.gateway.reveal_webhook(work.tx, row, work.now)
        })
        .await
    }

    /// Sends again, first what has waited.
    pub async fn resume_webhook(&self, caller: &Caller, webhook: Uuid) -> Result<Webhook> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.resume(&user_id, webhook)?;
            let row = work.webhook_row(&user_id, webhook)?;
            work.gateway.reveal_webhook(work.tx, row, work.now)
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Sends to a webhook again.
    pub(crate) fn resume(&mut self, user_id: &str, webhook: Uuid) -> Result<()> {
        let row = self.webhook_row(user_id, webhook)?;
        if let (Some(since), true) = (row.failing_since, row.policy().catch_up) {
            self.catch_up(user_id, webhook, since)?;
        }
        self.tx.execute(
            "UPDATE webhook SET paused_at = NULL, pause_reason = NULL, failing_since = NULL,
                 version = version + 1, updated_at = $2 WHERE id = $1",
            &[&webhook, &self.now],
        )?;
        let now = self.now;
        self.on_commit(move |gateway| {
            gateway.handoff.tell(News::Changed(webhook));
            gateway.handoff.tell(News::Waiting(webhook, now));
        });
        Ok(())
    }

    /// Pauses a webhook that is not paused yet, and records why.
    pub(crate) fn pause(
        &mut self,
        user_id: &str,
        webhook: Uuid,
        reason: PauseReason,
    ) -> Result<()> {
        let paused = self.tx.execute(
            "UPDATE webhook SET paused_at = $2, pause_reason = $3, version = version + 1,
                 updated_at = $2 WHERE id = $1 AND paused_at IS NULL",
            &[&webhook, &self.now, &reason],
        )?;
        if paused == 0 {
            return Ok(());
        }
        self.on_commit(move |gateway| gateway.handoff.tell(News::Changed(webhook)));
        let row = self.webhook_row(user_id, webhook)?;
        let source = format!("/v1/webhooks/{webhook}");
        let about = About {
            user_id,
            owner: None,
            source: &source,
            message: None,
        };
        let payload = Paused {
            webhook_id: webhook,
            webhook_url: &row.url,
            user_id,
            reason,
            failing_since: row.failing_since,
            timestamp: self.now,
        };
        self.append(Kind::WebhookPaused, about, &payload)?;
        match reason {
            PauseReason::Asked | PauseReason::Disabled => Ok(()),
            PauseReason::Failing => self.mail_paused(user_id, row),
        }
    }

    fn mail_paused(&mut self, user_id: &str, row: super::Row) -> Result<()> {
        let about = row.id.to_string();
        self.mail(Topic::WebhookPaused, user_id, &about, |zone| Letter {
            subject: "A webhook was paused".to_owned(),
            opening: "Your webhook was paused, because it has failed for days and never worked \
                      since. What happens meanwhile waits for it; resume it once it is mended."
                .to_owned(),
            facts: vec![
                ("URL", row.url),
                (
                    "Failing since",
                    row.failing_since
                        .map_or_else(String::new, |since| local(since, zone)),
                ),
            ],
        })
    }

    /// Notes how attempts at a webhook went: since when it fails, and whether it has failed for so
    /// long that it is paused, or has come back.
    pub(crate) fn note_health(
        &mut self,
        webhook: Uuid,
        delivered: bool,
        gave_up: bool,
    ) -> Result<()> {
        let row = self.tx.optional(
            &format!("SELECT {} FROM webhook WHERE id = $1", super::COLUMNS),
            &[&webhook],
        )?;
        let row: super::Row = match row {
            Some(row) => row,
            None => return Ok(()),
        };
        match (row.failing_since, delivered) {
            (None, true) => Ok(()),
            (Some(since), true) => self.came_back(&row, since),
            (None, false) => {
                self.tx.execute(
                    "UPDATE webhook SET failing_since = $2 WHERE id = $1",
                    &[&webhook, &self.now],
                )?;
                Ok(())
            }
            (Some(since), false) => {
                let too_long: Duration = self.gateway.settings.webhook_pause_after;
                if gave_up && self.now.since(since) >= too_long {
                    self.pause(&row.user_id, webhook, PauseReason::Failing)?;
                }
                Ok(())
            }
        }
    }

    fn came_back(&mut self, row: &super::Row, since: Time) -> Result<()> {
        self.tx.execute(
            "UPDATE webhook SET failing_since = NULL WHERE id = $1",
            &[&row.id],
        )?;
        if row.policy().catch_up {
            self.catch_up(&row.user_id, row.id, since)?;
        }
        Ok(())
    }
}

//! What an account's owner sets: zone, shown phone, and which mails come.

use uuid::Uuid;

use super::User;
use crate::caller::Caller;
use crate::{Gateway, Result};

/// Which mails an owner wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notifications {
    /// About failed and expired messages.
    pub message_status: bool,
    /// About webhooks that cannot be reached.
    pub webhook: bool,
    /// About phones that went offline.
    pub heartbeat: bool,
    /// Kept for clients; nothing reads it.
    pub newsletter: bool,
}

impl Gateway {
    /// Sets zone and shown phone. A zone that nobody knows is `UTC` (contract: API, §2.10).
    pub async fn update_me(
        &self,
        caller: &Caller,
        timezone: &str,
        active_phone_id: Option<Uuid>,
    ) -> Result<User> {
        let user_id = caller.user_id.clone();
        let timezone = match timezone.trim() {
            known if jiff::tz::TimeZone::get(known).is_ok() => known.to_owned(),
            _ => "UTC".to_owned(),
        };
        self.write(move |work| {
            work.tx.execute(
                "UPDATE account SET timezone = $2, active_phone_id = $3, updated_at = $4
                  WHERE id = $1",
                &[&user_id, &timezone, &active_phone_id, &work.now],
            )?;
            work.load_user(&user_id)
        })
        .await
    }

    /// Says which mails are wanted.
    pub async fn set_notifications(&self, caller: &Caller, wanted: Notifications) -> Result<User> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.tx.execute(
                "UPDATE account SET notify_message_status = $2, notify_webhook = $3,
                     notify_heartbeat = $4, notify_newsletter = $5, updated_at = $6
                  WHERE id = $1",
                &[
                    &user_id,
                    &wanted.message_status,
                    &wanted.webhook,
                    &wanted.heartbeat,
                    &wanted.newsletter,
                    &work.now,
                ],
            )?;
            work.load_user(&user_id)
        })
        .await
    }
}

//! What other nodes of the same database did, heard over PostgreSQL's notifications.
//!
//! With SQLite there is one node, and the channels stay silent.

use std::str::FromStr as _;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::delivery::{COURIER, News};
use crate::phone::{self, Phone};
use crate::{Gateway, Result};

/// The channel on which the phone is named whose mailbox got something.
pub(crate) const MAILBOX: &str = "mailbox";

impl Gateway {
    /// Passes on what other nodes tell, until cancelled.
    pub async fn run_listener(&self, stop: CancellationToken) {
        let mut courier = self.0.db.listen(COURIER);
        let mut mailbox = self.0.db.listen(MAILBOX);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(target) = courier.recv() => self.heard_of_work(&target),
                Some(phone) = mailbox.recv() => {
                    // A mailbox that is not told of is looked into again by its poll.
                    if let Err(error) = self.heard_of_mailbox(&phone).await {
                        tracing::debug!(%error, "a phone could not be looked up");
                    }
                }
                else => return,
            }
        }
    }

    fn heard_of_work(&self, target: &str) {
        // An empty text after a reconnect: something may have been missed, and the courier's own
        // look at the disk finds it.
        if let Ok(target) = Uuid::from_str(target) {
            self.0.handoff.tell(News::Waiting(target, self.now()));
        }
    }

    async fn heard_of_mailbox(&self, phone: &str) -> Result<()> {
        let Ok(id) = Uuid::from_str(phone) else {
            return Ok(());
        };
        let phone: Option<Phone> = self
            .lookup(move |tx| {
                Ok(tx.optional(
                    &format!("SELECT {} FROM phone WHERE id = $1", phone::COLUMNS),
                    &[&id],
                )?)
            })
            .await?;
        if let Some(phone) = phone {
            self.0.wake.mailboxes_of(&phone);
        }
        Ok(())
    }
}

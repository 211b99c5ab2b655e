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

/// The channel on which the account is named that has a new event, and the one on which a node says
/// that it wants to be told of an account's.
pub(crate) const FEED: &str = "feed";
const FOLLOW: &str = "follow";

impl Gateway {
    /// Passes on what other nodes tell, until cancelled.
    pub async fn run_listener(&self, stop: CancellationToken) {
        let mut courier = self.0.db.listen(COURIER);
        let mut mailbox = self.0.db.listen(MAILBOX);
        let mut feed = self.0.db.listen(FEED);
        let mut follow = self.0.db.listen(FOLLOW);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(target) = courier.recv() => self.heard_of_work(&target),
                Some(user_id) = feed.recv() => self.0.wake.followers().tell(&user_id),
                Some(follower) = follow.recv() => self.heard_of_follower(&follower),
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

    /// Asks the other nodes to tell of an account's events for a while.
    pub(crate) async fn announce_follower(&self, user_id: &str) -> Result<()> {
        if self.0.db.engine() == db::Engine::Sqlite {
            return Ok(());
        }
        let follower = format!("{} {user_id}", self.0.node);
        self.write(move |work| Ok(work.tx.notify(FOLLOW, &follower)?))
            .await
    }

    fn heard_of_follower(&self, follower: &str) {
        if let Some((node, user_id)) = follower.split_once(' ')
            && node != self.0.node.to_string()
        {
            self.0.wake.followers().heard_of(user_id, self.now());
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

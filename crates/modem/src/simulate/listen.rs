//! Waiting for work: one long poll after the other, for all numbers of the phone.
//! Notifications are taken over here, acknowledged with the next poll, and done elsewhere.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Happening;
use super::handset::Handset;
use crate::wire::{Notification, Wake};
use crate::{Backoff, Error};

/// Below the common idle times of proxies.
const WAIT: Duration = Duration::from_secs(50);
/// Keeps the address of a poll short; what is left goes with the poll after it.
const ACKS_PER_POLL: usize = 100;
/// So many polls that end early are no accident.
const CROWDED: u32 = 3;

/// The state of the line between two polls.
#[derive(Default)]
struct Line {
    /// Taken over, but the server does not know yet.
    acks: Vec<Uuid>,
    /// A poll has worked at least once.
    accepted: bool,
    /// The last poll failed.
    down: bool,
    /// Polls in a row that ended too early with nothing new.
    early: u32,
    backoff: Backoff,
}

impl Line {
    /// After a failure just a look, so that the rest of the phone soon knows that the server is back.
    fn wait(&self) -> Duration {
        if self.down { Duration::ZERO } else { WAIT }
    }

    fn offered(&self) -> usize {
        self.acks.len().min(ACKS_PER_POLL)
    }

    /// Notes an answered poll; true when there was something new in it.
    fn take_over(&mut self, offered: usize, batch: &[Notification]) -> bool {
        let acked = &self.acks[..offered];
        let news = batch.iter().any(|it| !acked.contains(&it.id));
        self.acks.drain(..offered);
        for notification in batch {
            if !self.acks.contains(&notification.id) {
                self.acks.push(notification.id);
            }
        }
        self.accepted = true;
        news
    }
}

impl Handset {
    /// Polls for as long as the server takes this phone.
    pub async fn listen(self: &Arc<Self>) -> Result<Infallible, Error> {
        let mut line = Line::default();
        loop {
            let (asked, wait, offered) = (Instant::now(), line.wait(), line.offered());
            let acks = &line.acks[..offered];
            match self.client.notifications(wait, acks).await {
                Ok(batch) => {
                    self.line_works(&mut line);
                    let news = line.take_over(offered, &batch);
                    for notification in batch {
                        self.wake(notification.data).await;
                    }
                    let in_time = asked.elapsed() >= wait / 2;
                    self.pace(&mut line, news || in_time).await;
                }
                Err(error) => self.line_fails(&mut line, error).await?,
            }
        }
    }

    async fn wake(self: &Arc<Self>, wake: Wake) {
        match wake {
            Wake::Heartbeat => self.nudge.notify_one(),
            Wake::Message(id) => self.pushed(id).await,
            Wake::Unknown => tracing::debug!("a notification of an unknown kind"),
        }
    }

    /// Two phones with one key push each other off the line (the newest poll wins), and a server
    /// may offer the same for ever: without a pause both would spin.
    async fn pace(&self, line: &mut Line, fair: bool) {
        if fair {
            line.early = 0;
            line.backoff.reset();
            return;
        }
        line.early += 1;
        if line.early == CROWDED {
            self.tell(|| Happening::Crowded);
        }
        self.pause(line.backoff.pause()).await;
    }

    fn line_works(&self, line: &mut Line) {
        if std::mem::take(&mut line.down) {
            line.backoff.reset();
            self.tell(|| Happening::Online);
            self.back_online.notify_waiters();
        }
    }

    /// 401 is final. Any other refusal is too, unless it worked before: then something between
    /// here and the server is being repaired.
    async fn line_fails(&self, line: &mut Line, error: Error) -> Result<(), Error> {
        match error {
            Error::Unauthorized => return Err(Error::Revoked),
            error if !line.accepted && !error.is_transient() => return Err(error),
            error => {
                if !std::mem::replace(&mut line.down, true) {
                    tracing::warn!(%error, "the line is down");
                    self.tell(|| Happening::Offline {
                        why: error.to_string(),
                    });
                }
                self.wait_out(&error, &mut line.backoff).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{ACKS_PER_POLL, Duration, Line, Notification, Uuid, WAIT, Wake};

    fn batch(ids: std::ops::Range<u128>) -> Vec<Notification> {
        let notification = |id| Notification {
            id: Uuid::from_u128(id),
            data: Wake::Unknown,
        };
        ids.map(notification).collect()
    }

    #[test]
    fn what_was_taken_over_is_acknowledged_by_the_next_poll() {
        let mut line = Line::default();
        assert!(line.take_over(0, &batch(0..3)));
        assert_eq!(line.offered(), 3);
        assert!(!line.take_over(3, &[]));
        assert_eq!(line.offered(), 0);
    }

    #[test]
    fn long_lists_go_in_parts_and_ids_only_once() {
        let mut line = Line::default();
        line.take_over(0, &batch(0..150));
        assert_eq!(line.offered(), ACKS_PER_POLL);
        assert!(
            line.take_over(100, &batch(100..150)),
            "not acknowledged yet"
        );
        assert_eq!(line.acks.len(), 50);
    }

    #[test]
    fn what_comes_again_despite_its_acknowledgement_is_no_news() {
        let mut line = Line::default();
        line.take_over(0, &batch(0..2));
        assert!(!line.take_over(2, &batch(0..2)));
        assert_eq!(line.offered(), 2, "acknowledged once more");
        assert!(line.take_over(2, &batch(1..3)));
    }

    #[test]
    fn after_a_failure_comes_a_quick_look() {
        let mut line = Line::default();
        assert_eq!(line.wait(), WAIT);
        line.down = true;
        assert_eq!(line.wait(), Duration::ZERO);
    }
}

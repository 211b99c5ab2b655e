//! Finds rows that nobody told of: those of an earlier epoch at a take-over, and later, as a safety net,
//! whatever a lost notification left behind.

use std::time::Duration;

use gateway::{Gateway, Time, Uuid};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// Between two walks.
const PAUSE: Duration = Duration::from_secs(30);

/// Targets per page.
const PAGE: i64 = 1_000;

/// Walks over the targets with rows on disk, again and again, until it is dropped.
pub(crate) struct Walk {
    pages: mpsc::Receiver<Vec<(Uuid, Time)>>,
    _walking: AbortOnDropHandle<()>,
}

impl Walk {
    /// Begins at once.
    pub fn start(gateway: Gateway, epoch: i64) -> Self {
        let (tell, pages) = mpsc::channel(1);
        let walking = tokio::spawn(walk(gateway, epoch, tell));
        Self {
            pages,
            _walking: AbortOnDropHandle::new(walking),
        }
    }

    /// The next targets, each with the time its first row is due.
    pub async fn next(&mut self) -> Option<Vec<(Uuid, Time)>> {
        self.pages.recv().await
    }
}

/// Whether a page is the last one of a walk.
pub(crate) fn is_last(page: &[(Uuid, Time)]) -> bool {
    page.len() < PAGE as usize
}

async fn walk(gateway: Gateway, epoch: i64, tell: mpsc::Sender<Vec<(Uuid, Time)>>) {
    let mut after = None;
    loop {
        let wait = match gateway.waiting(epoch, after, PAGE).await {
            Ok(page) => {
                after = page.last().map(|(target, _)| *target);
                let is_last = is_last(&page);
                if tell.send(page).await.is_err() {
                    return;
                }
                if !is_last {
                    continue;
                }
                after = None;
                PAUSE
            }
            Err(error) => {
                warn!(%error, "waiting deliveries cannot be looked for");
                Duration::from_secs(1)
            }
        };
        sleep(wait).await;
    }
}

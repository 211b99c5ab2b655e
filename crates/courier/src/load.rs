//! Brings rows from disk, some targets at a time.

use std::collections::VecDeque;
use std::time::Duration;

use gateway::delivery::{Delivery, Rest};
use gateway::{Gateway, Uuid};
use tokio::task::JoinSet;

use crate::scheduler::Which;

/// Loads at the same time.
const AT_ONCE: usize = 4;

/// Rows that are due so soon come with those that are due.
pub(crate) const AHEAD: Duration = Duration::from_secs(30);

/// Loads that are wanted and loads that are under way.
pub(crate) struct Loader {
    gateway: Gateway,
    epoch: i64,
    wanted: VecDeque<(Uuid, usize, Which)>,
    running: JoinSet<Loaded>,
}

/// What a load brought: rows, and when what stayed on disk is due.
pub(crate) struct Loaded {
    pub target: Uuid,
    pub rows: gateway::Result<(Vec<Delivery>, Rest)>,
}

impl Loader {
    /// With nothing to load yet.
    pub fn new(gateway: Gateway, epoch: i64) -> Self {
        Self {
            gateway,
            epoch,
            wanted: VecDeque::new(),
            running: JoinSet::new(),
        }
    }

    /// Rows of this target are wanted.
    pub fn want(&mut self, target: Uuid, limit: usize, which: Which) {
        self.wanted.push_back((target, limit, which));
    }

    /// Begins as many loads as there is room for.
    pub fn kick(&mut self) {
        while self.running.len() < AT_ONCE
            && let Some((target, limit, which)) = self.wanted.pop_front()
        {
            let (gateway, epoch) = (self.gateway.clone(), self.epoch);
            self.running.spawn(async move {
                let until = gateway.now() + AHEAD;
                let limit = limit as i64;
                let rows = match which {
                    Which::All => gateway.load(epoch, target, until, limit).await,
                    Which::Retries => gateway.load_retries(epoch, target, until, limit).await,
                };
                Loaded { target, rows }
            });
        }
    }

    /// The next load that is done; waits for ever while there is none.
    pub async fn loaded(&mut self) -> Loaded {
        match self.running.join_next().await {
            Some(Ok(loaded)) => loaded,
            // A task of ours neither panics nor is cancelled before the whole set is.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}

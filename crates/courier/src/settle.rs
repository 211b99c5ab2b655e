//! Writes down how attempts ended: what comes while one batch is written is the next batch.
//! Nothing is lost while the database is away; the same batch is written again until it is on disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use gateway::Gateway;
use gateway::delivery::{Delivery, Outcome, Seen, Settlement};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, warn};

use crate::scheduler::Next;

/// The most in one transaction.
const BATCH: usize = 512;

/// How long to wait for the database, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How often a settlement that the database refuses is tried.
const TRIES: u32 = 3;

/// Ends of attempts on their way to the disk.
pub(crate) struct Settler {
    waiting: VecDeque<(Settlement, Delivery, Next)>,
    under_way: Vec<(Delivery, Next)>,
    batches: mpsc::Sender<Vec<Settlement>>,
    done: mpsc::Receiver<()>,
    _writing: AbortOnDropHandle<()>,
}

impl Settler {
    /// With nothing to write yet.
    pub fn new(gateway: Gateway) -> Self {
        let (batches, work) = mpsc::channel(1);
        let (tell, done) = mpsc::channel(1);
        Self {
            waiting: VecDeque::new(),
            under_way: Vec::new(),
            batches,
            done,
            _writing: AbortOnDropHandle::new(tokio::spawn(write(gateway, work, tell))),
        }
    }

    /// Takes the end of an attempt.
    pub fn push(
        &mut self,
        delivery: Delivery,
        outcome: Outcome,
        next: Next,
        seen: Option<Box<Seen>>,
    ) {
        let settlement = Settlement {
            id: delivery.id,
            attempt: delivery.attempt,
            outcome,
            letter: delivery.letter.clone(),
            live_webhook: delivery.live_webhook(),
            seen,
        };
        self.waiting.push_back((settlement, delivery, next));
    }

    /// Begins to write what is waiting, unless a batch is under way.
    pub fn kick(&mut self) {
        if !self.under_way.is_empty() || self.waiting.is_empty() {
            return;
        }
        let size = self.waiting.len().min(BATCH);
        let mut batch = Vec::with_capacity(size);
        for (settlement, delivery, next) in self.waiting.drain(..size) {
            batch.push(settlement);
            self.under_way.push((delivery, next));
        }
        // There is room: one batch at a time. The other side ends with us.
        let _ = self.batches.try_send(batch);
    }

    /// Waits until the batch that is under way is on disk; gives what was in it.
    pub async fn written(&mut self) -> Vec<(Delivery, Next)> {
        if self.done.recv().await.is_none() {
            // Only when the writing task has died; the session cannot go on.
            std::future::pending::<()>().await;
        }
        std::mem::take(&mut self.under_way)
    }

    /// How many ends are not on disk.
    pub fn backlog(&self) -> usize {
        self.waiting.len() + self.under_way.len()
    }
}

async fn write(
    gateway: Gateway,
    mut work: mpsc::Receiver<Vec<Settlement>>,
    tell: mpsc::Sender<()>,
) {
    while let Some(batch) = work.recv().await {
        write_batch(&gateway, batch).await;
        if tell.send(()).await.is_err() {
            return;
        }
    }
}

async fn write_batch(gateway: &Gateway, batch: Vec<Settlement>) {
    let batch: Arc<[Settlement]> = batch.into();
    if write_or_refuse(gateway, &batch).await {
        return;
    }
    // One of them cannot be written: the others shall not suffer.
    for settlement in batch.iter() {
        let (delivery, attempt) = (settlement.id, settlement.attempt);
        if !write_or_refuse(gateway, &[settlement.clone()].into()).await {
            error!(
                delivery,
                attempt, "the end of an attempt cannot be recorded; it will be made again"
            );
        }
    }
}

/// Writes until it is on disk, or until the database has refused it for another reason than being away.
async fn write_or_refuse(gateway: &Gateway, batch: &Arc<[Settlement]>) -> bool {
    let (mut wait, mut refusals) = (FIRST_WAIT, 0);
    loop {
        let error = match gateway.settle(Arc::clone(batch)).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        warn!(%error, settlements = batch.len(), "ends of attempts are not recorded yet");
        refusals += u32::from(!error.is_unavailable());
        if refusals == TRIES {
            return false;
        }
        sleep(wait).await;
        wait = LAST_WAIT.min(wait * 2);
    }
}

//! The right to carry: one node of a database has it at a time, and renews it in the background.

use std::time::Duration;

use gateway::Gateway;
use gateway::delivery::LEASE;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

/// How often it is renewed.
const RENEW: Duration = Duration::from_millis(LEASE.as_millis() as u64 / 4);

/// How often a node without it asks.
const ASK: Duration = Duration::from_secs(1);

/// How it stands with the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is ours at least until then.
    Held(Instant),
    /// The database was away, and the lease is still ours. What was committed meanwhile without an
    /// answer is known to nobody.
    Back(Instant),
    /// Another node has it.
    Lost,
}

/// A lease that is being renewed, until this is dropped.
pub(crate) struct Lease {
    /// Work in it is done under this number.
    pub epoch: i64,
    standing: watch::Receiver<Standing>,
    _renewal: AbortOnDropHandle<()>,
}

impl Lease {
    /// Waits until this node gets it.
    pub async fn win(gateway: &Gateway) -> Self {
        let mut told = false;
        loop {
            let asked = Instant::now();
            match gateway.take_lease(None).await {
                Ok(Some(epoch)) => {
                    info!(epoch, "this node carries deliveries now");
                    return Self::hold(gateway.clone(), epoch, asked);
                }
                Ok(None) if !told => info!("another node carries deliveries"),
                Err(error) if !told => warn!(%error, "no lease for deliveries can be asked for"),
                Ok(None) | Err(_) => {}
            }
            told = true;
            sleep(ASK).await;
        }
    }

    fn hold(gateway: Gateway, epoch: i64, asked: Instant) -> Self {
        let (tell, standing) = watch::channel(Standing::Held(asked + LEASE));
        let renewal = tokio::spawn(renew(gateway, epoch, tell));
        Self {
            epoch,
            standing,
            _renewal: AbortOnDropHandle::new(renewal),
        }
    }

    /// How it stands now.
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Whether it is ours at this moment, as far as is known.
    pub fn is_held(&self) -> bool {
        match self.standing() {
            Standing::Held(until) | Standing::Back(until) => Instant::now() < until,
            Standing::Lost => false,
        }
    }

    /// Waits for the next news of it.
    pub async fn changed(&mut self) -> Standing {
        match self.standing.changed().await {
            Ok(()) => *self.standing.borrow_and_update(),
            Err(_) => Standing::Lost,
        }
    }
}

async fn renew(gateway: Gateway, epoch: i64, tell: watch::Sender<Standing>) {
    let mut turns = interval_at(Instant::now() + RENEW, RENEW);
    let mut was_away = false;
    loop {
        turns.tick().await;
        let until = Instant::now() + LEASE;
        let standing = match gateway.take_lease(Some(epoch)).await {
            Ok(Some(same)) if same == epoch && was_away => Standing::Back(until),
            Ok(Some(same)) if same == epoch => Standing::Held(until),
            Ok(other) => {
                info!(epoch, "this node carries deliveries no longer");
                give_up(&gateway, other).await;
                tell.send_replace(Standing::Lost);
                return;
            }
            Err(error) => {
                if !was_away {
                    warn!(epoch, %error, "the lease for deliveries cannot be renewed");
                }
                was_away = true;
                continue;
            }
        };
        tell.send_replace(standing);
    }
}

/// A lease that ran out and came back under a new number is no use: it is taken anew, in good order.
async fn give_up(gateway: &Gateway, other: Option<i64>) {
    if let Some(epoch) = other
        && let Err(error) = gateway.release_lease(epoch).await
    {
        warn!(epoch, %error, "a lease runs out by itself");
    }
}

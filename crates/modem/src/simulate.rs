//! The simulated phone: registers, waits for work, pretends to send it and reports.
//! For trying things out, for tests and for load; behaves like the Android app, better where the
//! phone protocol §15 says so.

mod dice;
mod handset;
mod happening;
mod heartbeat;
mod incoming;
mod ledger;
mod listen;
mod options;
mod outgoing;
mod stats;

use std::sync::Arc;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Error, Transport};
use handset::Handset;

pub use happening::Happening;
pub use options::Options;
pub use stats::{Counter, Stats, Summary};

/// A simulated phone that is not switched on yet. It needs no thread of its own: thousands fit in
/// one process when they share a [`Transport`].
pub struct Phone(Handset);

impl Phone {
    /// Checks the options; nothing goes over the wire.
    pub fn new(transport: &Transport, options: Options) -> Result<Self, Error> {
        options.check()?;
        Handset::new(transport, options).map(Self)
    }

    /// Calls `listener` for each thing that happens, in the midst of it: it must be quick.
    #[must_use]
    pub fn on_happening(mut self, listener: impl Fn(&Happening) + Send + Sync + 'static) -> Self {
        self.0.listener = Some(Box::new(listener));
        self
    }

    /// Counts into `stats`, which other phones may share.
    #[must_use]
    pub fn counting_into(mut self, stats: Arc<Stats>) -> Self {
        self.0.stats = stats;
        self
    }

    /// The counters, for reading while it runs.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.0.stats)
    }

    /// Runs until `stop`, through any outage of the server. A stopping phone hurries: what was
    /// claimed is reported without further waiting, for as long as [`Options::flush`] allows.
    ///
    /// Ends early with an error when the server does not take the phone: a refused registration,
    /// a server without notifications, or a revoked key.
    pub async fn run(self, stop: CancellationToken) -> Result<Summary, Error> {
        let handset = Arc::new(self.0);
        let lived = tokio::select! {
            ended = live(&handset) => ended,
            () = stop.cancelled() => Ok(()),
        };
        wind_down(&handset).await;
        lived.map(|()| handset.stats.summary())
    }
}

async fn live(handset: &Arc<Handset>) -> Result<(), Error> {
    handset.register().await?;
    tokio::select! {
        ended = handset.listen() => ended.map(|never| match never {}),
        never = handset.beat() => match never {},
        never = handset.traffic() => match never {},
    }
}

async fn wind_down(handset: &Handset) {
    handset.stopping.cancel();
    handset.tasks.close();
    if timeout(handset.options.flush, handset.tasks.wait())
        .await
        .is_err()
    {
        let left = handset.tasks.len();
        tracing::warn!(left, "stopped before everything was handed in");
        handset.stats.unreported.add(left as u64);
        handset.abandoned.cancel();
        handset.tasks.wait().await;
    }
}

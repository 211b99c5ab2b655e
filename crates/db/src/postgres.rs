//! PostgreSQL: a few threads, each with a connection of its own, some to write and some to read.
//! Here is what they are opened with; the rest is in files below.

mod error;
mod lane;
mod listen;
pub(crate) mod notify;
mod session;
mod statement;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::job::{Jobs, Queue};
use crate::tx::Tx;
use crate::{Error, Result};

use lane::Way;
use notify::Notifier;
pub(crate) use session::Session;

/// To get a connection that is free, for those who only read.
const WAIT: Duration = Duration::from_secs(5);

/// Of so many connections one writes.
const A_WRITER: usize = 12;
/// Connections for reads, at most: each costs a thread, and a megabyte or so.
const READERS: usize = 4;

/// A server.
pub(crate) struct Postgres {
    writers: Jobs,
    readers: Jobs,
    lookups: Jobs,
    scanners: Jobs,
    way: Way,
    closed: watch::Sender<bool>,
}

impl Postgres {
    pub(crate) fn open(url: &str, connections: usize) -> Result<Self> {
        let (mut config, tls) = tls::configure(url)?;
        config.connect_timeout(WAIT);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("httpsms");
        }
        let notifier = Arc::new(Notifier::new(config.clone(), tls.clone()));
        let way = Way {
            config,
            tls,
            notifier,
        };
        let writers = (connections / A_WRITER).max(1);
        let readers = connections.saturating_sub(writers).clamp(1, READERS);
        Ok(Self {
            writers: start("db-writer", writers, &way, lane::write)?,
            readers: start("db-reader", readers, &way, lane::read)?,
            scanners: start_scanners(readers.div_ceil(2), &way)?,
            lookups: start("db-lookup", readers.div_ceil(4), &way, lane::read)?,
            way,
            closed: watch::Sender::new(false),
        })
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writers.run(work).await
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.readers.run_soon(work, WAIT).await
    }

    pub(crate) async fn lookup<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.lookups.run_soon(work, WAIT).await
    }

    /// The threads for long reads.
    pub(crate) fn scanners(&self) -> &Jobs {
        &self.scanners
    }

    pub(crate) fn listen(&self, channel: &str) -> mpsc::Receiver<String> {
        let (config, tls) = (self.way.config.clone(), self.way.tls.clone());
        listen::start(config, tls, channel, self.closed.subscribe())
    }

    pub(crate) async fn close(&self) {
        self.closed.send_replace(true);
        self.readers.close().await;
        self.lookups.close().await;
        self.scanners.close().await;
        self.writers.close().await;
        self.way.notifier.close().await;
    }
}

fn start(name: &str, count: usize, way: &Way, work: fn(Way, &Queue)) -> Result<Jobs> {
    Jobs::start(name, workers(count, way, work))
}

/// Half as many as for short reads: what they keep busy is the server's.
fn start_scanners(count: usize, way: &Way) -> Result<Jobs> {
    Jobs::start_long("db-scan", workers(count, way, lane::read))
}

fn workers(count: usize, way: &Way, work: fn(Way, &Queue)) -> Vec<impl FnOnce(Queue) + use<>> {
    let worker = |way: Way| move |queue: Queue| work(way, &queue);
    (0..count).map(|_| worker(way.clone())).collect()
}

//! Moves what is in the write-ahead log into the file, beside the writer: on a connection and a
//! thread of its own. What is left when the log has become long, the writer moves itself.

use std::cell::Cell;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY, open};
use crate::{Error, Result};

/// Jobs after which the log is emptied.
const OFTEN: usize = 2_000;

/// The way to the thread that empties the log.
pub(super) struct Checkpointer {
    nudge: SyncSender<()>,
    thread: JoinHandle<()>,
    /// Jobs since the last nudge.
    jobs: Cell<usize>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self> {
        let conn = open(path, OpenFlags::empty(), BUSY)?;
        let (nudge, nudged) = sync_channel(1);
        let thread = thread::Builder::new().name("db-checkpoint".into());
        let thread = thread
            .spawn(move || work(&conn, &nudged))
            .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        let jobs = Cell::new(0);
        Ok(Self {
            nudge,
            thread,
            jobs,
        })
    }

    /// So many more jobs are in the log.
    pub(super) fn committed(&self, jobs: usize) {
        let jobs = self.jobs.get() + jobs;
        if jobs < OFTEN {
            self.jobs.set(jobs);
        } else {
            self.jobs.set(0);
            // Where a nudge waits already, that one is for these as well.
            let _ = self.nudge.try_send(());
        }
    }

    pub(super) fn stop(self) {
        drop(self.nudge);
        drop(self.thread.join());
    }
}

/// Empties the log as far as nobody has to wait for it.
fn work(conn: &Connection, nudged: &Receiver<()>) {
    while nudged.recv().is_ok() {
        let moved = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            tracing::warn!(%error, "the write-ahead log grows");
        }
    }
}

//! SQLite: one thread writes, a few read, and point reads run where they are asked for. Here are
//! the open file and its connections; its threads, statements and errors are in files below.

mod checkpoint;
mod error;
mod scan;
mod statement;
mod sync;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use crate::tx::{Conn, Tx};
use crate::{Error, Result};

use crate::job::{Jobs, Queue};
use statement::Ready;
pub(crate) use statement::{Statements, execute, query, value};

/// How long a connection waits for another process that holds the lock it needs.
const BUSY: Duration = Duration::from_secs(5);
/// The same for a point read, which holds up a thread of the runtime.
const LOOKUP_BUSY: Duration = Duration::from_millis(100);
/// Threads for long reads: one that takes all of its time does not keep the quick ones waiting.
const SCANNERS: usize = 2;
/// Connections kept for the next point reads.
const LOOKUPS: usize = 16;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 256;

/// An open file.
pub(crate) struct Sqlite {
    path: PathBuf,
    writer: Jobs,
    readers: Jobs,
    scanners: Jobs,
    /// Free connections for point reads; `None` once closed.
    lookups: Mutex<Option<Vec<Connection>>>,
    /// Held so that silent receivers do not see an end.
    silent: Mutex<Vec<mpsc::Sender<String>>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = path.to_path_buf();
        let writer = writer::start(path.clone())?;
        let cores = available_parallelism().map_or(2, usize::from);
        let readers = (0..cores.clamp(2, 8))
            .map(|_| open_reader(&path, BUSY))
            .collect::<Result<Vec<_>>>()?;
        let scanners = (0..SCANNERS)
            .map(|_| open_reader(&path, BUSY))
            .collect::<Result<_>>()?;
        Ok(Self {
            writer,
            readers: start_readers(readers)?,
            scanners: scan::start(scanners)?,
            lookups: Mutex::new(Some(Vec::new())),
            silent: Mutex::default(),
            path,
        })
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.run(work).await
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// The threads for long reads.
    pub(crate) fn scanners(&self) -> &Jobs {
        &self.scanners
    }

    /// Runs `work` here and now. There are never more connections than threads that call this.
    pub(crate) fn lookup<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let free = match &mut *self.lookups() {
            Some(free) => free.pop(),
            None => return Err(Error::Closed.into()),
        };
        let conn = free.map_or_else(|| open_reader(&self.path, LOOKUP_BUSY), Ok)?;
        let tried = Tx::reading(Conn::Sqlite(&conn)).attempt(&mut work);
        if let (Some(free), false) = (&mut *self.lookups(), tried.panicked)
            && free.len() < LOOKUPS
        {
            free.push(conn);
        }
        tried.done
    }

    pub(crate) fn listen(&self) -> mpsc::Receiver<String> {
        let (silent, receiver) = mpsc::channel(1);
        let mut kept = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|sender| !sender.is_closed());
        kept.push(silent);
        receiver
    }

    /// The writer goes last: the connection that closes last cleans up the write-ahead log.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.scanners.close().await;
        *self.lookups() = None;
        self.writer.close().await;
        self.silent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn lookups(&self) -> std::sync::MutexGuard<'_, Option<Vec<Connection>>> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread for each of these connections, which only read.
fn start_readers(connections: Vec<Connection>) -> Result<Jobs> {
    let reader = |conn: Connection| {
        move |queue: Queue| {
            let ready = Ready::new(&conn);
            while let Some(mut job) = queue.take(1).pop() {
                job.run(Tx::reading(Conn::Sqlite(&ready)));
                job.tell(Ok(()));
            }
        }
    };
    Jobs::start("db-reader", connections.into_iter().map(reader).collect())
}

/// `NORMAL` leaves it to us to wait for the disk after a commit, see `sync`; it still does so itself
/// before it overwrites anything. The log is emptied by `checkpoint`, and shrinks again after a burst.
fn open_writer(path: &Path) -> Result<Connection> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_CREATE, BUSY)?;
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::Unavailable(format!(
            "{} cannot have a write-ahead log",
            path.display()
        )));
    }
    // What a savepoint would undo is kept in memory: a file for each job costs more than the job.
    conn.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 104857600; PRAGMA cache_size = -16384;",
    )?;
    Ok(conn)
}

fn open_reader(path: &Path, busy: Duration) -> Result<Connection> {
    let conn = open(path, OpenFlags::empty(), busy)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn open(path: &Path, more: OpenFlags, busy: Duration) -> Result<Connection> {
    // A connection stays on one thread at a time, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(busy)?;
    // A plan that depends on its first arguments would be made anew for all others.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

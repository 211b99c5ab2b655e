//! Moves what is in the write-ahead log into the database's file, so that the log begins anew. Most of
//! it is moved beside the writer, on a connection and a thread of its own. The log can only begin anew
//! when nothing is left in it, so the little that was written meanwhile is moved by the writer.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags, ffi};

use super::{BUSY, open};
use crate::{Error, Result};

/// Pages in the log, of 4 KiB each, after which it is emptied.
const FULL: usize = 16_000;

/// The way to the thread that empties the log.
pub(super) struct Checkpointer {
    /// What is in the log after the last commit.
    pages: Arc<AtomicUsize>,
    /// Pages after which it is emptied.
    full: usize,
    /// The same for the next time.
    due: Cell<usize>,
    /// Whether the thread is at it.
    moving: Cell<bool>,
    nudge: SyncSender<()>,
    moved: Receiver<Result<()>>,
    thread: JoinHandle<File>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self> {
        Self::with(path, FULL)
    }

    fn with(path: &Path, full: usize) -> Result<Self> {
        let conn = open(path, OpenFlags::empty(), BUSY)?;
        let file = OpenOptions::new().read(true).write(true).open(path);
        let database = file.map_err(|error| {
            Error::Unavailable(format!("cannot open {}: {error}", path.display()))
        })?;
        let (nudge, nudged) = sync_channel(1);
        let (done, moved) = channel();
        let thread = thread::Builder::new()
            .name("db-checkpoint".into())
            .spawn(move || work(&conn, database, &nudged, &done))
            .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            pages: Arc::default(),
            full,
            due: Cell::new(full),
            moving: Cell::new(false),
            nudge,
            moved,
            thread,
        })
    }

    /// Counts the pages of this connection's commits from now on.
    pub(super) fn watch(&self, conn: &mut Connection) -> Result<()> {
        let pages = Arc::clone(&self.pages);
        let count = move |_: &mut Wal, count: std::ffi::c_int| {
            pages.store(count.unsigned_abs() as usize, Ordering::Relaxed);
            Ok(())
        };
        Ok(conn.wal_hook(Some(count))?)
    }

    /// To be called after a commit on the connection that is watched. Fails when the disk did not keep
    /// what was moved: then nobody knows what of it is there.
    pub(super) fn committed(&self, conn: &Connection) -> Result<()> {
        let pages = self.pages.load(Ordering::Relaxed);
        let moved = self.moved.try_recv().ok().transpose()?.is_some();
        // The thread beside may be slower than the writer, which does not wait for it for ever.
        if moved || pages >= self.due.get().max(4 * self.full) {
            self.moving.set(false);
            // A long read keeps the log from being emptied: it is not tried again with every commit.
            let more = pages + self.full / 4;
            let whole = checkpoint(conn)?;
            self.due.set(if whole { self.full } else { more });
        } else if pages >= self.due.get() && !self.moving.replace(true) {
            // Where a nudge waits already, that one is for these as well.
            let _ = self.nudge.try_send(());
        }
        Ok(())
    }

    /// Gives back the database's file. To close it would end SQLite's locks on it, so it is to be dropped
    /// after the last connection.
    pub(super) fn stop(self) -> Option<File> {
        drop(self.nudge);
        self.thread.join().ok()
    }
}

fn work(
    conn: &Connection,
    database: File,
    nudged: &Receiver<()>,
    done: &Sender<Result<()>>,
) -> File {
    while nudged.recv().is_ok() {
        if done.send(most(conn, &database)).is_err() {
            break;
        }
    }
    database
}

/// Moves nearly all of the log, and has it on the disk, so that the writer need not wait for that. The
/// second time it is about what was written during the first.
fn most(conn: &Connection, database: &File) -> Result<()> {
    for _ in 0..2 {
        if checkpoint(conn)? {
            break;
        }
        let synced = database.sync_data();
        synced.map_err(|error| Error::Unavailable(error.to_string()))?;
    }
    Ok(())
}

/// Moves what nobody has to wait for; whether that was all. Only a disk that did not keep it is an error.
fn checkpoint(conn: &Connection) -> Result<bool> {
    let moved = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (pages, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        // Both are -1 while another connection is at it.
        Ok(pages >= 0 && pages == moved)
    });
    moved.or_else(|error| {
        let code = error.sqlite_error().map(|error| error.extended_code);
        if code == Some(ffi::SQLITE_IOERR_FSYNC) {
            return Err(error.into());
        }
        tracing::warn!(%error, "the write-ahead log grows");
        Ok(false)
    })
}

#[cfg(test)]
mod tests {
    use super::super::open_writer;
    use super::*;

    const SMALL: usize = 50;

    /// Commits until the log begins anew; how long it was.
    fn until_anew(conn: &Connection, checkpointer: &Checkpointer) -> usize {
        let mut most = 0;
        // Enough for a disk that is busy with others.
        for _ in 0..100_000 {
            conn.execute("INSERT INTO item (text) VALUES (randomblob(5000))", [])
                .unwrap();
            let pages = checkpointer.pages.load(Ordering::Relaxed);
            if pages < most {
                return most;
            }
            most = pages;
            checkpointer.committed(conn).unwrap();
        }
        panic!("the log has {most} pages");
    }

    #[test]
    fn the_log_begins_anew_while_it_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let mut conn = open_writer(&path).unwrap();
        let checkpointer = Checkpointer::with(&path, SMALL).unwrap();
        checkpointer.watch(&mut conn).unwrap();
        conn.execute_batch("CREATE TABLE item (id INTEGER PRIMARY KEY, text BLOB)")
            .unwrap();
        // Shorter than that it may also begin anew, while the thread is still at it.
        let pages = (0..5).map(|_| until_anew(&conn, &checkpointer)).max();
        assert!(pages >= Some(SMALL), "{pages:?}");

        let reader = open(&path, OpenFlags::empty(), BUSY).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let count = |conn: &Connection| -> i64 {
            let sql = "SELECT count(*) FROM item";
            conn.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let seen = count(&reader);
        for _ in 0..20 * SMALL {
            conn.execute("INSERT INTO item (text) VALUES ('while it reads')", [])
                .unwrap();
            checkpointer.committed(&conn).unwrap();
        }
        assert!(checkpointer.pages.load(Ordering::Relaxed) > 20 * SMALL);
        assert_eq!(count(&reader), seen);
        reader.execute_batch("COMMIT").unwrap();
        until_anew(&conn, &checkpointer);

        let written = count(&conn);
        let database = checkpointer.stop();
        drop((conn, reader));
        drop(database);
        let again = open(&path, OpenFlags::empty(), BUSY).unwrap();
        assert_eq!(count(&again), written);
    }
}

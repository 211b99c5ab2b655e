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

/// So few of them are left to the writer.
const FEW: usize = 256;

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
        let pages = Arc::<AtomicUsize>::default();
        let work = Mover {
            conn,
            database,
            pages: Arc::clone(&pages),
        };
        let (nudge, nudged) = sync_channel(1);
        let (done, moved) = channel();
        let thread = thread::Builder::new()
            .name("db-checkpoint".into())
            .spawn(move || work.run(&nudged, &done))
            .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            pages,
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
            let whole = checkpoint(conn)? >= pages;
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

/// The thread that moves most of the log.
struct Mover {
    conn: Connection,
    database: File,
    pages: Arc<AtomicUsize>,
}

impl Mover {
    fn run(self, nudged: &Receiver<()>, done: &Sender<Result<()>>) -> File {
        while nudged.recv().is_ok() {
            if done.send(self.most()).is_err() {
                break;
            }
        }
        self.database
    }

    /// Moves nearly all of the log, and has it on the disk, so that the writer need not wait for that.
    fn most(&self) -> Result<()> {
        repeat(&self.pages, || {
            let moved = checkpoint(&self.conn)?;
            match self.database.sync_data() {
                Ok(()) => Ok(moved),
                Err(error) => Err(Error::Unavailable(error.to_string())),
            }
        })
    }
}

/// Moves what is in the log, then what was written to it during that, and so on, as long as each time a
/// quarter less is left. `pages` is what is in the log, moved or not; `step` says how much of it is moved.
fn repeat(pages: &AtomicUsize, mut step: impl FnMut() -> Result<usize>) -> Result<()> {
    let mut left = pages.load(Ordering::Relaxed);
    while left >= FEW {
        let moved = step()?;
        let now = pages.load(Ordering::Relaxed).saturating_sub(moved);
        if now > left / 4 * 3 {
            break;
        }
        left = now;
    }
    Ok(())
}

/// Moves what nobody has to wait for: how many pages of the log are moved. Only a disk that did not keep
/// them is an error.
fn checkpoint(conn: &Connection) -> Result<usize> {
    let moved = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        // It is -1 while another connection is at it.
        let moved: i64 = row.get(2)?;
        Ok(usize::try_from(moved).unwrap_or(0))
    });
    moved.or_else(|error| {
        let code = error.sqlite_error().map(|error| error.extended_code);
        if code == Some(ffi::SQLITE_IOERR_FSYNC) {
            return Err(error.into());
        }
        tracing::warn!(%error, "the write-ahead log grows");
        Ok(0)
    })
}

#[cfg(test)]
mod tests {
    use super::super::open_writer;
    use super::*;

    /// More than is left to the writer.
    const SMALL: usize = 2 * FEW;

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
    fn it_goes_on_with_what_was_written_meanwhile_as_long_as_that_helps() {
        let steps = |found: &[(usize, usize)]| {
            let pages = AtomicUsize::new(found[0].0);
            let mut count = 0;
            let step = || {
                let moved = found[count].0 - found[count].1;
                count += 1;
                pages.store(found[count].0, Ordering::Relaxed);
                Ok(moved)
            };
            repeat(&pages, step).unwrap();
            count
        };
        // Pages in the log, and those of them that a step leaves there.
        let fast = [
            (16_000, 0),
            (20_000, 0),
            (21_000, 0),
            (21_200, 0),
            (21_250, 0),
        ];
        assert_eq!(steps(&fast), 3);
        let much_is_written = [(16_000, 0), (29_000, 0)];
        assert_eq!(steps(&much_is_written), 1);
        let somebody_reads = [(16_000, 15_000), (16_100, 0)];
        assert_eq!(steps(&somebody_reads), 1);
        assert_eq!(steps(&[(FEW - 1, 0)]), 0);
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
        while checkpointer.pages.load(Ordering::Relaxed) <= 5 * SMALL {
            conn.execute("INSERT INTO item (text) VALUES ('while it reads')", [])
                .unwrap();
            checkpointer.committed(&conn).unwrap();
        }
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

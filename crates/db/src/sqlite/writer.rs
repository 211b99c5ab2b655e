//! The thread that writes: one commit for all the jobs that wait. They share it without further
//! ado; only when one of them fails after it has changed something, the group is run again with a
//! savepoint around each, so that this one is undone alone.
//!
//! Another thread waits for the disk and answers. As long as it is at it, further jobs join the
//! group that is open.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::checkpoint::Checkpointer;
use super::open_writer;
use super::statement::{Ready, Statements, execute};
use super::sync::Syncer;
use crate::job::{Job, Jobs, Nudge, Queue};
use crate::tx::{Conn, Tx};
use crate::{Error, Result};

/// Jobs that share a commit at most.
const GROUP: usize = 512;

/// Jobs that wait to be run, and those that were.
type Waiting = VecDeque<Box<dyn Job>>;
pub(super) type Done = Vec<Box<dyn Job>>;

pub(super) fn start(path: PathBuf) -> Result<Jobs> {
    let mut first = open_writer(&path)?;
    let nudge = Arc::new(OnceLock::<Nudge>::new());
    let nudged = Arc::clone(&nudge);
    let beside = Beside {
        checkpointer: Checkpointer::start(&path)?,
        syncer: Syncer::start(&path, move || {
            if let Some(nudge) = nudged.get() {
                nudge.give();
            }
        })?,
    };
    beside.checkpointer.watch(&mut first)?;
    let writer = move |queue: Queue| {
        nudge.get_or_init(|| queue.nudge());
        work(&path, first, &queue, beside);
    };
    Jobs::start("db-writer", vec![writer])
}

/// The threads beside the writer's.
struct Beside {
    checkpointer: Checkpointer,
    syncer: Syncer,
}

impl Beside {
    /// Another connection in the place of the first.
    fn open(&self, path: &Path) -> Result<Connection> {
        let mut conn = open_writer(path)?;
        self.checkpointer.watch(&mut conn)?;
        Ok(conn)
    }
}

/// Works until the queue ends; on a new connection after a fault.
fn work(path: &Path, first: Connection, queue: &Queue, beside: Beside) {
    let mut conn = Some(first);
    let mut jobs = Waiting::new();
    while fill(&mut jobs, queue) {
        match conn.take().map_or_else(|| beside.open(path), Ok) {
            Ok(open) => {
                let kept = Writer::new(&open, &beside).work(&mut jobs, queue);
                conn = kept.then_some(open);
            }
            Err(error) => answer(jobs.drain(..), &Err(error)),
        }
    }
    let keeps = beside.syncer.stop();
    let _database = beside.checkpointer.stop();
    if let Some(conn) = conn
        && let Err(error) = close(conn, keeps)
    {
        tracing::warn!(%error, "the write-ahead log stays");
    }
}

/// Closes the last connection, and ends the log; but not where the disk does not keep what is moved out of
/// it: the next start finds it there.
fn close(conn: Connection, keeps: bool) -> rusqlite::Result<()> {
    if keeps {
        // The last connection to close would do it, but another process may be that one.
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    } else {
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    conn.close().map_err(|(_, error)| error)
}

/// Waits for jobs, or for a nudge, if there are none; `false` at the end of the queue.
fn fill(jobs: &mut Waiting, queue: &Queue) -> bool {
    if !jobs.is_empty() {
        return true;
    }
    let taken = queue.take(GROUP);
    let goes_on = !taken.is_empty();
    jobs.extend(taken.into_iter().filter(|job| job.is_wanted()));
    goes_on
}

/// Tells those who brought the jobs what became of the commit.
pub(super) fn answer(jobs: impl IntoIterator<Item = Box<dyn Job>>, committed: &Result<()>) {
    for job in jobs {
        job.tell(committed.clone());
    }
}

/// How a group of jobs ended that was not committed.
enum Stop {
    /// One failed after a change: all of them again, with savepoints.
    Carefully,
    /// The transaction is lost through the last one that ran; the others had no part in it.
    Lost(Error),
    /// Nobody's fault.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The one connection that writes, while it works.
struct Writer<'c> {
    ready: Ready<'c>,
    beside: &'c Beside,
}

impl<'c> Writer<'c> {
    fn new(conn: &'c Connection, beside: &'c Beside) -> Self {
        let ready = Ready::new(conn);
        Self { ready, beside }
    }

    /// Works until the queue ends, or the connection had a fault and another one is surer: `false`.
    fn work(&self, jobs: &mut Waiting, queue: &Queue) -> bool {
        let mut carefully = false;
        while fill(jobs, queue) {
            if jobs.is_empty() {
                continue;
            }
            if let Some(error) = self.beside.syncer.failed() {
                answer(jobs.drain(..), &Err(error.clone()));
                continue;
            }
            let mut done = Done::with_capacity(jobs.len());
            match self.commit(jobs, &mut done, queue, carefully) {
                Ok(()) => {
                    self.beside.syncer.committed(done);
                    if let Err(error) = self.beside.checkpointer.committed(self.ready.conn()) {
                        self.beside.syncer.fail(&error);
                    }
                    carefully &= !jobs.is_empty();
                }
                Err(Stop::Carefully) => {
                    statement(&self.ready, "ROLLBACK").ok();
                    again(jobs, done);
                    carefully = true;
                }
                Err(Stop::Lost(error)) => {
                    let last = done.pop();
                    again(jobs, done);
                    if !self.failed(last, error) {
                        return false;
                    }
                }
                Err(Stop::Failed(error)) => {
                    if !self.failed(done, error) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Runs the jobs in one transaction, and those that come while the disk is busy with the group
    /// before.
    fn commit(
        &self,
        jobs: &mut Waiting,
        done: &mut Done,
        queue: &Queue,
        carefully: bool,
    ) -> Result<(), Stop> {
        if let Err(error) = statement(&self.ready, "BEGIN IMMEDIATE") {
            done.extend(jobs.drain(..));
            return Err(Stop::Failed(error));
        }
        loop {
            while let Some(mut job) = jobs.pop_front() {
                let ran = if carefully {
                    self.run_apart(job.as_mut())
                } else {
                    self.run(job.as_mut())
                };
                done.push(job);
                ran?;
            }
            let has_room = done.len() < GROUP && !carefully;
            if !has_room || !self.beside.syncer.is_busy() || !fill(jobs, queue) {
                break;
            }
        }
        Ok(statement(&self.ready, "COMMIT")?)
    }

    /// Runs one job as a part of the group.
    fn run(&self, job: &mut dyn Job) -> Result<(), Stop> {
        let ran = job.run(Tx::writing(Conn::Sqlite(&self.ready)));
        if self.is_lost() {
            // SQLite itself rolls back everything when it runs out of room or the disk fails.
            return Err(Stop::Lost(ran.fault.unwrap_or_else(lost)));
        }
        if ran.keep || !ran.changed {
            return Ok(());
        }
        Err(Stop::Carefully)
    }

    /// Runs one job so that it can be undone alone.
    fn run_apart(&self, job: &mut dyn Job) -> Result<(), Stop> {
        statement(&self.ready, "SAVEPOINT job")?;
        let ran = job.run(Tx::writing(Conn::Sqlite(&self.ready)));
        if self.is_lost() {
            return Err(Stop::Lost(ran.fault.unwrap_or_else(lost)));
        }
        if !ran.keep {
            statement(&self.ready, "ROLLBACK TO job")?;
        }
        Ok(statement(&self.ready, "RELEASE job")?)
    }

    fn is_lost(&self) -> bool {
        self.ready.conn().is_autocommit()
    }

    /// Answers those who failed. A full disk is no fault of the connection; after anything else
    /// `false`: a new one is surer.
    fn failed(&self, jobs: impl IntoIterator<Item = Box<dyn Job>>, error: Error) -> bool {
        tracing::error!(%error, "a commit failed");
        let undone = self.is_lost() || statement(&self.ready, "ROLLBACK").is_ok();
        let kept = undone && matches!(error, Error::Full(_));
        answer(jobs, &Err(error));
        kept
    }
}

/// Puts jobs back to the front of the queue, in their order.
fn again(jobs: &mut Waiting, done: Done) {
    for job in done.into_iter().rev() {
        jobs.push_front(job);
    }
}

fn statement(ready: &Ready<'_>, sql: &str) -> Result<()> {
    execute(ready, sql, &[]).map(drop)
}

fn lost() -> Error {
    Error::Unavailable("the transaction was lost".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_where_the_disk_does_not_keep_what_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let log = folder.path().join("test.db-wal");
        for keeps in [false, true] {
            let conn = open_writer(&path).unwrap();
            conn.execute_batch(
                "CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY);
                 INSERT INTO item DEFAULT VALUES",
            )
            .unwrap();
            close(conn, keeps).unwrap();
            assert_eq!(log.exists(), !keeps);
        }
        let sql = "SELECT count(*) FROM item";
        let conn = open_writer(&path).unwrap();
        let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 2);
    }
}

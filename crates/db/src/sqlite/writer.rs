//! The thread that writes: one commit for all the jobs that wait, each undone alone if it fails.

use std::collections::VecDeque;
use std::path::PathBuf;

use rusqlite::Connection;

use super::job::{Job, Jobs, Queue};
use super::open_writer;
use crate::tx::{Conn, Tx};
use crate::{Error, Result};

/// Jobs that share a commit at most.
const GROUP: usize = 512;

/// The one connection that writes.
struct Writer {
    path: PathBuf,
    /// Opened anew after a fault.
    conn: Option<Connection>,
}

pub(super) fn start(path: PathBuf) -> Result<Jobs> {
    let conn = Some(open_writer(&path)?);
    let writer = Writer { path, conn };
    Jobs::start("db-writer", vec![move |queue| writer.work(&queue)])
}

impl Writer {
    fn work(mut self, queue: &Queue) {
        loop {
            let jobs = queue.take(GROUP);
            if jobs.is_empty() {
                break;
            }
            self.commit(jobs);
        }
        if let Some(conn) = self.conn {
            // The last connection to close would do it, but another process may be that one.
            if let Err(error) = conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                tracing::warn!(%error, "the write-ahead log stays");
            }
        }
    }

    /// Runs and answers all `jobs`, in more than one group only if a transaction breaks.
    fn commit(&mut self, jobs: Vec<Box<dyn Job>>) {
        let mut jobs = VecDeque::from(jobs);
        while !jobs.is_empty() {
            let mut group = Group::default();
            let committed = self.group(&mut jobs, &mut group);
            if let Err(error) = &committed {
                tracing::error!(%error, jobs = group.ran.len(), "a commit failed");
                self.recover(error);
            }
            for job in group.ran {
                job.tell(committed.clone());
            }
            for job in group.again.into_iter().rev() {
                jobs.push_front(job);
            }
        }
    }

    fn group(&mut self, jobs: &mut VecDeque<Box<dyn Job>>, group: &mut Group) -> Result<()> {
        let conn = match self.begin() {
            Ok(conn) => conn,
            Err(error) => {
                group.ran.extend(jobs.drain(..));
                return Err(error);
            }
        };
        while let Some(mut job) = jobs.pop_front() {
            let done = run(conn, job.as_mut());
            if done.is_err() {
                // The others had no part in it.
                group.again = std::mem::take(&mut group.ran);
            }
            group.ran.push(job);
            done?;
        }
        statement(conn, "COMMIT")
    }

    fn begin(&mut self) -> Result<&Connection> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => open_writer(&self.path)?,
        };
        let conn = self.conn.insert(conn);
        statement(conn, "BEGIN IMMEDIATE")?;
        Ok(conn)
    }

    /// A full disk is no fault of the connection; after anything else a new one is surer.
    fn recover(&mut self, error: &Error) {
        let kept = self.conn.take().filter(|conn| {
            let undone = conn.is_autocommit() || statement(conn, "ROLLBACK").is_ok();
            undone && matches!(error, Error::Full(_))
        });
        self.conn = kept;
    }
}

/// The jobs of one transaction.
#[derive(Default)]
struct Group {
    /// Those it answers.
    ran: Vec<Box<dyn Job>>,
    /// Those that another one took down with it.
    again: Vec<Box<dyn Job>>,
}

/// Runs one job inside the group's transaction. An error means that the transaction is lost, and
/// with it what the jobs before had done.
fn run(conn: &Connection, job: &mut dyn Job) -> Result<()> {
    statement(conn, "SAVEPOINT job")?;
    let ran = job.run(Tx::writing(Conn::Sqlite(conn)));
    if conn.is_autocommit() {
        // SQLite itself rolls back everything when it runs out of room or the disk fails.
        return Err(ran.fault.unwrap_or_else(lost));
    }
    if !ran.keep {
        statement(conn, "ROLLBACK TO job")?;
    }
    statement(conn, "RELEASE job")
}

fn statement(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

fn lost() -> Error {
    Error::Unavailable("the transaction was lost".into())
}

//! Threads for long reads: each stops a read whose time is over, or whose caller has gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::statement::Ready;
use crate::Result;
use crate::job::{Jobs, Limit, Queue};
use crate::tx::{Conn, Tx};

/// Steps of SQLite's machine between two looks at the clock: a few of its microseconds.
const STEPS: i32 = 1_000;

/// A thread for each of these connections.
pub(super) fn start(connections: Vec<Connection>) -> Result<Jobs> {
    let deadlines = connections.into_iter().map(|mut conn| {
        let deadline = Deadline::on(&mut conn)?;
        Ok((conn, deadline))
    });
    let scanner = |(conn, deadline): (Connection, Deadline)| {
        move |queue: Queue| work(&conn, &deadline, &queue)
    };
    let scanners = deadlines.collect::<Result<Vec<_>>>()?;
    Jobs::start_long("db-scan", scanners.into_iter().map(scanner).collect())
}

fn work(conn: &Connection, deadline: &Deadline, queue: &Queue) {
    let ready = Ready::new(conn);
    while let Some(mut job) = queue.take(1).pop() {
        if job.is_wanted() {
            deadline.set(job.limit());
            job.run(Tx::reading(Conn::Sqlite(&ready)));
            job.tell(Ok(()));
        }
    }
}

/// When the read that is under way has to end.
#[derive(Clone, Default)]
struct Deadline(Arc<Mutex<Option<(Instant, Limit)>>>);

impl Deadline {
    /// One that this connection keeps.
    fn on(conn: &mut Connection) -> Result<Self> {
        let deadline = Self::default();
        let kept = deadline.clone();
        conn.progress_handler(STEPS, Some(move || kept.is_over()))?;
        Ok(deadline)
    }

    fn set(&self, limit: Option<Limit>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = limit.map(|limit| (Instant::now() + limit.time, limit));
    }

    fn is_over(&self) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .is_some_and(|(end, limit)| limit.is_pointless() || Instant::now() >= *end)
    }
}

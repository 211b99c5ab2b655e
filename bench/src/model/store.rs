//! What the model engine keeps: one thread writes, in transactions that are on disk when they are answered.
//! All that waits when one begins shares it; outcomes go along.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rusqlite::{Connection, Statement};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Messages in one transaction.
const MOST: usize = 512;

/// Outcomes wait so long for a message before they are written without one.
const PAUSE: Duration = Duration::from_millis(5);

/// The size of cache and log is the server's.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 12000;
    PRAGMA cache_size = -16384;
";

const TABLES: &str = "
    CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY, event_seq INTEGER NOT NULL, due_at INTEGER NOT NULL
    );
    CREATE TABLE attempt (
        delivery_id INTEGER NOT NULL, number INTEGER NOT NULL, status INTEGER NOT NULL,
        started_at INTEGER NOT NULL, duration_us INTEGER NOT NULL,
        PRIMARY KEY (delivery_id, number)
    ) WITHOUT ROWID;
";

/// A message that was handed in.
pub struct Handed {
    /// Of its event and of its delivery; the writer gives it out.
    pub id: i64,
    /// As it came.
    pub body: Vec<u8>,
    /// Hears when it is on disk.
    pub stored: oneshot::Sender<()>,
}

/// How an attempt went.
pub struct Outcome {
    /// Of the delivery.
    pub id: i64,
    /// The receiver's answer.
    pub status: u16,
    /// In microseconds since 1970.
    pub started_at: i64,
    /// How long the answer took.
    pub duration: Duration,
}

/// What is still to be written down; it wakes nobody, but goes along with the next transaction.
#[derive(Default)]
pub struct Outcomes(Mutex<Vec<Outcome>>);

impl Outcomes {
    /// One more.
    pub fn push(&self, outcome: Outcome) {
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.push(outcome);
    }

    fn take(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes the database and starts its thread: where to hand in, and what each transaction stored.
pub fn start(
    folder: &Path,
    outcomes: Arc<Outcomes>,
) -> Result<(Sender<Handed>, UnboundedReceiver<Vec<Handed>>)> {
    let database = Connection::open(folder.join("model.db"))?;
    database.execute_batch(SETTINGS)?;
    database.execute_batch(TABLES)?;
    let (queue, handed) = channel();
    let (told, stored) = unbounded_channel();
    thread::spawn(move || super::end_on_error(write(&database, &handed, &outcomes, &told)));
    Ok((queue, stored))
}

/// Microseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    micros(since.unwrap_or_default())
}

fn write(
    database: &Connection,
    queue: &Receiver<Handed>,
    outcomes: &Outcomes,
    told: &UnboundedSender<Vec<Handed>>,
) -> Result<()> {
    let mut statements = Statements::prepare(database)?;
    loop {
        let first = match queue.recv_timeout(PAUSE) {
            Ok(handed) => Some(handed),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let mut batch: Vec<Handed> = first
            .into_iter()
            .chain(queue.try_iter())
            .take(MOST)
            .collect();
        let outcomes = outcomes.take();
        if batch.is_empty() && outcomes.is_empty() {
            continue;
        }
        statements.transact(&mut batch, &outcomes)?;
        told.send(batch).context("nobody hands on")?;
    }
}

/// Prepared once.
struct Statements<'a> {
    begin: Statement<'a>,
    commit: Statement<'a>,
    event: Statement<'a>,
    delivery: Statement<'a>,
    attempt: Statement<'a>,
    done: Statement<'a>,
    last_id: i64,
}

impl<'a> Statements<'a> {
    fn prepare(database: &'a Connection) -> Result<Self> {
        Ok(Self {
            begin: database.prepare("BEGIN IMMEDIATE")?,
            commit: database.prepare("COMMIT")?,
            event: database.prepare("INSERT INTO event VALUES (?, ?)")?,
            delivery: database.prepare("INSERT INTO delivery VALUES (?, ?, ?)")?,
            attempt: database.prepare("INSERT INTO attempt VALUES (?, 1, ?, ?, ?)")?,
            done: database.prepare("DELETE FROM delivery WHERE id = ?")?,
            last_id: 0,
        })
    }

    /// All of it or, when it fails, nothing; the ids are given out here.
    fn transact(&mut self, batch: &mut [Handed], outcomes: &[Outcome]) -> Result<()> {
        self.begin.execute([])?;
        let due_at = now();
        for handed in batch {
            self.last_id += 1;
            handed.id = self.last_id;
            self.event.execute((handed.id, &handed.body))?;
            self.delivery.execute((handed.id, handed.id, due_at))?;
        }
        for outcome in outcomes {
            let (id, micros) = (outcome.id, micros(outcome.duration));
            self.attempt
                .execute((id, outcome.status, outcome.started_at, micros))?;
            self.done.execute([id])?;
        }
        self.commit.execute([])?;
        Ok(())
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed(body: &[u8]) -> (Handed, oneshot::Receiver<()>) {
        let (stored, heard) = oneshot::channel();
        let body = body.to_vec();
        (
            Handed {
                id: 0,
                body,
                stored,
            },
            heard,
        )
    }

    #[test]
    fn a_delivery_goes_when_its_attempt_is_written_down() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(TABLES).unwrap();
        let mut statements = Statements::prepare(&database).unwrap();
        let mut batch = vec![handed(b"one").0, handed(b"two").0];
        statements.transact(&mut batch, &[]).unwrap();
        assert_eq!((batch[0].id, batch[1].id), (1, 2));
        let outcome = Outcome {
            id: 1,
            status: 200,
            started_at: now(),
            duration: PAUSE,
        };
        statements.transact(&mut [], &[outcome]).unwrap();
        let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
        assert_eq!(number("SELECT MIN(id) FROM delivery"), Ok(2));
        assert_eq!(number("SELECT COUNT(*) FROM event"), Ok(2));
        assert_eq!(number("SELECT duration_us FROM attempt"), Ok(5_000));
    }

    #[test]
    fn what_is_handed_in_is_on_disk_when_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, mut stored) = start(folder.path(), Arc::default()).unwrap();
        let (first, _heard) = handed(b"one");
        queue.send(first).unwrap();
        let batch = stored.blocking_recv().unwrap();
        assert_eq!(batch[0].id, 1);
        let reader = Connection::open(folder.path().join("model.db")).unwrap();
        let body = reader.query_row("SELECT body FROM event", [], |row| row.get::<_, Vec<u8>>(0));
        assert_eq!(body.unwrap(), b"one");
    }
}

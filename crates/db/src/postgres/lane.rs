//! A thread with a connection of its own, which it also drives: no answer has to wake another one.
//! Writers join the closures that wait at the same time into one commit. Only when one of them
//! fails after it has changed something, or finds a row locked, each is run in a transaction of
//! its own.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::notify::Notifier;
use super::session::Session;
use crate::job::{Job, Queue, Ran};
use crate::tx::{Conn, Tx};
use crate::{Error, Result};

/// Closures that share a commit at most.
const GROUP: usize = 128;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 256;
/// To open a connection.
const WAIT: Duration = Duration::from_secs(5);
/// How often a transaction that PostgreSQL broke is tried.
const TRIES: u32 = 5;
/// Before the second try; longer before each next.
const PAUSE: Duration = Duration::from_millis(5);
/// Nothing here may hold a lock, or a caller, for longer.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s';
                       SET idle_in_transaction_session_timeout = '30s'";
/// It stays so for the next; all of a lane are limited, or none.
const LIMIT: &str = "SELECT set_config('statement_timeout', $1, false)";
const BEGIN: &str = "BEGIN";
/// Those of a group hold locks for each other: whoever needs one of another group soon goes alone.
const BEGIN_GROUP: &str = "BEGIN; SET LOCAL lock_timeout = '100ms'";

type Group = Vec<Box<dyn Job>>;

/// How to make connections.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    pub(super) notifier: Arc<Notifier>,
}

/// An open connection.
pub(super) struct Open {
    pub(super) rt: Rc<Runtime>,
    pub(super) client: Client,
    pub(super) statements: RefCell<FxHashMap<Box<str>, Statement>>,
}

impl Open {
    /// Keeps a prepared statement. Texts come from a small fixed set; whoever makes others pays.
    pub(super) fn keep(&self, sql: &str, statement: &Statement) {
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.into(), statement.clone());
    }
}

/// Connects on `rt`, on which the connection is driven from then on.
pub(super) async fn connect(config: &Config, tls: &MakeRustlsConnect) -> Result<Client> {
    let connecting = timeout(WAIT, config.connect(tls.clone())).await;
    let (client, connection) = connecting
        .map_err(|_| Error::Unavailable("PostgreSQL did not answer in time".into()))?
        .map_err(unavailable)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to PostgreSQL ended");
        }
    });
    client.batch_execute(SESSION).await.map_err(unavailable)?;
    Ok(client)
}

/// Whatever keeps a connection from being made, it may be otherwise later.
fn unavailable(error: tokio_postgres::Error) -> Error {
    match Error::from(error) {
        Error::Other(text) => Error::Unavailable(text),
        other => other,
    }
}

/// The thread's connection, made anew when it is lost.
struct Lane {
    rt: Rc<Runtime>,
    way: Way,
    open: Option<Rc<Open>>,
}

impl Lane {
    fn new(way: Way) -> Result<Self> {
        let rt = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Unavailable(format!("cannot start a runtime: {error}")))?;
        let rt = Rc::new(rt);
        Ok(Self {
            rt,
            way,
            open: None,
        })
    }

    /// Waits for jobs, and drives the connection meanwhile. `None` at the queue's end.
    fn take(&self, queue: &Queue, most: usize) -> Option<Group> {
        let jobs = self.rt.block_on(queue.taken(most));
        let over = jobs.is_empty();
        let wanted = jobs.into_iter().filter(|job| job.is_wanted());
        (!over).then(|| wanted.collect())
    }

    /// The open connection.
    fn open(&mut self) -> Result<&Rc<Open>> {
        let kept = self.open.take().filter(|open| !open.client.is_closed());
        let open = if let Some(open) = kept {
            open
        } else {
            let connecting = connect(&self.way.config, &self.way.tls);
            Rc::new(Open {
                client: self.rt.block_on(connecting)?,
                rt: Rc::clone(&self.rt),
                statements: RefCell::default(),
            })
        };
        Ok(self.open.insert(open))
    }

    fn session(&mut self, begin: Option<&'static str>) -> Result<Session> {
        let notifier = Arc::clone(&self.way.notifier);
        Ok(Session::new(self.open()?, notifier, begin))
    }

    /// Undoes what was begun. A connection that cannot do that is closed, rather than used with a
    /// transaction open.
    fn undo(&mut self, session: &Session) {
        if session.rollback().is_err() {
            self.open = None;
        }
    }
}

/// Reads until the queue ends.
pub(super) fn read(way: Way, queue: &Queue) {
    work(way, queue, 1, |lane, jobs| {
        for mut job in jobs {
            let session = match lane.session(None) {
                Ok(session) => session,
                Err(error) => {
                    job.tell(Err(error));
                    continue;
                }
            };
            let mut tx = Tx::reading(Conn::Postgres(&session));
            if let Some(limit) = job.limit() {
                // If that fails so do the statements after it.
                drop(tx.send(LIMIT, &[&format!("{}ms", limit.time.as_millis())]));
            }
            job.run(tx);
            job.tell(session.settle());
        }
    });
}

/// Writes until the queue ends.
pub(super) fn write(way: Way, queue: &Queue) {
    work(way, queue, GROUP, |lane, jobs| {
        let jobs = match jobs.len() {
            0 | 1 => jobs,
            _ => lane.write_together(jobs),
        };
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            if let Err(error) = lane.open() {
                job.tell(Err(error.clone()));
                answer(jobs, &Err(error));
                return;
            }
            lane.write_alone(job);
        }
    });
}

fn work(way: Way, queue: &Queue, most: usize, mut run: impl FnMut(&mut Lane, Group)) {
    let mut lane = match Lane::new(way) {
        Ok(lane) => lane,
        Err(error) => {
            tracing::error!(%error, "a thread for PostgreSQL ends");
            return;
        }
    };
    while let Some(jobs) = lane.take(queue, most) {
        run(&mut lane, jobs);
    }
}

impl Lane {
    /// Runs jobs in one transaction; gives them back if that cannot be.
    fn write_together(&mut self, mut jobs: Group) -> Group {
        let Ok(session) = self.session(Some(BEGIN_GROUP)) else {
            return jobs;
        };
        for job in &mut jobs {
            let ran = job.run(Tx::writing(Conn::Postgres(&session)));
            let harmless = ran.keep || (!ran.changed && ran.fault.is_none());
            if !harmless {
                self.undo(&session);
                return jobs;
            }
        }
        match session.commit() {
            Ok(()) => answer(jobs, &Ok(())),
            Err(Error::CommitUnknown) => {
                tracing::error!("a connection was lost while committing");
                self.open = None;
                answer(jobs, &Err(Error::CommitUnknown));
            }
            // One of the last statements: nothing was committed.
            Err(_) => return jobs,
        }
        Group::new()
    }

    /// Runs a job in a transaction of its own, again if PostgreSQL broke it.
    fn write_alone(&mut self, mut job: Box<dyn Job>) {
        let mut tries = 1;
        let committed = loop {
            match self.try_alone(job.as_mut()) {
                Err(Error::Contended(_)) if tries < TRIES => {
                    self.rt.block_on(async { sleep(PAUSE * tries).await });
                    tries += 1;
                }
                done => break done,
            }
        };
        job.tell(committed);
    }

    /// An error only if it is not the job's own.
    fn try_alone(&mut self, job: &mut dyn Job) -> Result<()> {
        let session = self.session(Some(BEGIN))?;
        let ran = job.run(Tx::writing(Conn::Postgres(&session)));
        let Ran { keep, fault, .. } = ran;
        if !keep {
            self.undo(&session);
            return match fault {
                Some(fault @ Error::Contended(_)) => Err(fault),
                _ => Ok(()),
            };
        }
        let committed = session.commit();
        if let Err(error) = &committed {
            // What is tried again is no failure yet.
            if matches!(error, Error::Contended(_)) {
                tracing::debug!(%error, "a commit was broken");
            } else {
                tracing::error!(%error, "a commit failed");
            }
            self.undo(&session);
        }
        committed
    }
}

fn answer(jobs: impl IntoIterator<Item = Box<dyn Job>>, committed: &Result<()>) {
    for job in jobs {
        job.tell(committed.clone());
    }
}

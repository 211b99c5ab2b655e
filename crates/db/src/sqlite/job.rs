//! Closures on their way to the threads that own SQLite's connections, and the answers back.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::tx::{AfterCommit, Conn, Tx, run_hooks};
use crate::{Error, Result};

/// Closures that wait before those who bring more have to wait as well.
const WAITING: usize = 1024;

/// A closure with its types forgotten.
pub(super) trait Job: Send {
    /// Does the work; whether to keep it.
    fn run(&mut self, tx: Tx<'_>) -> Ran;
    /// Answers the caller, now that what was kept is durable, or is not.
    fn tell(self: Box<Self>, committed: Result<()>);
}

/// What became of a job before the commit.
pub(super) struct Ran {
    pub(super) keep: bool,
    pub(super) fault: Option<Error>,
}

struct Pending<T, E, F> {
    work: F,
    done: Option<Result<T, E>>,
    hooks: Vec<AfterCommit>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Pending<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: Tx<'_>) -> Ran {
        let tried = tx.attempt(&mut self.work);
        let keep = tried.done.is_ok();
        self.done = Some(tried.done);
        self.hooks = tried.hooks;
        Ran {
            keep,
            fault: tried.fault,
        }
    }

    fn tell(self: Box<Self>, committed: Result<()>) {
        let answer = match (self.done, committed) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(done)), Ok(())) => {
                run_hooks(self.hooks);
                Ok(done)
            }
            (None, Ok(())) => Err(Error::Closed.into()),
        };
        // The caller may have gone; the work is done all the same.
        drop(self.caller.send(answer));
    }
}

/// The way to one or more threads that take jobs.
pub(super) struct Jobs {
    send: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where these threads find them.
#[derive(Clone)]
pub(super) struct Queue(Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>);

impl Queue {
    /// Waits for jobs and takes up to `most`; none once all have been done after a close.
    pub(super) fn take(&self, most: usize) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::new();
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.blocking_recv_many(&mut jobs, most);
        jobs
    }
}

impl Jobs {
    /// Starts a thread for each worker.
    pub(super) fn start<W>(name: &str, workers: Vec<W>) -> Result<Self>
    where
        W: FnOnce(Queue) + Send + 'static,
    {
        let (send, receive) = mpsc::channel(WAITING);
        let queue = Queue(Arc::new(Mutex::new(receive)));
        let threads = workers
            .into_iter()
            .map(|worker| {
                let queue = queue.clone();
                let thread = thread::Builder::new().name(name.into());
                thread.spawn(move || worker(queue))
            })
            .collect::<std::io::Result<_>>()
            .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            send: Mutex::new(Some(send)),
            threads: Mutex::new(threads),
        })
    }

    /// Brings `work` there and waits for the answer.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (caller, told) = oneshot::channel();
        let job = Box::new(Pending {
            work,
            done: None,
            hooks: Vec::new(),
            caller,
        });
        let send = self.sender().ok_or(Error::Closed)?;
        send.send(job).await.map_err(|_| Error::Closed)?;
        told.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Takes no more jobs and waits until those that wait are done.
    pub(super) async fn close(&self) {
        drop(
            self.send
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(|| {
            for thread in threads {
                drop(thread.join());
            }
        });
        drop(joined.await);
    }

    fn sender(&self) -> Option<mpsc::Sender<Box<dyn Job>>> {
        self.send
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A thread for each of these connections, which only read.
pub(super) fn start_readers(connections: Vec<Connection>) -> Result<Jobs> {
    let reader = |conn: Connection| {
        move |queue: Queue| {
            while let Some(mut job) = queue.take(1).pop() {
                job.run(Tx::reading(Conn::Sqlite(&conn)));
                job.tell(Ok(()));
            }
        }
    };
    Jobs::start("db-reader", connections.into_iter().map(reader).collect())
}

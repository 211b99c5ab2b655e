//! Closures on their way to the threads that own connections, and the answers back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::tx::{AfterCommit, Tx, run_hooks};
use crate::{Error, Result};

/// Closures that wait before those who bring more have to wait as well.
const WAITING: usize = 1024;
/// Long reads that wait before more are refused.
const LONG_WAITING: usize = 64;

/// A closure with its types forgotten.
pub(crate) trait Job: Send {
    /// Whether somebody still wants it done.
    fn is_wanted(&self) -> bool;
    /// How long it may run, if that is limited.
    fn limit(&self) -> Option<Limit> {
        None
    }
    /// Does the work; whether to keep it.
    fn run(&mut self, tx: Tx<'_>) -> Ran;
    /// Answers the caller, now that what was kept is durable, or is not.
    fn tell(self: Box<Self>, committed: Result<()>);
}

/// What became of a job before the commit.
pub(crate) struct Ran {
    pub(crate) keep: bool,
    /// Whether it may have changed something, kept or not.
    pub(crate) changed: bool,
    pub(crate) fault: Option<Error>,
}

/// How long a job may run, and whether anybody waits for it still.
#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    gone: Arc<AtomicBool>,
}

impl Limit {
    fn new(time: Duration) -> Self {
        let gone = Arc::default();
        Self { time, gone }
    }

    /// Whether nobody wants the answer any more.
    pub(crate) fn is_pointless(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

/// Makes a job pointless when its caller goes.
struct Waiter(Limit);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

struct Pending<T, E, F> {
    work: F,
    done: Option<Result<T, E>>,
    hooks: Vec<AfterCommit>,
    caller: oneshot::Sender<Result<T, E>>,
    /// Whether it was taken up, or given up.
    taken: Option<Arc<AtomicBool>>,
    limit: Option<Limit>,
}

impl<T, E, F> Job for Pending<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn is_wanted(&self) -> bool {
        if self.limit.as_ref().is_some_and(Limit::is_pointless) {
            return false;
        }
        self.taken
            .as_ref()
            .is_none_or(|taken| !taken.swap(true, Ordering::Relaxed))
    }

    fn limit(&self) -> Option<Limit> {
        self.limit.clone()
    }

    fn run(&mut self, tx: Tx<'_>) -> Ran {
        let tried = tx.attempt(&mut self.work);
        let keep = tried.done.is_ok();
        self.done = Some(tried.done);
        self.hooks = tried.hooks;
        Ran {
            keep,
            changed: tried.changed,
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
pub(crate) struct Jobs {
    send: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where these threads find them.
#[derive(Clone)]
pub(crate) struct Queue {
    jobs: Arc<tokio::sync::Mutex<mpsc::Receiver<Box<dyn Job>>>>,
    bring: mpsc::WeakSender<Box<dyn Job>>,
}

impl Queue {
    /// Waits for jobs and takes up to `most`; none once all have been done after a close.
    pub(crate) fn take(&self, most: usize) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::new();
        self.jobs
            .blocking_lock()
            .blocking_recv_many(&mut jobs, most);
        jobs
    }

    /// A way to wake one who waits for jobs.
    pub(crate) fn nudge(&self) -> Nudge {
        Nudge(self.bring.clone())
    }

    /// The same, for a thread that has something else to do meanwhile.
    pub(crate) async fn taken(&self, most: usize) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::new();
        self.jobs.lock().await.recv_many(&mut jobs, most).await;
        jobs
    }
}

/// Wakes one who waits for jobs, with one that does nothing.
pub(crate) struct Nudge(mpsc::WeakSender<Box<dyn Job>>);

impl Nudge {
    /// Where jobs wait already nobody sleeps; and none is needed after a close.
    pub(crate) fn give(&self) {
        if let Some(bring) = self.0.upgrade() {
            drop(bring.try_send(Box::new(Nothing)));
        }
    }
}

struct Nothing;

impl Job for Nothing {
    fn is_wanted(&self) -> bool {
        false
    }

    fn run(&mut self, _: Tx<'_>) -> Ran {
        Ran {
            keep: true,
            changed: false,
            fault: None,
        }
    }

    fn tell(self: Box<Self>, _: Result<()>) {}
}

impl Jobs {
    /// Starts a thread for each worker.
    pub(crate) fn start<W>(name: &str, workers: Vec<W>) -> Result<Self>
    where
        W: FnOnce(Queue) + Send + 'static,
    {
        Self::start_with(WAITING, name, workers)
    }

    /// The same, for long reads: fewer wait for them.
    pub(crate) fn start_long<W>(name: &str, workers: Vec<W>) -> Result<Self>
    where
        W: FnOnce(Queue) + Send + 'static,
    {
        Self::start_with(LONG_WAITING, name, workers)
    }

    fn start_with<W>(waiting: usize, name: &str, workers: Vec<W>) -> Result<Self>
    where
        W: FnOnce(Queue) + Send + 'static,
    {
        let (send, receive) = mpsc::channel(waiting);
        let queue = Queue {
            jobs: Arc::new(tokio::sync::Mutex::new(receive)),
            bring: send.downgrade(),
        };
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
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let told = self.bring(work, None).await?;
        told.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// The same; gives up when nobody has begun with it after so long.
    pub(crate) async fn run_soon<T, E, F>(&self, work: F, patience: Duration) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let taken = Arc::new(AtomicBool::new(false));
        let late = || Error::Unavailable("no connection was free in time".into());
        let bringing = timeout(patience, self.bring(work, Some(Arc::clone(&taken))));
        let Ok(told) = bringing.await else {
            return Err(late().into());
        };
        begun_soon(told?, &taken, patience, late).await
    }

    /// For a read that may take long, but not longer than `time` once it has begun: refused when
    /// too many wait, given up when nobody has begun with it after `patience` or when the caller goes.
    pub(crate) async fn run_long<T, E, F>(
        &self,
        work: F,
        time: Duration,
        patience: Duration,
    ) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (taken, limit) = (Arc::new(AtomicBool::new(false)), Limit::new(time));
        let (job, told) = pending(work, Some(Arc::clone(&taken)), Some(limit.clone()));
        let _waiter = Waiter(limit);
        let send = self.sender().ok_or(Error::Closed)?;
        send.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Closed(_) => Error::Closed,
        })?;
        begun_soon(told, &taken, patience, || Error::Busy).await
    }

    async fn bring<T, E, F>(
        &self,
        work: F,
        taken: Option<Arc<AtomicBool>>,
    ) -> Result<oneshot::Receiver<Result<T, E>>>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, told) = pending(work, taken, None);
        let send = self.sender().ok_or(Error::Closed)?;
        send.send(job).await.map_err(|_| Error::Closed)?;
        Ok(told)
    }

    /// Takes no more jobs and waits until those that wait are done.
    pub(crate) async fn close(&self) {
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

/// A job and where its answer comes.
fn pending<T, E, F>(
    work: F,
    taken: Option<Arc<AtomicBool>>,
    limit: Option<Limit>,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (caller, told) = oneshot::channel();
    let job = Pending {
        work,
        done: None,
        hooks: Vec::new(),
        caller,
        taken,
        limit,
    };
    (Box::new(job), told)
}

/// The answer, if somebody begins with the job in time.
async fn begun_soon<T, E: From<Error>>(
    mut told: oneshot::Receiver<Result<T, E>>,
    taken: &AtomicBool,
    patience: Duration,
    late: impl Fn() -> Error,
) -> Result<T, E> {
    let answer = match timeout(patience, &mut told).await {
        Ok(answer) => answer,
        Err(_) if !taken.swap(true, Ordering::Relaxed) => return Err(late().into()),
        Err(_) => told.await,
    };
    answer.unwrap_or_else(|_| Err(Error::Closed.into()))
}

//! What the parts of one simulated phone share: its client, its memory and its manners.
//! Here is how it waits, tries again and gives up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dice::Dice;
use super::ledger::Ledger;
use super::{Happening, Options, Stats};
use crate::wire::Sim;
use crate::{Backoff, Client, Error, Transport};

/// The build a simulated phone says it runs.
const VERSION: &str = concat!("simulated-", env!("CARGO_PKG_VERSION"));
/// Messages between claim and SENT at one time.
const TURNS: usize = 64;
/// Incoming messages not yet handed in; then nobody writes for a while.
const OUTBOX: usize = 256;
/// The longest pause between two tries of a phone that has to stop.
const HURRIED: Duration = Duration::from_millis(500);

type Listener = Box<dyn Fn(&Happening) + Send + Sync>;

pub(super) struct Handset {
    pub client: Client,
    pub options: Options,
    /// Says to the server that this phone polls.
    pub token: String,
    pub stats: Arc<Stats>,
    pub listener: Option<Listener>,
    pub turns: Arc<Semaphore>,
    pub outbox: Arc<Semaphore>,
    pub tasks: TaskTracker,
    /// Waits end at once, nothing new is begun.
    pub stopping: CancellationToken,
    /// What is still under way is dropped.
    pub abandoned: CancellationToken,
    /// A heartbeat is wanted now.
    pub nudge: Notify,
    /// The server answers again: no need to wait any longer.
    pub back_online: Notify,
    dice: Mutex<Dice>,
    ledger: Mutex<Ledger>,
}

impl Handset {
    pub fn new(transport: &Transport, options: Options) -> Result<Self, Error> {
        let mut dice = Dice::new(options.seed);
        Ok(Self {
            client: Client::new(transport, &options.server, &options.api_key, VERSION)?,
            token: format!("stream:{}", dice.device_id()),
            options,
            stats: Arc::default(),
            listener: None,
            turns: Arc::new(Semaphore::new(TURNS)),
            outbox: Arc::new(Semaphore::new(OUTBOX)),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            abandoned: CancellationToken::new(),
            nudge: Notify::new(),
            back_online: Notify::new(),
            dice: Mutex::new(dice),
            ledger: Mutex::default(),
        })
    }

    /// The numbers with their cards: one and two in turn.
    pub fn cards(&self) -> impl Iterator<Item = (&str, Sim)> {
        let sims = [Sim::One, Sim::Two].into_iter().cycle();
        self.options.numbers.iter().map(String::as_str).zip(sims)
    }

    pub fn sim_of(&self, number: &str) -> Sim {
        let card = self.cards().find(|(known, _)| *known == number);
        card.map_or(Sim::One, |(_, sim)| sim)
    }

    pub fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs beside the rest, until it is done or the phone may wait no longer.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let abandoned = self.abandoned.clone();
        // Boxed, because the layers around it would each keep room for all of it.
        let task = abandoned.run_until_cancelled_owned(Box::pin(task));
        self.tasks.spawn(task);
    }

    /// Builds the happening only when somebody listens.
    pub fn tell(&self, happening: impl FnOnce() -> Happening) {
        if let Some(listener) = &self.listener {
            listener(&happening());
        }
    }

    /// Tries again until the answer is final.
    pub async fn persist<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match attempt().await {
                Err(error) if error.is_transient() => self.wait_out(&error, &mut backoff).await,
                answer => {
                    self.answered(&backoff);
                    return answer;
                }
            }
        }
    }

    /// Waits before another try; shorter when the server is back or the phone stops.
    pub async fn wait_out(&self, error: &Error, backoff: &mut Backoff) {
        self.stats.errors.count();
        tracing::debug!(%error, "will try again");
        let stopping = self.stopping.is_cancelled();
        let pause = match backoff.pause() {
            pause if stopping => pause.min(HURRIED),
            pause => pause,
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = self.back_online.notified() => {}
            () = self.stopping.cancelled(), if !stopping => {}
        }
    }

    /// The server answered: after failures, that is news for all that wait.
    pub fn answered(&self, backoff: &Backoff) {
        if backoff.has_failures() {
            self.back_online.notify_waiters();
        }
    }

    /// Refused for good: said once, then forgotten.
    pub fn give_up(&self, what: impl FnOnce() -> String, error: &Error) {
        self.stats.errors.count();
        let what = what();
        tracing::warn!(what, %error, "given up");
        self.tell(|| Happening::GaveUp {
            what,
            why: error.to_string(),
        });
    }

    /// Lets time pass, unless the phone is to stop.
    pub async fn pause(&self, pause: Duration) {
        self.stopping.run_until_cancelled(sleep(pause)).await;
    }
}

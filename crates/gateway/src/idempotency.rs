//! Requests that are done once: the answer is kept by the transaction that did the work, and given
//! again to whoever repeats the request.
//!
//! An operation need not know of it: within [`Gateway::once`] its transaction claims the key before
//! it does anything, and keeps the answer before it commits. A failure keeps nothing.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;

use crate::caller::Caller;
use crate::{Error, Fields, Gateway, Result, Work};

/// How long an answer is kept.
pub const RETENTION: Duration = Duration::from_hours(24);

/// Bytes of a key at most.
const MAX_KEY: usize = 255;

/// The field that errors are told under.
const FIELD: &str = "Idempotency-Key";

/// What makes two requests the same.
#[derive(Debug, Clone)]
pub struct Request {
    route: String,
    key: String,
    fingerprint: Vec<u8>,
}

impl Request {
    /// A request to this route with the client's key. Any other `content` may not use the same key.
    ///
    /// # Errors
    /// A key that is empty or too long.
    pub fn new(route: &str, key: &str, content: &[u8]) -> Result<Self, Fields> {
        if key.is_empty() || key.len() > MAX_KEY {
            let text = format!("The {FIELD} must have between 1 and {MAX_KEY} characters");
            return Err(Fields::one(FIELD, text));
        }
        Ok(Self {
            route: route.to_owned(),
            key: key.to_owned(),
            fingerprint: digest::digest(&digest::SHA256, content).as_ref().to_vec(),
        })
    }
}

/// An answer, as it goes to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The text of it. It may hold secrets, and is kept encrypted.
    pub body: String,
    /// Whether it was given before.
    pub repeated: bool,
}

type Render = Box<dyn Fn(&dyn Any) -> Option<Answer> + Send + Sync>;

/// A request that is being done.
pub(crate) struct Once {
    user_id: String,
    request: Request,
    /// What the transaction returns that does the work.
    type_id: TypeId,
    render: Render,
    found: Mutex<Option<Found>>,
    /// Only the operation's first such transaction counts.
    ran: AtomicBool,
}

/// What an earlier request with the same key left.
enum Found {
    Answer(Answer),
    /// It was another request.
    Mismatch,
}

tokio::task_local! {
    static ONCE: Arc<Once>;
}

impl Gateway {
    /// Does an operation, unless the account has done the same request before: then the answer is
    /// that of the first time. Of several at once, one is done and the others get its answer.
    ///
    /// What `operation` returns must be what its transaction returns, as it is for all operations
    /// of [`Gateway`] that make something. `render` makes the answer of it, within the transaction.
    ///
    /// # Errors
    /// Those of the operation; [`Error::Invalid`] if the key was used for another request.
    pub async fn once<T: Send + 'static>(
        &self,
        caller: &Caller,
        request: Request,
        render: impl Fn(&T) -> Answer + Clone + Send + Sync + 'static,
        operation: impl Future<Output = Result<T>>,
    ) -> Result<Answer> {
        let again = render.clone();
        let once = Arc::new(Once {
            user_id: caller.user_id.clone(),
            request,
            type_id: TypeId::of::<T>(),
            render: Box::new(move |value| value.downcast_ref().map(&again)),
            found: Mutex::new(None),
            ran: AtomicBool::new(false),
        });
        let done = ONCE.scope(Arc::clone(&once), operation).await;
        match once.take() {
            Some(Found::Answer(answer)) => Ok(answer),
            Some(Found::Mismatch) => Err(Error::Invalid(Fields::one(
                FIELD,
                format!("The {FIELD} was used for another request"),
            ))),
            None => done.map(|value| render(&value)),
        }
    }
}

/// Takes a request along into a task of its own.
pub(crate) async fn inherited<T>(work: impl Future<Output = T>, once: Option<Arc<Once>>) -> T {
    match once {
        Some(once) => ONCE.scope(once, work).await,
        None => work.await,
    }
}

/// The request that is being done here, if it is one to be done once.
pub(crate) fn current() -> Option<Arc<Once>> {
    ONCE.try_with(Arc::clone).ok()
}

impl Once {
    /// The request that is being done here, if this is what its transaction returns.
    pub(crate) fn returning<T: 'static>() -> Option<Arc<Self>> {
        current().filter(|once| {
            once.type_id == TypeId::of::<T>() && !once.ran.swap(true, Ordering::Relaxed)
        })
    }

    /// Runs `work` in the open transaction, if it was not done before.
    pub(crate) fn run<T: 'static>(
        &self,
        tx: &mut Work<'_, '_>,
        work: impl FnOnce(&mut Work<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        // A transaction may run again after a conflict, and find something else.
        self.put(None);
        if !tx.claim(self)? {
            let found = tx.kept_answer(self)?;
            self.put(Some(found));
            // Nobody sees it: what was found takes its place.
            return Err(Error::Unauthorized);
        }
        let value = work(tx)?;
        if let Some(answer) = (self.render)(&value) {
            tx.keep_answer(self, &answer)?;
        }
        Ok(value)
    }

    fn put(&self, found: Option<Found>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    fn take(&self) -> Option<Found> {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

db::row! {
    struct Kept { fingerprint: Vec<u8>, status: u16, body: Vec<u8> }
}

impl Work<'_, '_> {
    /// Whether nobody had the key. Another one at the same time waits here for this one's end.
    fn claim(&mut self, once: &Once) -> Result<bool> {
        self.tx.execute(
            "DELETE FROM idempotency WHERE expires_at <= $1",
            &[&self.now],
        )?;
        let claimed = self.tx.execute(
            "INSERT INTO idempotency (user_id, route, key, fingerprint, status, body, expires_at)
             VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (user_id, route, key) DO NOTHING",
            &[
                &once.user_id,
                &once.request.route,
                &once.request.key,
                &once.request.fingerprint,
                &Vec::new(),
                &(self.now + RETENTION),
            ],
        )?;
        Ok(claimed == 1)
    }

    fn kept_answer(&mut self, once: &Once) -> Result<Found> {
        let kept: Kept = self.tx.one(
            "SELECT fingerprint, status, body FROM idempotency
              WHERE user_id = $1 AND route = $2 AND key = $3",
            &[&once.user_id, &once.request.route, &once.request.key],
        )?;
        if kept.fingerprint != once.request.fingerprint {
            return Ok(Found::Mismatch);
        }
        Ok(Found::Answer(Answer {
            status: kept.status,
            body: self.gateway.keys.open_sealed(&kept.body)?,
            repeated: true,
        }))
    }

    fn keep_answer(&mut self, once: &Once, answer: &Answer) -> Result<()> {
        self.tx.execute(
            "UPDATE idempotency SET status = $4, body = $5
              WHERE user_id = $1 AND route = $2 AND key = $3",
            &[
                &once.user_id,
                &once.request.route,
                &once.request.key,
                &answer.status,
                &self.gateway.keys.seal(&answer.body),
            ],
        )?;
        Ok(())
    }
}

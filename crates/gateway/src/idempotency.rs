//! Requests that are done once: the answer is kept with the work, and given again to whoever repeats
//! the request.
//!
//! An operation need not know of it: within [`Gateway::once`] its first transaction claims the key
//! before it does anything. An operation that is one transaction can also say how it is answered, by
//! [`answering`]; then the same transaction keeps the answer, and no crash can come between. Of the
//! others the answer is kept right after them, and a claim without an answer holds for a minute
//! only: so they must be such that doing them once more does no harm. What failed is not kept.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;

use crate::caller::{Caller, Key};
use crate::{Error, Fields, Gateway, Result, Work, secret};

/// How long an answer is kept.
pub const RETENTION: Duration = Duration::from_hours(24);

/// How long an operation whose transaction does not keep its answer may be under way. If it was cut
/// short, it is done once more after that.
pub const PENDING: Duration = Duration::from_mins(1);

/// Bytes of a key at most.
const MAX_KEY: usize = 255;

/// The field that errors are told under.
const FIELD: &str = "Idempotency-Key";

/// How long to wait for the answer of another one who is doing the same, and how often to look.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// What makes two requests the same.
#[derive(Debug, Clone)]
pub struct Request {
    user_id: String,
    route: String,
    key: String,
    fingerprint: Vec<u8>,
    /// Stands for the answer until there is one, so that nobody takes back another one's claim.
    claim: Vec<u8>,
}

impl Request {
    /// A request to this route with the client's key. Another content, or another kind of caller,
    /// may not use the same key.
    ///
    /// # Errors
    /// A key that is empty or too long.
    pub fn new(caller: &Caller, route: &str, key: &str, content: &[u8]) -> Result<Self, Fields> {
        if key.is_empty() || key.len() > MAX_KEY {
            let text = format!("The {FIELD} must have between 1 and {MAX_KEY} characters");
            return Err(Fields::one(FIELD, text));
        }
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(who(&caller.key).as_bytes());
        digest.update(content);
        Ok(Self {
            user_id: caller.user_id.clone(),
            route: route.to_owned(),
            key: key.to_owned(),
            fingerprint: digest.finish().as_ref().to_vec(),
            claim: secret::new_key("").into_bytes(),
        })
    }
}

/// An answer may hold what other keys of the account may not see.
fn who(key: &Key) -> String {
    match key {
        Key::User | Key::Session { .. } => "account\n".to_owned(),
        Key::Phone { id, .. } | Key::Named { id, .. } => format!("{id}\n"),
    }
}

/// An answer, as it goes to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The text of it. It may hold secrets, and is kept encrypted.
    pub body: String,
    /// Where what was made can be looked at: the header `Location`.
    pub location: Option<String>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome<R> {
    /// It was done now.
    Done(R),
    /// It was done before, with this answer.
    Repeated(Answer),
}

type Render = Box<dyn Fn(&dyn Any) -> Option<Answer> + Send + Sync>;

/// A request that is being done.
pub(crate) struct Once {
    request: Request,
    /// What the transaction returns that does the work, and how that is answered; else the first
    /// transaction does the work.
    render: Mutex<Option<(TypeId, Arc<Render>)>>,
    found: Mutex<Option<Found>>,
    /// Only the operation's first such transaction counts.
    ran: AtomicBool,
    /// Whether the transaction has kept the answer itself.
    kept: AtomicBool,
}

/// What an earlier request with the same key left.
enum Found {
    Answer(Answer),
    /// It is not answered yet.
    Begun,
    /// It was another request.
    Mismatch,
}

tokio::task_local! {
    static ONCE: Arc<Once>;
}

/// Says how the operation that follows is answered. It must return what its transaction returns, as
/// all operations of [`Gateway`] do that make something. Says nothing outside of [`Gateway::once`].
pub fn answering<T: 'static>(render: impl Fn(&T) -> Option<Answer> + Send + Sync + 'static) {
    if let Some(once) = current() {
        let render: Render = Box::new(move |value| value.downcast_ref().and_then(&render));
        *locked(&once.render) = Some((TypeId::of::<T>(), Arc::new(render)));
    }
}

impl Gateway {
    /// Does an operation, unless the account has done the same request before: then the answer is
    /// that of the first time. Of several at once, one is done and the others get its answer.
    /// The operation also says how it is answered; with `None` it failed. It must not be dropped
    /// before it ends.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the key was used for another request; [`Error::Conflict`] if the first
    /// one has no answer, since it is still under way or was cut short.
    pub async fn once<R>(
        &self,
        request: Request,
        operation: impl Future<Output = (R, Option<Answer>)>,
    ) -> Result<Outcome<R>> {
        if let Some(found) = self.kept(&request).await? {
            return self.settled(found, &request).await.map(Outcome::Repeated);
        }
        let once = Arc::new(Once {
            request: request.clone(),
            render: Mutex::default(),
            found: Mutex::default(),
            ran: AtomicBool::new(false),
            kept: AtomicBool::new(false),
        });
        let (done, answer) = ONCE.scope(Arc::clone(&once), operation).await;
        let found = locked(&once.found).take();
        if let Some(found) = found {
            return self.settled(found, &request).await.map(Outcome::Repeated);
        }
        let kept = answer.is_some() && once.kept.load(Ordering::Relaxed);
        if !kept {
            self.end(request, answer).await?;
        }
        Ok(Outcome::Done(done))
    }

    async fn kept(&self, request: &Request) -> Result<Option<Found>> {
        let (request, now) = (request.clone(), self.now());
        let fingerprint = request.fingerprint.clone();
        let kept = self.lookup(move |tx| {
            Ok(tx.optional::<Kept>(
                "SELECT fingerprint, status, body, location FROM idempotency
                  WHERE user_id = $1 AND route = $2 AND key = $3 AND expires_at > $4",
                &[&request.user_id, &request.route, &request.key, &now],
            )?)
        });
        let kept: Option<Kept> = kept.await?;
        kept.map(|kept| self.0.found(&kept, &fingerprint))
            .transpose()
    }

    /// The answer of the first one, once it has one.
    async fn settled(&self, mut found: Found, request: &Request) -> Result<Answer> {
        let mut waited = Duration::ZERO;
        loop {
            match found {
                Found::Answer(answer) => return Ok(answer),
                Found::Mismatch => {
                    let text = format!("The {FIELD} was used for another request");
                    return Err(Error::Invalid(Fields::one(FIELD, text)));
                }
                Found::Begun if waited >= PATIENCE => return Err(unknown()),
                Found::Begun => {}
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
            // It failed, and may be done again.
            found = self.kept(request).await?.ok_or_else(unknown)?;
        }
    }

    /// Keeps the answer of a request that was done; one that failed may be done again.
    async fn end(&self, request: Request, answer: Option<Answer>) -> Result<()> {
        self.write(move |work| match &answer {
            Some(answer) => work.keep_answer(&request, answer),
            None => work.unclaim(&request),
        })
        .await
    }
}

fn unknown() -> Error {
    let why = format!(
        "The first request with this {FIELD} has no answer yet: it is under way, failed or was cut short. Try again in a minute."
    );
    Error::Conflict(why)
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
    /// The request that is being done here, if its work is what returns this.
    pub(crate) fn returning<T: 'static>() -> Option<Arc<Self>> {
        let is_work = |once: &Arc<Self>| match &*locked(&once.render) {
            Some((type_id, _)) => *type_id == TypeId::of::<T>(),
            None => true,
        };
        current()
            .filter(is_work)
            .filter(|once| !once.ran.swap(true, Ordering::Relaxed))
    }

    /// Runs `work` in the open transaction, if it was not done before.
    pub(crate) fn run<T: 'static>(
        &self,
        tx: &mut Work<'_, '_>,
        work: impl FnOnce(&mut Work<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        // A transaction may run again after a conflict, and find something else.
        *locked(&self.found) = None;
        if !tx.claim(&self.request)? {
            let found = tx.kept_answer(&self.request)?;
            *locked(&self.found) = Some(found);
            // Nobody sees it: what was found takes its place.
            return Err(Error::Unauthorized);
        }
        let value = work(tx)?;
        let render = locked(&self.render)
            .as_ref()
            .map(|(_, render)| Arc::clone(render));
        if let Some(answer) = render.and_then(|render| render(&value)) {
            tx.keep_answer(&self.request, &answer)?;
            self.kept.store(true, Ordering::Relaxed);
        }
        Ok(value)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

db::row! {
    struct Kept { fingerprint: Vec<u8>, status: u16, body: Vec<u8>, location: Option<String> }
}

impl crate::Inner {
    fn found(&self, kept: &Kept, fingerprint: &[u8]) -> Result<Found> {
        if kept.fingerprint != fingerprint {
            return Ok(Found::Mismatch);
        }
        if kept.status == 0 {
            return Ok(Found::Begun);
        }
        Ok(Found::Answer(Answer {
            status: kept.status,
            body: self.keys.open_sealed(&kept.body)?,
            location: kept.location.clone(),
        }))
    }
}

impl Work<'_, '_> {
    /// Whether nobody had the key. Another one at the same time waits here for this one's end.
    fn claim(&mut self, request: &Request) -> Result<bool> {
        self.tx.execute(
            "DELETE FROM idempotency WHERE expires_at <= $1",
            &[&self.now],
        )?;
        let claimed = self.tx.execute(
            "INSERT INTO idempotency (user_id, route, key, fingerprint, status, body, expires_at)
             VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (user_id, route, key) DO NOTHING",
            &[
                &request.user_id,
                &request.route,
                &request.key,
                &request.fingerprint,
                &request.claim,
                &(self.now + PENDING),
            ],
        )?;
        Ok(claimed == 1)
    }

    fn kept_answer(&mut self, request: &Request) -> Result<Found> {
        let kept: Kept = self.tx.one(
            "SELECT fingerprint, status, body, location FROM idempotency
              WHERE user_id = $1 AND route = $2 AND key = $3",
            &[&request.user_id, &request.route, &request.key],
        )?;
        self.gateway.found(&kept, &request.fingerprint)
    }

    /// Also of a request that had nothing to write. The account may be gone: then nobody asks again.
    fn keep_answer(&mut self, request: &Request, answer: &Answer) -> Result<()> {
        self.tx.execute(
            "INSERT INTO idempotency
                 (user_id, route, key, fingerprint, status, body, expires_at, location)
             SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM account WHERE id = $1
             ON CONFLICT (user_id, route, key)
                 DO UPDATE SET status = excluded.status, body = excluded.body,
                     expires_at = excluded.expires_at, location = excluded.location",
            &[
                &request.user_id,
                &request.route,
                &request.key,
                &request.fingerprint,
                &answer.status,
                &self.gateway.keys.seal(&answer.body),
                &(self.now + RETENTION),
                &answer.location,
            ],
        )?;
        Ok(())
    }

    fn unclaim(&mut self, request: &Request) -> Result<()> {
        self.tx.execute(
            "DELETE FROM idempotency
              WHERE user_id = $1 AND route = $2 AND key = $3 AND status = 0 AND body = $4",
            &[
                &request.user_id,
                &request.route,
                &request.key,
                &request.claim,
            ],
        )?;
        Ok(())
    }
}

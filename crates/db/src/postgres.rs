//! PostgreSQL: each closure is a transaction of its own on a pooled connection, run on a blocking
//! thread. Here are the pool and its transactions; the rest is in files below.

mod error;
mod listen;
pub(crate) mod notify;
mod session;
mod statement;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use tokio::runtime::Handle;
use tokio::sync::{RwLock, mpsc, watch};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tx::{AfterCommit, Conn, Tx, run_hooks};
use crate::{Error, Result};

use notify::Notifier;
use session::Connection;
pub(crate) use session::Session;

/// To open a connection, or to get one that is free.
const WAIT: Duration = Duration::from_secs(5);
/// How often a transaction that PostgreSQL broke is tried.
const TRIES: u32 = 5;
/// Before the second try; longer before each next.
const PAUSE: Duration = Duration::from_millis(5);
/// Nothing here may hold a lock, or a caller, for longer.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s';
                       SET idle_in_transaction_session_timeout = '30s'";

/// A server.
pub(crate) struct Postgres {
    pool: Pool,
    notifier: Arc<Notifier>,
    config: Config,
    tls: MakeRustlsConnect,
    /// Held by all that runs, so that closing can wait for it.
    running: Arc<RwLock<()>>,
    closed: watch::Sender<bool>,
}

impl Postgres {
    pub(crate) fn open(url: &str, connections: usize) -> Result<Self> {
        let (mut config, tls) = tls::configure(url)?;
        config.connect_timeout(WAIT);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("httpsms");
        }
        let pool = pool(config.clone(), tls.clone(), connections)?;
        Ok(Self {
            notifier: Arc::new(Notifier::new(pool.clone())),
            pool,
            config,
            tls,
            running: Arc::default(),
            closed: watch::Sender::new(false),
        })
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.on_client(work, write).await
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.on_client(work, read).await
    }

    pub(crate) fn listen(&self, channel: &str) -> mpsc::Receiver<String> {
        listen::start(
            self.config.clone(),
            self.tls.clone(),
            channel,
            self.closed.subscribe(),
        )
    }

    pub(crate) async fn close(&self) {
        self.closed.send_replace(true);
        let _all_done = self.running.write().await;
        self.notifier.close().await;
        self.pool.close();
    }

    /// Runs `how` with `work` on a blocking thread, which goes on when the caller has gone.
    async fn on_client<T, E, F>(&self, work: F, how: How<T, E, F>) -> Result<T, E>
    where
        F: Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let running = self.running.clone().read_owned().await;
        if *self.closed.borrow() {
            return Err(Error::Closed.into());
        }
        let client = self.pool.get().await.map_err(Error::from)?;
        let (rt, notifier) = (Handle::current(), Arc::clone(&self.notifier));
        let done = tokio::task::spawn_blocking(move || {
            let _running = running;
            let connection = Connection {
                client: &client,
                rt: &rt,
                notifier: &notifier,
            };
            let outcome = how(connection, work);
            if outcome.lost {
                // Closed rather than given to somebody else with a transaction open.
                drop(Client::take(client));
            }
            outcome.done
        });
        done.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }
}

/// How a closure is run; a plain function, so that it names its own bounds.
type How<T, E, F> = fn(Connection<'_>, F) -> Outcome<T, E>;

/// What a closure came to on its connection.
struct Outcome<T, E> {
    done: Result<T, E>,
    /// Nobody knows what the connection is in the middle of.
    lost: bool,
    /// PostgreSQL asks to try again.
    contended: bool,
}

fn pool(config: Config, tls: MakeRustlsConnect, connections: usize) -> Result<Pool> {
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
    let session = Hook::async_fn(|client, _| {
        Box::pin(async move {
            let set = client.batch_execute(SESSION).await;
            set.map_err(HookError::Backend)
        })
    });
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .post_create(session)
        .build()
        .map_err(|error| Error::Other(error.to_string()))
}

fn read<T, E, F>(connection: Connection<'_>, mut work: F) -> Outcome<T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    E: From<Error>,
{
    let session = Session::reading(connection);
    let tried = Tx::reading(Conn::Postgres(&session)).attempt(&mut work);
    Outcome {
        done: tried.done,
        lost: tried.panicked,
        contended: false,
    }
}

fn write<T, E, F>(connection: Connection<'_>, mut work: F) -> Outcome<T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    E: From<Error>,
{
    let mut tries = 1;
    loop {
        let outcome = write_once(connection, &mut work);
        if !outcome.contended || outcome.lost || tries == TRIES {
            return outcome;
        }
        let pause = tokio::time::sleep(PAUSE * tries);
        connection.rt.block_on(pause);
        tries += 1;
    }
}

fn write_once<T, E, F>(connection: Connection<'_>, work: &mut F) -> Outcome<T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    E: From<Error>,
{
    let session = Session::writing(connection);
    let tried = Tx::writing(Conn::Postgres(&session)).attempt(work);
    match tried.done {
        Ok(done) => commit(&session, done, tried.hooks),
        Err(error) => Outcome {
            done: Err(error),
            lost: session.rollback().is_err(),
            contended: matches!(tried.fault, Some(Error::Contended(_))),
        },
    }
}

fn commit<T, E>(session: &Session<'_>, done: T, hooks: Vec<AfterCommit>) -> Outcome<T, E>
where
    E: From<Error>,
{
    match session.commit() {
        Ok(()) => {
            run_hooks(hooks);
            Outcome {
                done: Ok(done),
                lost: false,
                contended: false,
            }
        }
        Err(error) => {
            tracing::error!(%error, "a commit failed");
            let contended = matches!(error, Error::Contended(_));
            Outcome {
                done: Err(error.into()),
                lost: session.rollback().is_err(),
                contended,
            }
        }
    }
}

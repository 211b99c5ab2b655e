//! The product: accounts, phones, messages, events and deliveries; their rules and their SQL.
//!
//! Knows no HTTP. Every operation is a method of [`Gateway`] and runs in one transaction, which
//! makes the change, appends its event to the log and queues what must be told to the world.

pub mod account;
pub mod api_key;
pub mod attachment;
pub mod bulk;
mod caller;
pub mod clock;
pub mod delivery;
pub mod discord;
pub mod event;
pub mod export;
mod fields;
pub mod heartbeat;
pub mod id;
pub mod idempotency;
mod listen;
pub mod mail;
mod many;
pub mod message;
mod migrations;
mod names;
mod notification;
pub mod number;
mod page;
mod password;
mod patience;
pub mod phone;
pub mod phone_key;
mod recall;
pub mod replay;
pub mod retention;
mod sample;
pub mod schedule;
pub mod search;
mod secret;
pub mod segment;
pub mod session;
pub mod slot;
pub mod status;
pub mod thread;
mod timer;
pub mod usage;
mod wake;
pub mod webhook;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use db::{Db, Tx};

pub use caller::{Caller, Key};
pub use clock::{Clock, Time};
pub use fields::Fields;
pub use notification::{Notification, PushData};
pub use number::PhoneNumber;
pub use page::{Before, Page};
pub use uuid::Uuid;

use delivery::Handoff;
use idempotency::Once;
use recall::{Changes, Recall};
use secret::Keyring;
use session::Guesses;
use wake::Wake;

/// What an operation that was refused or failed says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing for this caller; the words are the wire's.
    #[error("{0}")]
    NotFound(String),
    /// The request names something that may not be so.
    #[error("the request is not valid")]
    Invalid(Fields),
    /// The state of things forbids it.
    #[error("{0}")]
    Conflict(String),
    /// There may be no more of these; the words are the wire's.
    #[error("{0}")]
    Limit(String),
    /// A phone key may not act for this number.
    #[error("the phone key does not hold {number}")]
    NotBound {
        /// The number that was named.
        number: String,
        /// The numbers that the key holds.
        held: Vec<String>,
    },
    /// The caller is known, but may not; in words.
    #[error("{0}")]
    Forbidden(String),
    /// The caller may not do this to somebody else.
    #[error("not authorized")]
    Unauthorized,
    /// Too many attempts: not before this time has passed.
    #[error("too many attempts, wait for {0:?}")]
    TooMany(Duration),
    /// Too many ask for something long at once.
    #[error("too many long reads at once")]
    Busy,
    /// It was stopped, because it took longer than it may.
    #[error("it took too long and was stopped")]
    TooLong,
    /// The database.
    #[error(transparent)]
    Db(db::Error),
    /// A stored secret cannot be read.
    #[error(transparent)]
    Unreadable(#[from] secret::Unreadable),
    /// Files of the data directory.
    #[error("data directory: {0}")]
    Files(#[from] std::io::Error),
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Busy => Self::Busy,
            db::Error::TooLong => Self::TooLong,
            other => Self::Db(other),
        }
    }
}

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound(what.into())
    }

    fn conflict(why: impl Into<String>) -> Self {
        Self::Conflict(why.into())
    }

    /// Whether the database, or where files are kept, cannot be reached, is full or has too much to
    /// do, so that the caller should try again later.
    pub fn is_unavailable(&self) -> bool {
        use std::io::ErrorKind::{NetworkDown, StorageFull};
        match self {
            Self::Busy | Self::TooLong => true,
            Self::Db(error) => error.is_unavailable(),
            Self::Files(error) => matches!(error.kind(), NetworkDown | StorageFull),
            _ => false,
        }
    }
}

/// Where the rows are kept.
#[derive(Debug, Clone)]
pub enum Database {
    /// `httpsms.db` in the data directory.
    Sqlite,
    /// A PostgreSQL server, by its URL.
    Postgres(String),
}

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Holds the key file and, with SQLite, the database.
    pub data_dir: PathBuf,
    /// Where the rows are kept.
    pub database: Database,
    /// A phone without a heartbeat for so long is offline.
    pub phone_offline_after: Duration,
    /// A webhook that failed for so long, with never a success, is paused.
    pub webhook_pause_after: Duration,
    /// How long attempts at webhooks are kept in the log.
    pub attempt_retention: Duration,
    /// How many messages each account may send and receive in a billing cycle; if absent, any number.
    pub message_quota: Option<i64>,
    /// Whether mails can be sent.
    pub mail: bool,
    /// Whether pushes can go through Firebase; otherwise every phone fetches its wake-ups here.
    pub fcm: bool,
    /// Where files are kept; if absent, in the data directory.
    pub files: Option<Arc<dyn attachment::Store>>,
    /// The time.
    pub clock: Clock,
}

impl Settings {
    /// The defaults, with everything in this folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: Database::Sqlite,
            phone_offline_after: Duration::from_hours(1),
            webhook_pause_after: Duration::from_hours(5 * 24),
            attempt_retention: Duration::from_hours(30 * 24),
            message_quota: None,
            mail: false,
            fcm: false,
            files: None,
            clock: Clock::system(),
        }
    }
}

/// The product. Clones share it.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    db: Db,
    keys: Keyring,
    /// This data directory's name among the nodes of a database.
    node: Uuid,
    settings: Settings,
    files: Arc<dyn attachment::Store>,
    handoff: Arc<Handoff>,
    wake: Arc<Wake>,
    guesses: Guesses,
    changes: Arc<Changes>,
    /// By the hash of their key.
    phones: Recall<Vec<u8>, Caller>,
    /// By their account.
    hearers: Recall<String, Arc<event::Hearers>>,
}

/// An open transaction, the time it happens at, and what it may have to tell.
struct Work<'w, 'tx> {
    tx: &'w mut Tx<'tx>,
    now: Time,
    gateway: &'w Arc<Inner>,
}

/// How long a read may run that may go through many rows.
const LONG: Duration = Duration::from_secs(5);

/// PostgreSQL connections of one process.
const CONNECTIONS: usize = 24;

impl Gateway {
    /// Opens the data directory and the database, making what is missing.
    pub async fn open(settings: Settings) -> Result<Self> {
        std::fs::create_dir_all(&settings.data_dir)?;
        let keys = Keyring::open(&settings.data_dir.join("secret.key"))?;
        let node = node(&settings)?;
        let db = match &settings.database {
            Database::Sqlite => Db::open_sqlite(&settings.data_dir.join("httpsms.db"))?,
            Database::Postgres(url) => Db::open_postgres(url, CONNECTIONS)?,
        };
        db.migrate(&migrations::all()).await?;
        let gateway = Self(Arc::new(Inner {
            db,
            keys,
            node,
            files: files(&settings),
            settings,
            handoff: Handoff::new(),
            wake: Arc::default(),
            guesses: Guesses::default(),
            changes: Arc::default(),
            phones: Recall::default(),
            hearers: Recall::default(),
        }));
        gateway.reorder_restored_events().await?;
        Ok(gateway)
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.0.settings.clock.now()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let db::Scalar(_one) = self
            .read(|tx| Ok(tx.one::<db::Scalar<i64>>("SELECT CAST(1 AS BIGINT)", &[])?))
            .await?;
        Ok(())
    }

    /// Finishes what is under way and closes the database.
    pub async fn close(&self) {
        self.0.db.close().await;
    }

    /// Runs `work` in a transaction; on PostgreSQL perhaps again, after a conflict.
    async fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Work<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        let once = Once::returning::<T>();
        self.0
            .db
            .write(move |tx| {
                let now = inner.settings.clock.now();
                let mut open = Work {
                    tx,
                    now,
                    gateway: &inner,
                };
                open.watch_changes();
                let done = match &once {
                    Some(once) => once.run(&mut open, &mut work),
                    None => work(&mut open),
                };
                open.note_change();
                done
            })
            .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.db.read(work).await
    }

    /// A read that may go through many rows: none of those that are short waits for it, and it ends
    /// with [`db::Error::TooLong`] after [`LONG`].
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.db.scan(LONG, work).await
    }

    /// A read of a list, which is long if it goes through what nobody gets to see.
    async fn list<T: Send + 'static>(
        &self,
        page: &Page,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if page.is_far() {
            Box::pin(self.scan(work)).await
        } else {
            self.read(work).await
        }
    }

    /// A read of a row or two, too short to leave the thread for.
    async fn lookup<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.db.lookup(work).await
    }
}

/// Where files are kept.
fn files(settings: &Settings) -> Arc<dyn attachment::Store> {
    let disk = || attachment::Disk(settings.data_dir.join("attachments"));
    settings.files.clone().unwrap_or_else(|| Arc::new(disk()))
}

/// Reads the node's name, or gives it one.
fn node(settings: &Settings) -> std::io::Result<Uuid> {
    let path = settings.data_dir.join("node.id");
    match std::fs::read_to_string(&path) {
        Ok(name) => name
            .trim()
            .parse()
            .map_err(|_| std::io::Error::other(format!("{}: not a node's name", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = id::new(settings.clock.now());
            std::fs::write(&path, name.to_string())?;
            Ok(name)
        }
        Err(error) => Err(error),
    }
}

/// Locks the rows that a statement reads until the transaction ends. SQLite has one writer anyway.
fn for_update(tx: &Tx<'_>) -> &'static str {
    match tx.engine() {
        db::Engine::Sqlite => "",
        db::Engine::Postgres => "FOR UPDATE",
    }
}

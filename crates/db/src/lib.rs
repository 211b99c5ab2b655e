//! One SQL text, two engines, and no `await` inside a transaction: the only crate that knows the
//! drivers. It knows rows, values and transactions, and nothing of what is stored.
//!
//! A transaction is a plain closure. On SQLite a single writer thread owns the file and joins the
//! closures that wait at the same time into one commit; on PostgreSQL a few threads do the same,
//! each on a connection of its own. Either way the work is on disk once
//! [`Db::write`] has returned `Ok`.
//!
//! ```no_run
//! # use db::{Db, Error, Scalar, row};
//! row! {
//!     /// Somebody.
//!     pub struct User { pub id: i64, pub email: String }
//! }
//! # async fn example() -> Result<(), Error> {
//! let db = Db::open_sqlite("data.db".as_ref())?;
//! let Scalar(id): Scalar<i64> = db
//!     .write(|tx| tx.one("INSERT INTO account (email) VALUES ($1) RETURNING id", &[&"a@b.example"]))
//!     .await?;
//! let user: Option<User> = db
//!     .read(move |tx| tx.optional("SELECT id, email FROM account WHERE id = $1", &[&id]))
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! Rules that keep one text true on both engines:
//!
//! - Parameters are `$1, $2…`; `RETURNING`, `ON CONFLICT` and CTEs are known to both. [`Tx::engine`]
//!   is there for the few statements that differ.
//! - Types: `BIGINT` for `i64`, `BOOLEAN`, `TEXT`, `UUID`, `DOUBLE PRECISION`, and for bytes `BLOB`
//!   on SQLite, `BYTEA` on PostgreSQL. `CAST(sum(x) AS BIGINT)`: PostgreSQL's sums are `NUMERIC`.
//! - A statement that fails dooms its transaction, whatever the closure makes of the error. To go
//!   on after a conflict write `ON CONFLICT`.
//! - Constraints are checked at once, never `DEFERRABLE INITIALLY DEFERRED`: a group of closures
//!   shares one commit.
//! - Statements are prepared once and kept: make their text from a small fixed set.

mod error;
mod job;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod tx;
mod value;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

pub use error::{Error, Result};
pub use migrate::Migration;
pub use row::{FromRow, Row, Scalar};
pub use tx::{Later, Tx};
pub use value::{Arg, Column, Value};

use postgres::Postgres;
use sqlite::Sqlite;

/// How long a long read waits for its turn.
const SCAN_WAIT: Duration = Duration::from_secs(10);

/// Which database is behind a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// A file, written by one thread.
    Sqlite,
    /// A server, shared with other processes.
    Postgres,
}

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Db(Handle);

#[derive(Clone)]
enum Handle {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Db {
    /// Opens the file, making it when it is not there. Other processes may have it open too.
    pub fn open_sqlite(path: &Path) -> Result<Self> {
        Ok(Self(Handle::Sqlite(Arc::new(Sqlite::open(path)?))))
    }

    /// Prepares up to `connections` connections to the server at `postgres://…`; the first
    /// statement opens the first of them, so a server that is down shows up there.
    ///
    /// `sslmode` means what it means to libpq: `prefer` (without one) and `require` encrypt,
    /// `verify-ca` and `verify-full` also check the server's certificate and name, against the
    /// system's roots and the file named by `sslrootcert`.
    pub fn open_postgres(url: &str, connections: usize) -> Result<Self> {
        let postgres = Postgres::open(url, connections)?;
        Ok(Self(Handle::Postgres(Arc::new(postgres))))
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Handle::Sqlite(_) => Engine::Sqlite,
            Handle::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` in a transaction. `Ok` means committed and flushed; when it returns an error,
    /// panics, or the commit fails, everything it did is undone.
    ///
    /// `work` may run again, from its start, when PostgreSQL broke a deadlock or a conflict of
    /// serialization, or when another closure took SQLite's common transaction down: it must have
    /// no effect outside the transaction but through [`Tx::on_commit`], and it never waits for
    /// anything, least of all for the database. If the future is dropped before it is ready the transaction may commit
    /// all the same.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.write(work).await,
            Handle::Postgres(postgres) => postgres.write(work).await,
        }
    }

    /// Runs `work`, which only reads, beside the writers. Each statement sees what was committed
    /// when it began: what must fit together belongs into one statement.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.read(work).await,
            Handle::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Like [`Db::read`], for reads of a few rows by their key: on SQLite they run on the calling
    /// thread, because waking another costs more than they do. Never scan here.
    pub async fn lookup<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.lookup(work),
            Handle::Postgres(postgres) => postgres.lookup(work).await,
        }
    }

    /// Like [`Db::read`], for reads that may go through many rows. They have threads of their own, so
    /// that no short read waits for them, and `time` to run: what needs more fails with
    /// [`Error::TooLong`] (on PostgreSQL each statement has the time). If the future is dropped the
    /// work ends soon, on PostgreSQL by that time.
    ///
    /// # Errors
    /// [`Error::Busy`] if 64 wait already, or if it could not begin within ten seconds.
    pub async fn scan<T, E, F>(&self, time: Duration, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let scanners = match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.scanners(),
            Handle::Postgres(postgres) => postgres.scanners(),
        };
        scanners.run_long(work, time, SCAN_WAIT).await
    }

    /// The payloads other nodes give to [`Tx::notify`] on `channel`; call it inside a Tokio
    /// runtime. An empty payload says that listening has begun, or begun again after a lost
    /// connection: something may have been missed. On SQLite the receiver stays silent.
    pub fn listen(&self, channel: &str) -> mpsc::Receiver<String> {
        match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.listen(),
            Handle::Postgres(postgres) => postgres.listen(channel),
        }
    }

    /// Applies, in one transaction, those `migrations` that the database has not seen yet.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<()> {
        let migrations = migrations.to_vec();
        self.write(move |tx| migrate::apply(tx, &migrations)).await
    }

    /// Finishes the work that waits and closes the database for all clones of the handle; on
    /// SQLite what is in the write-ahead log moves into the file.
    pub async fn close(&self) {
        match &self.0 {
            Handle::Sqlite(sqlite) => sqlite.close().await,
            Handle::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Db").field(&self.engine()).finish()
    }
}

//! An open transaction: the statements a closure runs, and what shall happen once it is durable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::postgres::{Session, notify};
use crate::{Arg, Engine, Error, FromRow, Result, Row, Scalar, sqlite};

/// Runs after the commit.
pub(crate) type AfterCommit = Box<dyn FnOnce() + Send>;

/// An open transaction, or in [`Db::read`](crate::Db::read) a connection that only reads.
pub struct Tx<'c> {
    conn: Conn<'c>,
    /// What follows the commit; nothing is kept where there will be none.
    hooks: Option<Vec<AfterCommit>>,
    /// Whether a statement may have changed something.
    changed: bool,
    /// The tables whose changes are not [`Tx::wrote_elsewhere`].
    usual: &'static [&'static str],
    /// Whether one may have changed another table than those.
    elsewhere: bool,
    /// The first statement that failed.
    fault: Option<Error>,
}

#[derive(Clone, Copy)]
pub(crate) enum Conn<'c> {
    Sqlite(&'c dyn sqlite::Statements),
    Postgres(&'c Session),
}

impl<'c> Tx<'c> {
    pub(crate) fn writing(conn: Conn<'c>) -> Self {
        Self {
            conn,
            hooks: Some(Vec::new()),
            changed: false,
            usual: &[],
            elsewhere: false,
            fault: None,
        }
    }

    pub(crate) fn reading(conn: Conn<'c>) -> Self {
        Self {
            conn,
            hooks: None,
            changed: false,
            usual: &[],
            elsewhere: false,
            fault: None,
        }
    }

    /// Which database this is, for the few statements that differ.
    pub fn engine(&self) -> Engine {
        match self.conn {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a statement that returns no rows; the number of rows it changed.
    pub fn execute(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
        let changed = self.run(sql, |conn| match conn {
            Conn::Sqlite(on) => sqlite::execute(on, sql, args),
            Conn::Postgres(session) => session.execute(sql, args),
        })?;
        self.note(sql, changed > 0);
        Ok(changed)
    }

    /// Leaves these tables out of [`Tx::wrote_elsewhere`] from now on.
    pub fn watch(&mut self, usual: &'static [&'static str]) {
        self.usual = usual;
    }

    /// Whether a statement may have changed a table that was not named to [`Tx::watch`].
    pub fn wrote_elsewhere(&self) -> bool {
        self.elsewhere
    }

    fn note(&mut self, sql: &str, changed: bool) {
        self.changed |= changed;
        self.elsewhere |= changed && !self.usual.contains(&written(sql));
    }

    /// All rows of the answer.
    pub fn all<T: FromRow>(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<Vec<T>> {
        let rows = self.run(sql, |conn| match conn {
            Conn::Sqlite(on) => sqlite::query(on, sql, args),
            Conn::Postgres(session) => session.query(sql, args),
        })?;
        self.note(sql, !rows.is_empty() && !only_reads(sql));
        Ok(rows)
    }

    /// The first row of the answer, if there is one.
    pub fn optional<T: FromRow>(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<Option<T>> {
        Ok(self.all(sql, args)?.into_iter().next())
    }

    /// The first row of the answer, or [`Error::NoRow`].
    pub fn one<T: FromRow>(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<T> {
        self.optional(sql, args)?.ok_or(Error::NoRow)
    }

    /// Runs a statement of which nobody needs to know more than that it worked: where that turns out
    /// later, the transaction fails. On PostgreSQL it travels with the next one.
    pub fn send(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<()> {
        self.later::<Nothing>(sql, args).map(drop)
    }

    /// Runs a statement whose answer is not needed at once: it is there after the next statement
    /// that is waited for, and in [`Tx::on_commit`].
    pub fn later<T>(&mut self, sql: &str, args: &[&dyn Arg]) -> Result<Later<T>>
    where
        T: FromRow + Send + 'static,
    {
        let later = Later::default();
        self.note(sql, !only_reads(sql));
        self.run(sql, |conn| match conn {
            Conn::Sqlite(on) => {
                later.set(sqlite::query(on, sql, args)?);
                Ok(())
            }
            Conn::Postgres(session) => session.send(sql, args, &later),
        })?;
        Ok(later)
    }

    /// Inserts one row, given without `RETURNING`; its `key`, which the database makes, is there when
    /// that of [`Tx::later`] would be. SQLite knows it anyway: to return it would cost it a table.
    pub fn insert(
        &mut self,
        sql: &str,
        key: &str,
        args: &[&dyn Arg],
    ) -> Result<Later<Scalar<i64>>> {
        match self.conn {
            Conn::Sqlite(on) => {
                self.execute(sql, args)?;
                let later = Later::default();
                later.set(vec![Scalar(on.conn().last_insert_rowid())]);
                Ok(later)
            }
            Conn::Postgres(_) => self.later(&format!("{sql} RETURNING {key}"), args),
        }
    }

    /// Waits for the statements that were not waited for.
    pub fn wait(&mut self) -> Result<()> {
        self.run("", |conn| match conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(session) => session.settle(),
        })
    }

    /// Runs several statements without parameters, separated by `;`.
    pub(crate) fn script(&mut self, sql: &str) -> Result<()> {
        self.note(sql, true);
        self.run(sql, |conn| match conn {
            Conn::Sqlite(on) => Ok(on.conn().execute_batch(sql)?),
            Conn::Postgres(session) => session.script(sql),
        })
    }

    /// Runs `hook` once, after the commit that makes this transaction durable and before the
    /// caller is answered, even if the caller has gone; never when the transaction fails. On
    /// SQLite the writer thread runs it and all others wait meanwhile: it must be quick.
    pub fn on_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        if let Some(hooks) = &mut self.hooks {
            hooks.push(Box::new(hook));
        }
    }

    /// Tells those who [`listen`](crate::Db::listen) on `channel`, on every node, soon after this
    /// transaction is committed; the same payload many times over may arrive once. It is lost when
    /// the process dies at that moment, so whoever listens also looks by itself from time to time.
    /// On SQLite, where there is one node, nobody hears it.
    pub fn notify(&mut self, channel: &str, payload: &str) -> Result<()> {
        notify::check(channel, payload)?;
        if let Conn::Postgres(session) = self.conn {
            let (notifier, told) = (session.notifier(), (channel.into(), payload.into()));
            self.on_commit(move || drop(notifier.send(told)));
        }
        Ok(())
    }

    /// Runs one statement, unless an earlier one failed: PostgreSQL takes no more then, and
    /// SQLite shall not be kinder.
    fn run<T>(&mut self, sql: &str, run: impl FnOnce(Conn<'c>) -> Result<T>) -> Result<T> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        run(self.conn).map_err(|error| {
            let error = error.in_statement(sql);
            self.fault = Some(error.clone());
            error
        })
    }
}

/// What changes something and returns rows names them; where it returns none, it changed none.
fn only_reads(sql: &str) -> bool {
    sql.trim_start().starts_with("SELECT")
}

/// The table that a statement writes to; none if it does not begin in one of the simple ways.
fn written(sql: &str) -> &str {
    let sql = sql.trim_start();
    let mut rest = ["INSERT INTO ", "UPDATE ", "DELETE FROM "]
        .iter()
        .filter_map(|verb| sql.strip_prefix(verb));
    rest.next()
        .and_then(|rest| {
            rest.split(|char: char| char != '_' && !char.is_alphanumeric())
                .next()
        })
        .unwrap_or_default()
}

/// The answer of a statement that was not waited for.
#[derive(Debug)]
pub struct Later<T>(Arc<Mutex<Vec<T>>>);

impl<T> Later<T> {
    pub(crate) fn set(&self, rows: Vec<T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    /// Its rows; none before they are there.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Later<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A row nobody looks at.
struct Nothing;

impl FromRow for Nothing {
    fn from_row(_: &Row<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// What one run of a closure came to.
pub(crate) struct Attempt<T, E> {
    /// `Ok` only if the transaction may be committed.
    pub(crate) done: Result<T, E>,
    pub(crate) hooks: Vec<AfterCommit>,
    pub(crate) changed: bool,
    pub(crate) fault: Option<Error>,
    pub(crate) panicked: bool,
}

impl Tx<'_> {
    /// Runs `work` once; a panic ends here.
    pub(crate) fn attempt<T, E: From<Error>>(
        mut self,
        work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Attempt<T, E> {
        let tried = catch_unwind(AssertUnwindSafe(|| work(&mut self)));
        let panicked = tried.is_err();
        let done = match (tried, &self.fault) {
            (Err(_), _) => Err(Error::Panicked.into()),
            (Ok(Ok(_)), Some(fault)) => Err(fault.clone().into()),
            (Ok(done), _) => done,
        };
        Attempt {
            done,
            hooks: self.hooks.unwrap_or_default(),
            changed: self.changed,
            fault: self.fault,
            panicked,
        }
    }
}

/// Runs what was to follow the commit; one that panics does not keep the others from it.
pub(crate) fn run_hooks(hooks: Vec<AfterCommit>) {
    for hook in hooks {
        if catch_unwind(AssertUnwindSafe(hook)).is_err() {
            tracing::error!("a hook panicked after its commit");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn the_table_that_is_written_to_is_named_after_the_verb() {
        for (sql, table) in [
            ("INSERT INTO event (seq) VALUES ($1)", "event"),
            ("\n  UPDATE usage_day SET a = 1", "usage_day"),
            ("DELETE FROM delivery WHERE id = $1", "delivery"),
            ("DELETE FROM delivery", "delivery"),
            ("WITH a AS (SELECT 1) UPDATE event SET b = 1", ""),
            ("INSERT OR IGNORE INTO event VALUES (1)", ""),
        ] {
            assert_eq!(written(sql), table, "{sql}");
        }
    }
}

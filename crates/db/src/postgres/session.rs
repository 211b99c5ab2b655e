//! One run of a closure on one connection. Its transaction begins without a round trip of its own:
//! `BEGIN` travels with the first statement.

use std::cell::Cell;

use deadpool_postgres::Client;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::error::at_commit;
use super::notify::Notifier;
use super::statement;
use crate::{Arg, FromRow, Result};

/// A connection of the pool, in the hands of one caller.
#[derive(Clone, Copy)]
pub(super) struct Connection<'c> {
    pub(super) client: &'c Client,
    pub(super) rt: &'c Handle,
    pub(super) notifier: &'c Notifier,
}

/// It, while a closure runs.
pub(crate) struct Session<'c> {
    connection: Connection<'c>,
    transaction: Cell<Transaction>,
}

#[derive(Clone, Copy, PartialEq)]
enum Transaction {
    /// Each statement stands for itself.
    None,
    /// It begins with the first statement.
    Wanted,
    Begun,
}

impl<'c> Session<'c> {
    pub(super) fn reading(connection: Connection<'c>) -> Self {
        let transaction = Cell::new(Transaction::None);
        Self {
            connection,
            transaction,
        }
    }

    pub(super) fn writing(connection: Connection<'c>) -> Self {
        let transaction = Cell::new(Transaction::Wanted);
        Self {
            connection,
            transaction,
        }
    }

    pub(crate) fn execute(&self, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
        self.run(statement::execute(self.connection.client, sql, args))
    }

    pub(crate) fn query<T: FromRow>(&self, sql: &str, args: &[&dyn Arg]) -> Result<Vec<T>> {
        self.run(statement::query(self.connection.client, sql, args))
    }

    pub(crate) fn script(&self, sql: &str) -> Result<()> {
        self.run(async { Ok(self.connection.client.batch_execute(sql).await?) })
    }

    /// Where notifications go after the commit.
    pub(crate) fn notifier(&self) -> mpsc::UnboundedSender<(String, String)> {
        self.connection.notifier.sender(self.connection.rt)
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.end("COMMIT").map_err(at_commit)
    }

    pub(super) fn rollback(&self) -> Result<()> {
        Ok(self.end("ROLLBACK")?)
    }

    /// Nothing to do for a closure that ran no statement.
    fn end(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        match self.transaction.get() {
            Transaction::Begun => {
                let Connection { client, rt, .. } = self.connection;
                rt.block_on(client.batch_execute(sql))
            }
            Transaction::None | Transaction::Wanted => Ok(()),
        }
    }

    fn run<T>(&self, statement: impl Future<Output = Result<T>>) -> Result<T> {
        if self.transaction.get() != Transaction::Wanted {
            return self.connection.rt.block_on(statement);
        }
        self.transaction.set(Transaction::Begun);
        let Connection { client, rt, .. } = self.connection;
        // In this order they reach the server. Where BEGIN fails, for a connection that is lost or
        // in the middle of something, the statement fails as well.
        let begin = client.batch_execute("BEGIN");
        let (opened, done) = rt.block_on(async { tokio::join!(biased; begin, statement) });
        opened?;
        done
    }
}

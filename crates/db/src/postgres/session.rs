//! One connection while closures run on it. Round trips are what costs time here: `BEGIN` and all
//! statements of which nothing is needed at once travel together with the next one.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::mpsc;
use tokio_postgres::Statement;

use super::error::at_commit;
use super::lane::Open;
use super::notify::Notifier;
use super::statement::{self, Params, params};
use crate::tx::Later;
use crate::{Arg, Error, FromRow, Result};

/// A statement that is on its way.
type UnderWay = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A connection, while closures run.
pub(crate) struct Session {
    open: Rc<Open>,
    notifier: Arc<Notifier>,
    /// What begins a transaction; nothing where each statement stands for itself.
    begin: Option<&'static str>,
    begun: Cell<bool>,
    under_way: RefCell<Vec<UnderWay>>,
}

impl Session {
    pub(super) fn new(
        open: &Rc<Open>,
        notifier: Arc<Notifier>,
        begin: Option<&'static str>,
    ) -> Self {
        Self {
            open: Rc::clone(open),
            notifier,
            begin,
            begun: Cell::new(false),
            under_way: RefCell::default(),
        }
    }

    pub(crate) fn execute(&self, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
        let (statement, params) = self.prepare(sql, args)?;
        self.wait_for(statement::execute(&self.open.client, &statement, &params))
    }

    pub(crate) fn query<T: FromRow>(&self, sql: &str, args: &[&dyn Arg]) -> Result<Vec<T>> {
        let (statement, params) = self.prepare(sql, args)?;
        self.wait_for(statement::query(&self.open.client, &statement, &params))
    }

    /// Sends a statement whose answer comes with that of a later one.
    pub(crate) fn send<T: FromRow + Send + 'static>(
        &self,
        sql: &str,
        args: &[&dyn Arg],
        later: &Later<T>,
    ) -> Result<()> {
        let (statement, params) = self.prepare(sql, args)?;
        let (open, later) = (Rc::clone(&self.open), later.clone());
        self.under_way.borrow_mut().push(Box::pin(async move {
            later.set(statement::query(&open.client, &statement, &params).await?);
            Ok(())
        }));
        Ok(())
    }

    pub(crate) fn script(&self, sql: &str) -> Result<()> {
        self.begin();
        self.wait_for(async { Ok(self.open.client.batch_execute(sql).await?) })
    }

    /// Where notifications go after the commit.
    pub(crate) fn notifier(&self) -> mpsc::UnboundedSender<(String, String)> {
        self.notifier.sender()
    }

    /// Waits for the statements that are under way.
    pub(crate) fn settle(&self) -> Result<()> {
        if self.under_way.borrow().is_empty() {
            return Ok(());
        }
        self.wait_for(async { Ok(()) })
    }

    /// Nothing to do for closures that ran no statement. With an error nothing is committed, but for
    /// [`Error::CommitUnknown`].
    pub(super) fn commit(&self) -> Result<()> {
        if !self.begun.replace(false) {
            return Ok(());
        }
        // PostgreSQL undoes everything if a statement that is under way fails.
        let committed = self.wait_for(async {
            let done = self.open.client.batch_execute("COMMIT").await;
            done.map_err(at_commit)
        });
        if committed.is_err() && self.open.client.is_closed() {
            return Err(Error::CommitUnknown);
        }
        committed
    }

    pub(super) fn rollback(&self) -> Result<()> {
        self.under_way.borrow_mut().clear();
        if !self.begun.replace(false) {
            return Ok(());
        }
        self.wait_for(async { Ok(self.open.client.batch_execute("ROLLBACK").await?) })
    }

    /// Begins the transaction if there is to be one: that much travels with the first statement.
    fn begin(&self) {
        if let (Some(begin), false) = (self.begin, self.begun.get()) {
            self.begun.set(true);
            let open = Rc::clone(&self.open);
            self.under_way.borrow_mut().push(Box::pin(async move {
                Ok(open.client.batch_execute(begin).await?)
            }));
        }
    }

    fn prepare(&self, sql: &str, args: &[&dyn Arg]) -> Result<(Statement, Params)> {
        self.begin();
        if let Some(statement) = self.open.statements.borrow().get(sql) {
            return Ok((statement.clone(), params(args)));
        }
        // What is under way goes first: it may make what this one names.
        let statement = self.wait_for(async { Ok(self.open.client.prepare(sql).await?) })?;
        self.open.keep(sql, &statement);
        Ok((statement, params(args)))
    }

    /// Sends what waits, then `last`, and waits for all of their answers. The first error counts:
    /// those after it only say that there was one.
    fn wait_for<T>(&self, last: impl Future<Output = Result<T>>) -> Result<T> {
        let mut under_way = self.under_way.take();
        self.open.rt.block_on(async {
            let (mut last, mut done, mut fault) = (pin!(last), None, None);
            poll_fn(|context| {
                under_way.retain_mut(|statement| match statement.as_mut().poll(context) {
                    Poll::Ready(Ok(())) => false,
                    Poll::Ready(Err(error)) => {
                        fault.get_or_insert(error);
                        false
                    }
                    Poll::Pending => true,
                });
                if done.is_none()
                    && let Poll::Ready(answer) = last.as_mut().poll(context)
                {
                    done = Some(answer);
                }
                if under_way.is_empty() && done.is_some() {
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
            match (fault, done) {
                (Some(fault), _) => Err(fault),
                (None, Some(done)) => done,
                (None, None) => Err(Error::Closed),
            }
        })
    }
}

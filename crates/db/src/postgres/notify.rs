//! `NOTIFY`, after the commit and on its own. Inside a transaction it would make all commits wait
//! for each other, flush and all, because PostgreSQL keeps its notifications in commit order.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Pool;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Error, Result};

/// A channel and a payload.
type Notification = (String, String);

/// What PostgreSQL takes, in bytes.
const CHANNEL: usize = 63;
const PAYLOAD: usize = 7999;
/// Notifications that travel together.
const BATCH: usize = 256;

/// The way to the task that notifies.
pub(crate) struct Notifier {
    pool: Pool,
    task: Mutex<Option<Task>>,
}

struct Task {
    send: mpsc::UnboundedSender<Notification>,
    handle: JoinHandle<()>,
}

impl Notifier {
    pub(super) fn new(pool: Pool) -> Self {
        let task = Mutex::default();
        Self { pool, task }
    }

    /// Where notifications go once their transaction is committed; the first of them starts the
    /// task, on the runtime of whoever has it.
    pub(super) fn sender(&self, rt: &Handle) -> mpsc::UnboundedSender<Notification> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let task = task.get_or_insert_with(|| {
            let (send, receive) = mpsc::unbounded_channel();
            let handle = rt.spawn(notify_in_batches(self.pool.clone(), receive));
            Task { send, handle }
        });
        task.send.clone()
    }

    /// Sends what waits.
    pub(super) async fn close(&self) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Task { send, handle }) = task {
            drop(send);
            drop(handle.await);
        }
    }
}

/// An error for what PostgreSQL would refuse.
pub(crate) fn check(channel: &str, payload: &str) -> Result<()> {
    if channel.is_empty() || channel.len() > CHANNEL || payload.len() > PAYLOAD {
        return Err(Error::Other(format!(
            "a notification has a channel of 1 to {CHANNEL} bytes and at most {PAYLOAD} bytes"
        )));
    }
    Ok(())
}

async fn notify_in_batches(pool: Pool, mut receive: mpsc::UnboundedReceiver<Notification>) {
    let mut waiting = Vec::new();
    while receive.recv_many(&mut waiting, BATCH).await > 0 {
        // Those who wake up look at everything: once is enough.
        let batch: BTreeSet<_> = waiting.drain(..).collect();
        if let Err(error) = send(&pool, &batch).await {
            tracing::warn!(%error, "other nodes were not notified");
        }
    }
}

/// Nothing here needs to be flushed.
async fn send(pool: &Pool, batch: &BTreeSet<Notification>) -> Result<()> {
    let notify: String = batch.iter().map(statement).collect();
    let client = pool.get().await?;
    let sql = format!("BEGIN; SET LOCAL synchronous_commit = off; {notify} COMMIT");
    let sent = client.batch_execute(&sql).await;
    if sent.is_err() {
        // Not to leave the transaction open for the next who has this connection.
        drop(client.batch_execute("ROLLBACK").await);
    }
    Ok(sent?)
}

fn statement((channel, payload): &Notification) -> String {
    let channel = channel.replace('"', "\"\"");
    let payload = payload.replace('\\', "\\\\").replace('\'', "''");
    format!("NOTIFY \"{channel}\", E'{payload}';")
}

#[cfg(test)]
mod tests {
    use super::{check, statement};

    #[test]
    fn names_and_payloads_are_quoted() {
        let notification = ("a\"b".into(), r"it's \ fine".into());
        let sql = statement(&notification);
        assert_eq!(sql, r#"NOTIFY "a""b", E'it''s \\ fine';"#);
    }

    #[test]
    fn what_the_server_would_refuse_is_refused() {
        assert!(check("wake", &"x".repeat(7999)).is_ok());
        assert!(check("wake", &"x".repeat(8000)).is_err());
        assert!(check("", "x").is_err());
    }
}

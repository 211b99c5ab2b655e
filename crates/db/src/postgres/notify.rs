//! `NOTIFY`, after the commit and on its own. Inside a transaction it would make all commits wait
//! for each other, flush and all, because PostgreSQL keeps its notifications in commit order.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::lane::connect;
use crate::{Error, Result};

/// A channel and a payload.
type Notification = (String, String);

/// What PostgreSQL takes, in bytes.
const CHANNEL: usize = 63;
const PAYLOAD: usize = 7999;
/// Notifications that travel together.
const BATCH: usize = 256;

/// The way to the thread that notifies.
pub(crate) struct Notifier {
    config: Config,
    tls: MakeRustlsConnect,
    working: Mutex<Option<Working>>,
}

struct Working {
    send: mpsc::UnboundedSender<Notification>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect) -> Self {
        let working = Mutex::default();
        Self {
            config,
            tls,
            working,
        }
    }

    /// Where notifications go once their transaction is committed; the first of them starts the
    /// thread.
    pub(super) fn sender(&self) -> mpsc::UnboundedSender<Notification> {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let working = working.get_or_insert_with(|| {
            let (send, receive) = mpsc::unbounded_channel();
            let (config, tls) = (self.config.clone(), self.tls.clone());
            let thread = thread::Builder::new().name("db-notify".into());
            let thread = thread.spawn(move || work(&config, &tls, receive));
            if let Err(error) = &thread {
                tracing::error!(%error, "other nodes are not notified");
            }
            let thread = thread.ok();
            Working { send, thread }
        });
        working.send.clone()
    }

    /// Sends what waits.
    pub(super) async fn close(&self) {
        let working = self
            .working
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Working { send, thread }) = working {
            drop(send);
            let joined = tokio::task::spawn_blocking(|| thread.map(JoinHandle::join));
            drop(joined.await);
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

fn work(config: &Config, tls: &MakeRustlsConnect, receive: mpsc::UnboundedReceiver<Notification>) {
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match rt {
        Ok(rt) => rt.block_on(notify_in_batches(config, tls, receive)),
        Err(error) => tracing::error!(%error, "other nodes are not notified"),
    }
}

async fn notify_in_batches(
    config: &Config,
    tls: &MakeRustlsConnect,
    mut receive: mpsc::UnboundedReceiver<Notification>,
) {
    let (mut waiting, mut open) = (Vec::new(), None);
    while receive.recv_many(&mut waiting, BATCH).await > 0 {
        // Those who wake up look at everything: once is enough.
        let batch: BTreeSet<_> = waiting.drain(..).collect();
        let kept = open.take().filter(|client: &Client| !client.is_closed());
        let client = match kept {
            Some(client) => Ok(client),
            None => connect(config, tls).await,
        };
        let sent = match &client {
            Ok(client) => send(client, &batch).await,
            Err(error) => Err(error.clone()),
        };
        match sent {
            Ok(()) => open = client.ok(),
            Err(error) => tracing::warn!(%error, "other nodes were not notified"),
        }
    }
}

/// Nothing here needs to be flushed. After an error the connection may be in the middle of it.
async fn send(client: &Client, batch: &BTreeSet<Notification>) -> Result<()> {
    let notify: String = batch.iter().map(statement).collect();
    let sql = format!("BEGIN; SET LOCAL synchronous_commit = off; {notify} COMMIT");
    Ok(client.batch_execute(&sql).await?)
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

//! `LISTEN` on a connection of its own, opened again whenever it is lost.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Result;

/// Payloads that wait for a slow listener before the server has to keep them.
const WAITING: usize = 1024;
/// Between attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens until the receiver is dropped or the database closed.
pub(super) fn start(
    config: Config,
    tls: MakeRustlsConnect,
    channel: &str,
    mut closed: watch::Receiver<bool>,
) -> mpsc::Receiver<String> {
    let (heard, receiver) = mpsc::channel(WAITING);
    let sql = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    tokio::spawn(async move {
        let gone = heard.clone();
        tokio::select! {
            () = keep_listening(&config, &tls, &sql, &heard) => {}
            () = gone.closed() => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    });
    receiver
}

async fn keep_listening(
    config: &Config,
    tls: &MakeRustlsConnect,
    sql: &str,
    heard: &mpsc::Sender<String>,
) {
    while !heard.is_closed() {
        match listen(config, tls, sql, heard).await {
            Ok(()) => tracing::warn!("PostgreSQL ended a listening connection"),
            Err(error) => tracing::warn!(%error, "listening to PostgreSQL failed"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Forwards what is heard until the connection ends.
async fn listen(
    config: &Config,
    tls: &MakeRustlsConnect,
    sql: &str,
    heard: &mpsc::Sender<String>,
) -> Result<()> {
    let (client, mut connection) = config.connect(tls.clone()).await?;
    let mut begin = pin!(client.batch_execute(sql));
    let mut listening = false;
    loop {
        // The connection moves only while it is polled, also to carry the LISTEN itself.
        let payload = tokio::select! {
            done = &mut begin, if !listening => {
                done?;
                listening = true;
                String::new()
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => match message {
                Some(Ok(AsyncMessage::Notification(told))) => told.payload().to_owned(),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        };
        // A listener that has gone ends the task that runs this.
        drop(heard.send(payload).await);
    }
}

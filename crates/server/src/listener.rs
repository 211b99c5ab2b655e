//! The socket that clients connect to: how many at a time, and until when.
//! What happens on a connection stands in `connection`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Listen;
use crate::connection::{self, Serves};

/// Connections at one time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: u64 = 20_000;

/// Files that are not connections of clients: the database, webhooks, the program itself.
const OTHER_FILES: u64 = 512;

/// After running out of files or memory, before accepting again.
const BREATHER: Duration = Duration::from_millis(500);

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    seats: Arc<Semaphore>,
}

impl Listener {
    /// Binds the socket; from now on clients can connect, and wait.
    pub async fn bind(listen: &Listen) -> Result<Self> {
        let why = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow::anyhow!("cannot listen on {}: the port is in use", listen.0)
            }
            _ => anyhow::anyhow!(error).context(format!("cannot listen on {}", listen.0)),
        };
        let socket = TcpListener::bind(&listen.0).await.map_err(why)?;
        let address = socket.local_addr().context("the socket has no address")?;
        Ok(Self {
            socket,
            address,
            seats: Arc::new(Semaphore::new(seats())),
        })
    }

    /// Where it listens, such as `http://127.0.0.1:8000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where programs on the same machine reach it.
    pub fn local_url(&self) -> String {
        let host = match self.address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            host => host,
        };
        format!("http://{}", SocketAddr::new(host, self.address.port()))
    }

    /// Serves until `stop`, and then until what has begun is finished.
    pub async fn serve(self, service: impl Serves, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some((stream, seat)) = stop.run_until_cancelled(self.accept()).await {
            let connection = connection::serve(stream, service.clone(), stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(seat);
            });
        }
        drop(self.socket);
        connections.close();
        connections.wait().await;
    }

    async fn accept(&self) -> (TcpStream, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed, so there is a seat.
        let seat = Arc::clone(&self.seats).acquire_owned().await.ok();
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return (stream, seat),
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; trying again");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    }
}

fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// As many connections as there may be open files, up to the limit.
fn seats() -> usize {
    let files =
        rlimit::increase_nofile_limit(MAX_CONNECTIONS + OTHER_FILES).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot raise the number of open files");
            rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(1024, |(soft, _)| soft)
        });
    let seats = files.saturating_sub(OTHER_FILES).clamp(64, MAX_CONNECTIONS);
    usize::try_from(seats).unwrap_or(64)
}

//! A webhook receiver of the load program: reads whole requests, tells their numbers, answers in its manner.
//! The test kit's receiver can do more, but at several times the price.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::ledger::number_in;
use crate::wire::frame;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n";
const ENDLESS: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000000000000\r\n\r\n";

/// Connections that wait to be accepted: a server may open thousands at once, and one that finds no place
/// tries again only after a second.
const BACKLOG: u32 = 4_096;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `200` at once.
    Prompt,
    /// `200` after this time.
    Late(Duration),
    /// `503`, and asks to come back in an hour.
    Busy,
    /// Never.
    Silent,
    /// `200` and a body without end.
    Endless,
}

/// A running receiver; dropping it closes its port.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    manner: Manner,
    told: Box<dyn Fn(usize) + Send + Sync>,
    requests: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    written: AtomicU64,
}

impl Sink {
    /// Listens on a free port; `told` hears the number of each message that arrives.
    pub fn start(manner: Manner, told: impl Fn(usize) + Send + Sync + 'static) -> Result<Self> {
        let listener = listen()?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            manner,
            told: Box::new(told),
            requests: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            written: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many requests have arrived whole.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Requests that wait for their answer now.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// The most requests that waited at the same time.
    pub fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::Relaxed)
    }

    /// Bytes of endless bodies that the other side took.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// On a free port.
fn listen() -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    Ok(socket.listen(BACKLOG)?)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                // The other side may go at any time: an error is the end of the connection.
                tokio::spawn(async move { shared.converse(stream).await.ok() });
            }
            // Out of file descriptors: others must close some first.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

impl Shared {
    async fn converse(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(2 << 10);
        loop {
            let read = stream.read_buf(&mut buffer).await?;
            ensure!(read > 0, "closed");
            let Some(body) = frame(&buffer)? else {
                continue;
            };
            if buffer.len() < body.end {
                continue;
            }
            let whole = body.end;
            self.arrived(&buffer[body]);
            buffer.drain(..whole);
            let answered = self.answer(&mut stream).await;
            self.open.fetch_sub(1, Ordering::Relaxed);
            answered?;
        }
    }

    fn arrived(&self, body: &[u8]) {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(number) = number_in(body) {
            (self.told)(number);
        }
    }

    async fn answer(&self, stream: &mut TcpStream) -> Result<()> {
        match self.manner {
            Manner::Prompt => stream.write_all(OK).await?,
            Manner::Busy => stream.write_all(BUSY).await?,
            Manner::Late(wait) => {
                tokio::time::sleep(wait).await;
                stream.write_all(OK).await?;
            }
            Manner::Silent => {
                // Until the other side hangs up.
                let mut byte = [0; 1];
                stream.read_exact(&mut byte).await?;
            }
            Manner::Endless => self.pour(stream).await?,
        }
        Ok(())
    }

    async fn pour(&self, stream: &mut TcpStream) -> Result<()> {
        stream.write_all(ENDLESS).await?;
        loop {
            let written = stream.write(&[b'.'; 16 << 10]).await?;
            self.written.fetch_add(written as u64, Ordering::Relaxed);
        }
    }
}

//! Connections of the HTTP client: the name is resolved, its addresses are judged, and exactly
//! those are connected to. A literal address takes the same path.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::failure::Failure;
use crate::guard::PrivateNetworks;
use crate::resolve::Resolver;
use crate::tls::Tls;

/// How long a connection may take to be made. The client may go on with one that its request no
/// longer needs, so it needs an end of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the connections of a client.
#[derive(Clone)]
pub struct Connector {
    /// Which addresses are allowed.
    pub networks: PrivateNetworks,
    /// Names to addresses.
    pub resolver: Resolver,
    /// For `https`.
    pub tls: Tls,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, Failure> {
        let host = uri.host().ok_or(Failure::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tcp = timeout(PATIENCE, self.reach(host, port))
            .await
            .map_err(|_| Failure::Timeout(PATIENCE))??;
        if !secure {
            return Ok(TokioIo::new(Stream::Plain(tcp)));
        }
        let tls = timeout(PATIENCE, self.tls.connect(host, tcp))
            .await
            .map_err(|_| Failure::Timeout(PATIENCE))??;
        Ok(TokioIo::new(Stream::Secure(Box::new(tls))))
    }

    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.reach_any(&[address], port).await;
        }
        let addresses = self.resolver.resolve(host).await?;
        self.reach_any(&addresses, port).await
    }

    /// The first address that takes the connection. Each gets an even part of the time.
    async fn reach_any(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, Failure> {
        self.networks.check(addresses).map_err(|forbidden| {
            tracing::debug!(%forbidden, "not connected");
            Failure::Forbidden
        })?;
        let each = PATIENCE / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = Failure::Name;
        for address in addresses {
            match timeout(each, TcpStream::connect(SocketAddr::new(*address, port))).await {
                Ok(Ok(tcp)) => {
                    // Without it a request in two writes may wait for the receiver's delayed answer.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(error)) => failure = Failure::of_io(&error),
                Err(_) => failure = Failure::Timeout(PATIENCE),
            }
        }
        Err(failure)
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection, secure or not.
#[derive(Debug)]
pub enum Stream {
    /// For `http`.
    Plain(TcpStream),
    /// For `https`.
    Secure(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

//! Connections of the HTTP client: the name is resolved, its addresses are judged, and exactly
//! those are connected to. A literal address takes the same path.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::failure::Failure;
use crate::guard::PrivateNetworks;
use crate::resolve::Resolver;
use crate::tls::Tls;

/// How long a connection may take to be made, however long its request has.
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

/// Where connections lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    secure: bool,
    authority: Authority,
}

impl Place {
    /// Fails if the URL is none of the web.
    pub fn of(uri: &Uri) -> Result<Self, Failure> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let authority = uri
            .authority()
            .filter(|_| secure || uri.scheme() == Some(&Scheme::HTTP))
            .ok_or(Failure::Url)?;
        Ok(Self {
            secure,
            authority: authority.clone(),
        })
    }

    /// Its name as requests give it: with the port, unless that is the usual one.
    pub fn host_header(&self) -> Cow<'_, str> {
        let host = self.authority.host();
        match self.authority.port_u16() {
            Some(port) if port != self.usual_port() => Cow::Owned(format!("{host}:{port}")),
            _ => Cow::Borrowed(host),
        }
    }

    /// Without brackets for an address.
    fn host(&self) -> &str {
        let host = self.authority.host();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    fn port(&self) -> u16 {
        self.authority
            .port_u16()
            .unwrap_or_else(|| self.usual_port())
    }

    fn usual_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

impl Connector {
    pub(crate) async fn connect(&self, place: &Place) -> Result<Stream, Failure> {
        let host = place.host();
        let tcp = timeout(PATIENCE, self.reach(host, place.port()))
            .await
            .map_err(|_| Failure::Timeout(PATIENCE))??;
        if !place.secure {
            return Ok(Stream::Plain(tcp));
        }
        let tls = timeout(PATIENCE, self.tls.connect(host, tcp))
            .await
            .map_err(|_| Failure::Timeout(PATIENCE))??;
        Ok(Stream::Secure(Box::new(tls)))
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

/// A connection, secure or not.
#[derive(Debug)]
pub(crate) enum Stream {
    /// For `http`.
    Plain(TcpStream),
    /// For `https`.
    Secure(Box<TlsStream<TcpStream>>),
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

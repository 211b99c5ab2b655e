//! The HTTP client of all attempts: one deadline and one byte budget around everything,
//! connections kept alive, no redirects, no proxies, no decompression.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use crate::connect::Connector;
use crate::failure::Failure;
use crate::guard::PrivateNetworks;
use crate::resolve::Resolver;
use crate::tls::Tls;

/// As much of an answer's body is read; then its connection is closed.
pub const BODY_LIMIT: usize = 16 << 10;

/// As much header is read; an answer with more is not valid.
const HEADER_LIMIT: usize = 16 << 10;

/// Idle connections to one host, and for how long.
const IDLE_PER_HOST: usize = 256;
const IDLE_FOR: Duration = Duration::from_secs(50);

/// Sends requests. Clones share their connections.
#[derive(Clone)]
pub struct Client(legacy::Client<Connector, Full<Bytes>>);

/// An answer with its body, or the first [`BODY_LIMIT`] bytes of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Any status but 1xx.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// What was read.
    pub body: Bytes,
}

impl Answer {
    /// The `Retry-After` header as it came.
    pub fn retry_after(&self) -> Option<&HeaderValue> {
        self.headers.get(RETRY_AFTER)
    }
}

impl Client {
    /// A client that finds names through the operating system and trusts what it trusts.
    pub fn new(networks: PrivateNetworks) -> Self {
        Self::with(Connector {
            networks,
            resolver: Resolver::system(),
            tls: Tls::default(),
        })
    }

    /// A client with its own way to connections.
    pub fn with(connector: Connector) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEADER_LIMIT)
            .build(connector);
        Self(client)
    }

    /// Sends a request and waits for its answer, `limit` long for everything: name, connection, TLS,
    /// headers and body.
    ///
    /// The answer counts when its body is complete or its first [`BODY_LIMIT`] bytes are there. A body
    /// that stops before is a [`Failure::Timeout`], whatever the status said.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        match timeout(limit, self.exchange(request)).await {
            Ok(done) => done,
            Err(_) => Err(Failure::Timeout(limit)),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let response = self.0.request(request).await;
        let (head, body) = response.map_err(|error| Failure::of(&error))?.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: read(body).await?,
        })
    }
}

/// Reads up to the limit. Dropping the rest closes the connection.
async fn read(mut body: Incoming) -> Result<Bytes, Failure> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::of(&error))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        all.extend_from_slice(&data[..data.len().min(BODY_LIMIT - all.len())]);
        if all.len() == BODY_LIMIT {
            break;
        }
    }
    Ok(all.freeze())
}

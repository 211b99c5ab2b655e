//! The HTTP client of all attempts: one deadline and one byte budget around everything,
//! connections kept alive, no redirects, no proxies, no decompression.
//!
//! HTTP/1.1 alone, and by hand: most of what is in flight waits for an answer, and while it waits it holds
//! a connection and its deadline, but no buffers and no task beside its own.

mod body;
mod call;
mod head;
mod idle;
mod line;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use tokio::time::timeout;

use crate::connect::Connector;
use crate::failure::Failure;
use crate::guard::PrivateNetworks;
use crate::resolve::Resolver;
use crate::tls::Tls;

use self::call::Call;
use self::idle::Idle;
use self::line::Line;

/// As much of an answer's body is read; then its connection is closed.
pub const BODY_LIMIT: usize = 16 << 10;

/// As much header is read; an answer with more is not valid.
const HEADER_LIMIT: usize = 16 << 10;

/// Sends requests. Clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    connector: Connector,
    idle: Arc<Idle>,
}

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
        Self(Arc::new(Shared {
            connector,
            idle: Arc::default(),
        }))
    }

    /// Sends a request and waits for its answer, `limit` long for everything: name, connection, TLS,
    /// headers and body.
    ///
    /// The answer counts when its body is complete or its first [`BODY_LIMIT`] bytes are there. A body
    /// that stops before is a [`Failure::Timeout`], whatever the status said.
    pub fn send(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send {
        // Not part of the future: the request is much larger than what is sent.
        let call = Call::of(request);
        async move {
            match timeout(limit, self.exchange(call?)).await {
                Ok(done) => done,
                Err(_) => Err(Failure::Timeout(limit)),
            }
        }
    }

    async fn exchange(&self, call: Call) -> Result<Answer, Failure> {
        let Shared { connector, idle } = &*self.0;
        let mut line = match idle.take(&call.place) {
            Some(line) => line,
            // Rarer and larger than the rest.
            None => Line::new(Box::pin(connector.connect(&call.place)).await?),
        };
        let said = line.say(call.head, call.body).await;
        // An answer may come before all was said, and the connection be closed with it.
        let (answer, whole) = match (answer(&mut line).await, said) {
            (Ok((answer, whole)), said) => (answer, whole && said.is_ok()),
            (Err(_), Err(failure)) | (Err(failure), Ok(())) => return Err(failure),
        };
        if whole {
            idle.put(call.place, line);
        }
        Ok(answer)
    }
}

/// The answer, and whether the connection may be used again after it.
async fn answer(line: &mut Line) -> Result<(Answer, bool), Failure> {
    let head = head::read(line).await?;
    let (body, whole) = body::read(line, head.framing).await?;
    let answer = Answer {
        status: head.status,
        headers: head.headers,
        body,
    };
    Ok((answer, whole && head.keep))
}

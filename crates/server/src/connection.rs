//! One connection: HTTP/1.1 or HTTP/2 in clear, its limits, and its end in good order.
//! What is asked and answered is the router's business.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::pace::{Busy, End, Pace, Paced};

/// From the end of a request's head to the beginning of its answer, the body included.
const REQUEST: Duration = Duration::from_secs(30);

/// What may be finished once the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// A request's head; ours are far smaller, those of browsers and proxies may not be.
const MAX_HEAD_BYTES: u32 = 16 * 1024;

/// Requests at one time in one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;

/// For finding out that the other side of an HTTP/2 connection is gone.
const PING: Duration = Duration::from_secs(30);

/// The one request that waits on purpose: it ends by itself after a minute, and at once when the server stops.
const LONG_POLL: &str = "/v1/phones/notifications";

/// What answers requests; clones are cheap, for each request has one.
pub trait Serves:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Serves for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves a connection until either side ends it; `stop` lets what has begun be finished.
pub async fn serve(stream: TcpStream, service: impl Serves, stop: CancellationToken) {
    let peer = stream
        .peer_addr()
        .ok()
        .map(|address| api::Peer(address.ip()));
    // A failure only costs speed.
    let _ = stream.set_nodelay(true);
    let pace = Arc::new(Pace::new(Instant::now()));
    let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let busy = pace.begin(request.version() == Version::HTTP_2);
        let stop = is_long_poll(&request).then(|| stop.clone());
        let answer = service.clone().call(request);
        async move {
            let answer = match stop {
                Some(stop) => polled(answer, &stop).await,
                None => answered(answer).await,
            };
            Ok::<_, Infallible>(answer.map(|body| held(body, busy)))
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(io, service));
    // How it ended is the client's affair.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        end = pace.run_out() => if end == End::TooSlow { return },
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // It would count idle time as well: `pace` tells the two apart.
        .header_read_timeout(None)
        // A head must fit into the buffer; bodies pass through it piece by piece.
        .max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// The answer to a long poll, or before it the server's stop.
async fn polled(
    answer: impl Future<Output = Result<Response, Infallible>>,
    stop: &CancellationToken,
) -> Response {
    tokio::select! {
        biased;
        // First, for the poll itself ends by the stop as if there was no news.
        () = stop.cancelled() => try_again("The server is stopping. Try again in a moment."),
        answer = answer => infallible(answer),
    }
}

/// The answer to any other request, in its time.
async fn answered(answer: impl Future<Output = Result<Response, Infallible>>) -> Response {
    match timeout(REQUEST, answer).await {
        Ok(answer) => infallible(answer),
        // Not 408: the Android app takes every 4xx for the last word, and drops what it had received.
        Err(_) => try_again("The request took too long. Try again in a moment."),
    }
}

/// A body of unknown length may be a stream that says something now and then: it is work until its end.
fn held(body: Body, busy: Busy) -> Body {
    if body.size_hint().exact().is_some() {
        return body;
    }
    Body::new(body.map_frame(move |frame| {
        let _until_the_end = &busy;
        frame
    }))
}

fn is_long_poll<B>(request: &Request<B>) -> bool {
    let path = request.uri().path().trim_end_matches('/');
    request.method() == Method::GET && path.eq_ignore_ascii_case(LONG_POLL)
}

fn try_again(message: &str) -> Response {
    let body = serde_json::json!({"message": message, "status": "error"});
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::RETRY_AFTER, "1"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, body.to_string()).into_response()
}

fn infallible<T>(answer: Result<T, Infallible>) -> T {
    match answer {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_poll_for_notifications_waits() {
        let waits = |method: &str, uri: &str| {
            let request = Request::builder().method(method).uri(uri);
            is_long_poll(&request.body(()).unwrap())
        };
        assert!(waits("GET", "/v1/phones/notifications?wait=50"));
        assert!(waits("GET", "/V1/Phones/Notifications/"));
        assert!(!waits("POST", "/v1/phones/notifications"));
        assert!(!waits("GET", "/v1/phones"));
    }
}

//! A webhook receiver on loopback: real HTTP/1.1, answers as it is told, remembers what it was sent.
//! With [`Receiver::unrecorded`] it is fast enough to stand at the far end of a load program.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout_at;

use crate::respond::{Ending, Reply, Respond, in_turn};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// 0 for the first request of this receiver, counted when the body is complete.
    pub index: usize,
    /// The method, `POST` for webhooks.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The body's bytes, untouched.
    pub body: Bytes,
    /// When its headers had arrived.
    pub at: Instant,
    /// The same moment on the wall clock.
    pub time: SystemTime,
}

impl Received {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// A header's text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; panics when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} {}: not JSON: {error}", self.method, self.uri))
    }
}

/// A running receiver; dropping it closes its port and its connections.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Answers every request with `200` and remembers it.
    pub async fn start() -> Self {
        Self::with(|_| Respond::ok()).await
    }

    /// Answers the first request with the first of `answers` and so on; the last one repeats.
    pub async fn answering(answers: Vec<Respond>) -> Self {
        Self::with(in_turn(answers)).await
    }

    /// Answers as `script` says and remembers every request.
    pub async fn with(script: impl Fn(&Received) -> Respond + Send + Sync + 'static) -> Self {
        Self::listen(loopback(), true, script).await
    }

    /// Answers as `script` says and only counts: what else a load program wants to know, its script keeps.
    pub async fn unrecorded(script: impl Fn(&Received) -> Respond + Send + Sync + 'static) -> Self {
        Self::listen(loopback(), false, script).await
    }

    /// Like [`Receiver::with`] on a given address, to bring a stopped receiver back.
    pub async fn at(
        address: SocketAddr,
        script: impl Fn(&Received) -> Respond + Send + Sync + 'static,
    ) -> Self {
        Self::listen(address, true, script).await
    }

    async fn listen(
        address: SocketAddr,
        remember: bool,
        script: impl Fn(&Received) -> Respond + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: RwLock::new(Arc::new(script)),
            seen: remember.then(Mutex::default),
            count: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            changed: Notify::new(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            serving,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers as `script` says from the next request on.
    pub fn answer(&self, script: impl Fn(&Received) -> Respond + Send + Sync + 'static) {
        *self
            .shared
            .script
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// How many requests have arrived whole.
    pub fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// How many connections were ever accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// The most requests that were ever unanswered at the same time.
    pub fn most_at_once(&self) -> usize {
        self.shared.most_open.load(Ordering::Acquire)
    }

    /// What has arrived so far, in order of arrival; empty for an unrecorded receiver.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.look(<[Received]>::to_vec)
    }

    /// Waits until `n` requests have arrived and returns all there are; panics after `deadline`.
    pub async fn wait_for(&self, n: usize, deadline: Duration) -> Vec<Received> {
        let enough = || (self.count() >= n).then(|| self.requests());
        self.wait(&format!("{n} requests"), deadline, enough).await
    }

    /// Waits until what has arrived satisfies `done` and returns it; panics after `deadline`.
    pub async fn wait_until(
        &self,
        done: impl Fn(&[Received]) -> bool,
        deadline: Duration,
    ) -> Vec<Received> {
        let look = || self.shared.look(|seen| done(seen).then(|| seen.to_vec()));
        self.wait("the requests that satisfy the condition", deadline, look)
            .await
    }

    /// Closes the port and every connection, and returns when that is done.
    pub async fn stop(mut self) {
        self.serving.abort();
        let _cancelled = (&mut self.serving).await;
    }

    async fn wait<T>(&self, what: &str, deadline: Duration, done: impl Fn() -> Option<T>) -> T {
        let end = tokio::time::Instant::now() + deadline;
        loop {
            let changed = self.shared.changed.notified();
            if let Some(found) = done() {
                return found;
            }
            if timeout_at(end, changed).await.is_err() {
                let list = self.shared.look(listed);
                panic!(
                    "after {deadline:?} no {what}; {} arrived:{list}",
                    self.count()
                );
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Script = Arc<dyn Fn(&Received) -> Respond + Send + Sync>;

struct Shared {
    script: RwLock<Script>,
    /// `None`: only counted.
    seen: Option<Mutex<Vec<Received>>>,
    count: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    changed: Notify,
}

impl Shared {
    fn look<T>(&self, with: impl FnOnce(&[Received]) -> T) -> T {
        match &self.seen {
            Some(seen) => with(&seen.lock().unwrap_or_else(PoisonError::into_inner)),
            None => with(&[]),
        }
    }

    /// Numbers the request and remembers it; the number is its place among those remembered.
    fn arrive(&self, mut received: Received) -> Received {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            received.index = self.count.fetch_add(1, Ordering::AcqRel);
            seen.push(received.clone());
        } else {
            received.index = self.count.fetch_add(1, Ordering::AcqRel);
        }
        self.changed.notify_waiters();
        received
    }

    fn respond(&self, received: &Received) -> Respond {
        let script = Arc::clone(&self.script.read().unwrap_or_else(PoisonError::into_inner));
        script(received)
    }
}

/// Counts a request as open until its answer is decided or its connection is gone.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn enter(shared: &'a Shared) -> Self {
        let open = shared.open.fetch_add(1, Ordering::AcqRel) + 1;
        shared.most_open.fetch_max(open, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn listed(seen: &[Received]) -> String {
    let lines: Vec<_> = seen
        .iter()
        .map(|one| format!("\n  {} {}", one.method, one.uri))
        .collect();
    lines.concat()
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.connections.fetch_add(1, Ordering::AcqRel);
                    connections.spawn(converse(stream, Arc::clone(&shared)));
                }
                // Out of file descriptors: others must close some first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until it is closed, or until a script ends it in a way HTTP has no words for.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let ending = Mutex::new(None);
    let service = service_fn(|request| Box::pin(handle(request, &shared, &ending)));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let stream = connection.into_parts().io.into_inner();
    let ending = ending.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(ending) = ending {
        ending.carry_out(stream).await;
    }
}

/// Reads one request whole, then does what the script says; an error ends the connection.
async fn handle(
    request: Request<Incoming>,
    shared: &Shared,
    ending: &Mutex<Option<Ending>>,
) -> io::Result<Response<Reply>> {
    let (at, time) = (Instant::now(), SystemTime::now());
    let _open = Open::enter(shared);
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let received = shared.arrive(Received {
        index: 0,
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body,
        at,
        time,
    });
    shared.respond(&received).carry_out().await.map_err(|end| {
        *ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        io::Error::other("the script ends the connection")
    })
}

//! A server for one phone key: just enough of the phone routes, with a journal and faults to order.
//! It lives in a runtime of its own, so that killing it cuts every connection.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;
use uuid::Uuid;

use crate::{A, BEAT, C, CALLS, CLAIM, POLL, RECEIVE};

pub const KEY: &str = "pk_test";
const REGISTER: &str = "/v1/phones/fcm-token";
/// Long enough for a busy machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub query: String,
    pub key: Option<String>,
    pub version: Option<String>,
    pub body: Value,
}

/// What the server knows and does.
#[derive(Default)]
pub struct World {
    pub journal: Vec<Seen>,
    /// Statuses to answer with instead, by the end of the path.
    pub faults: HashMap<&'static str, VecDeque<u16>>,
    /// Every request is refused with 401.
    pub revoked: bool,
    /// Polls end at once.
    pub impatient: bool,
    /// Notifications on offer.
    pub offered: Vec<(Uuid, Value)>,
    pub claimable: HashMap<Uuid, Value>,
    pub deleted: HashSet<Uuid>,
    /// The newest poll.
    newest: u64,
}

impl World {
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let matching = self.journal.iter().filter(|seen| seen.path.ends_with(path));
        matching.cloned().collect()
    }

    /// The bodies of the events of a message, in order.
    pub fn events(&self, id: Uuid) -> Vec<Value> {
        let seen = self.seen(&format!("/v1/messages/{id}/events"));
        seen.into_iter().map(|seen| seen.body).collect()
    }

    pub fn event_names(&self, id: Uuid) -> Vec<String> {
        let name = |event: Value| event["event_name"].as_str().unwrap_or_default().to_owned();
        self.events(id).into_iter().map(name).collect()
    }

    pub fn has_events(&self, id: Uuid, count: usize) -> bool {
        self.events(id).len() >= count
    }

    fn fault(&mut self, path: &str) -> Option<u16> {
        let mut faults = self.faults.iter_mut();
        let (_, statuses) = faults.find(|(end, _)| path.ends_with(**end))?;
        statuses.pop_front()
    }
}

type Handle = Arc<(Mutex<World>, watch::Sender<()>)>;

pub struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    handle: Handle,
}

impl Server {
    pub fn start() -> Self {
        let mut server = Self::absent();
        server.revive();
        server
    }

    /// A server that does not run yet, but has its address.
    pub fn absent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self {
            runtime: None,
            address: listener.local_addr().expect("an address"),
            handle: Arc::new((Mutex::default(), watch::Sender::new(()))),
        }
    }

    /// Starts on the same port, with what it knew before.
    pub fn revive(&mut self) {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = TcpListener::bind(self.address).expect("the port is free again");
        listener.set_nonblocking(true).expect("a socket");
        let handle = Arc::clone(&self.handle);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let router = Router::new().fallback(answer).with_state(handle);
            axum::serve(listener, router).await.expect("it serves");
        });
        self.runtime = Some(runtime);
    }

    /// Dies at once; open connections break.
    pub async fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let shutdown = move || runtime.shutdown_timeout(PATIENCE);
            let ended = tokio::task::spawn_blocking(shutdown).await;
            ended.expect("it shuts down");
        }
    }

    pub fn url(&self) -> Url {
        let url = format!("http://{}/", self.address);
        url.parse().expect("an address")
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let seen = look(&mut self.handle.0.lock().expect("no test failed in it"));
        self.handle.1.send_replace(());
        seen
    }

    pub async fn until(&self, what: &str, condition: impl Fn(&World) -> bool) {
        let mut changes = self.handle.1.subscribe();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let met = condition(&self.handle.0.lock().expect("no test failed in it"));
            if met {
                return;
            }
            let in_time = timeout_at(deadline, changes.changed()).await;
            assert!(
                in_time.is_ok(),
                "{what}: {:#?}",
                self.with(|world| world.journal.clone())
            );
        }
    }

    /// Answers the next requests whose path ends so with these statuses.
    pub fn fail(&self, end: &'static str, statuses: impl IntoIterator<Item = u16>) {
        self.with(|world| world.faults.entry(end).or_default().extend(statuses));
    }

    /// Makes a message and pushes it.
    pub fn send(&self, change: impl FnOnce(&mut Value)) -> Uuid {
        let id = Uuid::from_u128(rand::random());
        let mut message = message(id);
        change(&mut message);
        self.push(id, message);
        id
    }

    /// Offers a message, again perhaps.
    pub fn push(&self, id: Uuid, message: Value) {
        self.with(|world| world.claimable.insert(id, message));
        self.notify(json!({ "KEY_MESSAGE_ID": id }));
    }

    pub fn notify(&self, data: Value) -> Uuid {
        let id = Uuid::from_u128(rand::random());
        self.with(|world| world.offered.push((id, data)));
        id
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub fn message(id: Uuid) -> Value {
    json!({
        "id": id, "owner": A, "contact": C, "content": "hi", "sim": "SIM1",
        "status": "sending", "type": "mobile-terminated", "encrypted": false,
        "created_at": "2026-01-02T03:04:05.678Z", "updated_at": "2026-01-02T03:04:05.678Z",
        "order_timestamp": "2026-01-02T03:04:05.678Z",
        "request_received_at": "2026-01-02T03:04:05.678Z",
        "failure_reason": null, "last_attempted_at": null, "received_at": null,
        "sent_at": null, "send_time": null, "attachments": null,
    })
}

async fn answer(
    Shared(handle): Shared<Handle>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let seen = Seen {
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        key: text("x-api-key"),
        version: text("x-client-version"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let refusal = note(&handle, &seen);
    handle.1.send_replace(());
    if let Some(status) = refusal {
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, envelope("error", "as ordered", &Value::Null)).into_response();
    }
    match (method.as_str(), seen.path.as_str()) {
        ("GET", POLL) => poll(&handle, &seen.query).await,
        ("GET", CLAIM) => claim(&handle, &seen.query),
        ("PUT", REGISTER) => ok(&json!({ "id": "an id", "user_id": "a user" })),
        ("POST", BEAT) => created(&seen.body),
        ("POST", RECEIVE | CALLS) => ok(&Value::Null),
        ("POST", path) => event(&handle, path),
        ("GET", path) => file(path),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// Journals the request; the status of an ordered refusal.
fn note(handle: &Handle, seen: &Seen) -> Option<u16> {
    let mut world = handle.0.lock().expect("no test failed in it");
    world.journal.push(seen.clone());
    let public = seen.path.starts_with("/files/");
    if !public && (world.revoked || seen.key.as_deref() != Some(KEY)) {
        return Some(401);
    }
    world.fault(&seen.path)
}

async fn poll(handle: &Handle, query: &str) -> Response {
    let mut changes = handle.1.subscribe();
    let (wait, acks) = parse_poll(query);
    let turn = {
        let mut world = handle.0.lock().expect("no test failed in it");
        world.offered.retain(|(id, _)| !acks.contains(id));
        world.newest += 1;
        world.newest
    };
    handle.1.send_replace(());
    let deadline = Instant::now() + wait;
    loop {
        if let Some(response) = poll_answer(handle, turn) {
            return response;
        }
        if timeout_at(deadline, changes.changed()).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    }
}

fn poll_answer(handle: &Handle, turn: u64) -> Option<Response> {
    let world = handle.0.lock().expect("no test failed in it");
    if world.revoked {
        return Some(StatusCode::UNAUTHORIZED.into_response());
    }
    if world.impatient || world.newest != turn {
        return Some(StatusCode::NO_CONTENT.into_response());
    }
    let offered = world.offered.iter();
    let offered: Vec<Value> = offered
        .map(|(id, data)| json!({ "id": id, "data": data }))
        .collect();
    (!offered.is_empty()).then(|| ok(&offered.into()))
}

fn parse_poll(query: &str) -> (Duration, Vec<Uuid>) {
    let (mut wait, mut acks) = (0, Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "wait" => wait = value.parse().expect("seconds"),
            "ack" => acks.extend(
                value
                    .split(',')
                    .map(|id| id.parse::<Uuid>().expect("an id")),
            ),
            other => panic!("an unknown parameter {other}"),
        }
    }
    assert!(wait <= 60, "no longer than a minute");
    (Duration::from_secs(wait), acks)
}

fn claim(handle: &Handle, query: &str) -> Response {
    let id = query.strip_prefix("message_id=").expect("an id");
    let id: Uuid = id.parse().expect("an id");
    let claimed = {
        let mut world = handle.0.lock().expect("no test failed in it");
        world.claimable.remove(&id)
    };
    claimed.map_or_else(not_found, |message| ok(&message))
}

fn event(handle: &Handle, path: &str) -> Response {
    let id = path.split('/').nth(3).and_then(|id| id.parse().ok());
    let id: Uuid = id.expect("an event");
    let world = handle.0.lock().expect("no test failed in it");
    if world.deleted.contains(&id) {
        return not_found();
    }
    ok(&message(id))
}

/// `/files/<bytes>` is a file of that size, `/files/moved/<bytes>` leads to it.
fn file(path: &str) -> Response {
    if let Some(size) = path.strip_prefix("/files/moved/") {
        let target = format!("/files/{size}");
        return (StatusCode::FOUND, [(header::LOCATION, target)]).into_response();
    }
    let size = path.strip_prefix("/files/").and_then(|it| it.parse().ok());
    let size: usize = size.expect("a size");
    ([(header::CONTENT_TYPE, "image/jpeg")], vec![b'x'; size]).into_response()
}

fn created(body: &Value) -> Response {
    let numbers = body["phone_numbers"].as_array().expect("numbers");
    assert!((1..=2).contains(&numbers.len()), "one or two numbers");
    let beat = |owner: &Value| json!({ "owner": owner, "timestamp": "2026-01-02T03:04:05Z" });
    let beats: Value = numbers.iter().map(beat).collect();
    (StatusCode::CREATED, envelope("success", "stored", &beats)).into_response()
}

fn ok(data: &Value) -> Response {
    envelope("success", "done", data).into_response()
}

fn not_found() -> Response {
    let body = envelope("error", "Cannot find it", &Value::Null);
    (StatusCode::NOT_FOUND, body).into_response()
}

fn envelope(status: &str, message: &str, data: &Value) -> axum::Json<Value> {
    axum::Json(json!({ "status": status, "message": message, "data": data }))
}

/// Fails instead of waiting for ever.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect(what)
}

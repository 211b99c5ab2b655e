//! A server in memory, callers shaped like those of the real one, and what they are answered.

use std::sync::Arc;
use std::time::Duration;

use api::{Options, Requests, front};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use gateway::account::NewUser;
use gateway::delivery::{News, Outcome, Seen, Settlement};
use gateway::{Clock, Database, Gateway, Settings, Time};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::schema;

pub const OWNER: &str = "+18005550199";
pub const SECOND: &str = "+18005550101";
pub const CONTACT: &str = "+18005550100";
pub const AT: &str = "2026-01-02T03:04:05.678000000Z";
pub const NOBODY: &str = "5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11";
pub const USER_KEY: &str = "test-user-api-key";

/// A server with one account.
pub struct World {
    pub gateway: Gateway,
    pub clock: Clock,
    pub router: Router,
    /// Stops the server.
    pub stop: CancellationToken,
    pub requests: Requests,
    news: Mutex<UnboundedReceiver<News>>,
    pub folder: tempfile::TempDir,
    _postgres: Option<testkit::postgres::Database>,
}

/// Runs on SQLite, and on PostgreSQL if there is one for tests.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment"
)]
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    story(World::open(None).await).await;
    if std::env::var_os(testkit::postgres::VARIABLE).is_some() {
        let postgres = testkit::postgres::fresh_database().await;
        story(World::open(Some(postgres)).await).await;
    }
}

impl World {
    pub async fn open(postgres: Option<testkit::postgres::Database>) -> Self {
        Self::with(postgres, |_| {}).await
    }

    /// With other options than those of most tests.
    pub async fn with(
        postgres: Option<testkit::postgres::Database>,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        Self::opened(postgres, |_| {}, set).await
    }

    /// With another setting of the operator's.
    pub async fn set_up(
        postgres: Option<testkit::postgres::Database>,
        setting: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::opened(postgres, setting, |_| {}).await
    }

    async fn opened(
        postgres: Option<testkit::postgres::Database>,
        setting: impl FnOnce(&mut Settings),
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
        let mut settings = Settings {
            database: match &postgres {
                None => Database::Sqlite,
                Some(postgres) => Database::Postgres(postgres.url().to_owned()),
            },
            clock: clock.clone(),
            ..Settings::new(folder.path())
        };
        setting(&mut settings);
        let gateway = Gateway::open(settings).await.unwrap();
        add_user(&gateway, "ann", USER_KEY).await;
        let news = gateway.news().unwrap();
        gateway.take_lease(None).await.unwrap().unwrap();
        let mut options = Options::new("http://sms.example:8000/");
        options.discord = Some(Arc::new(crate::discord::Bot::default()));
        options.discord_key = Some(crate::discord::public_key());
        set(&mut options);
        Self {
            stop: options.stop.clone(),
            requests: options.requests.clone(),
            router: Router::new().fallback_service(front(gateway.clone(), options)),
            gateway,
            clock,
            news: Mutex::new(news),
            folder,
            _postgres: postgres,
        }
    }

    /// The account's owner, with the account's key.
    pub fn user(&self) -> Client<'_> {
        self.client(USER_KEY)
    }

    pub fn anonymous(&self) -> Client<'_> {
        Client {
            world: self,
            key: None,
        }
    }

    pub fn client(&self, key: &str) -> Client<'_> {
        Client {
            world: self,
            key: Some(key.to_owned()),
        }
    }

    /// A phone with a new key, signed in with these numbers.
    pub async fn phone(&self, numbers: &[&str]) -> Client<'_> {
        let key = self
            .user()
            .post("/v1/phone-api-keys", json!({"name": "desk"}))
            .await;
        let phone = self.client(key.ok()["api_key"].as_str().unwrap());
        for number in numbers {
            let sim = if *number == SECOND { "SIM2" } else { "SIM1" };
            let body = json!({"phone_number": number, "fcm_token": "stream:x", "sim": sim});
            phone.put("/v1/phones/fcm-token", body).await.ok();
        }
        phone
    }

    /// Puts every wake-up so far into its phone's mailbox, as the courier does.
    pub async fn wake(&self) {
        let mut settlements = Vec::new();
        while let Ok(news) = self.news.lock().await.try_recv() {
            let News::Due(due) = news else { continue };
            settlements.extend(due.iter().filter(|due| due.letter.is_none()).map(|due| {
                Settlement {
                    id: due.id,
                    attempt: due.attempt,
                    outcome: Outcome::Offered {
                        at: self.gateway.now(),
                    },
                    letter: None,
                    live_webhook: None,
                    seen: None,
                }
            }));
        }
        self.gateway.settle(settlements).await.unwrap();
    }

    /// Carries every webhook delivery that commits have told of so far: it arrives, or is given up.
    pub async fn attempt(&self, arrives: bool) {
        let mut settlements = Vec::new();
        while let Ok(news) = self.news.lock().await.try_recv() {
            let News::Due(due) = news else { continue };
            let letters = due.into_iter().filter(|due| due.letter.is_some());
            settlements.extend(letters.map(|due| Settlement {
                id: due.id,
                attempt: due.attempt,
                outcome: if arrives {
                    Outcome::Delivered
                } else {
                    let (status, error) = (Some(503), "answered 503".to_owned());
                    Outcome::Dead { status, error }
                },
                live_webhook: due.live_webhook(),
                letter: due.letter,
                seen: Some(Box::new(seen(self.gateway.now(), arrives))),
            }));
        }
        self.gateway.settle(settlements).await.unwrap();
    }

    /// Lets time pass, and does what became due meanwhile.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        while self.gateway.fire_timers().await.unwrap() > 0 {}
    }

    /// Everything that requests can write, to be compared.
    pub async fn everything(&self) -> Vec<String> {
        let caller = self.gateway.user(USER_KEY).await.unwrap().unwrap();
        let events = self
            .gateway
            .events(&caller.user_id, 0, 10_000)
            .await
            .unwrap();
        let mut all: Vec<String> = events.into_iter().map(|event| event.body).collect();
        for list in ["phones", "phone-api-keys", "webhooks"] {
            all.push(
                self.user()
                    .get(&format!("/v1/{list}?limit=-1"))
                    .await
                    .text(),
            );
        }
        for owner in ["%2B18005550199", "%2B18005550101"] {
            let list = format!("/v1/heartbeats?limit=-1&owner={owner}");
            all.push(self.user().get(&list).await.text());
        }
        all
    }

    pub async fn call(&self, request: Request<Body>) -> Answer {
        self.clock.advance(Duration::from_millis(1));
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        };
        schema::check(&method, &path, &answer);
        answer
    }
}

fn seen(started_at: Time, arrives: bool) -> Seen {
    Seen {
        started_at,
        duration: Duration::from_millis(12),
        url: "https://hooks.example.org/sms".to_owned(),
        request_headers: r#"{"x-event-type":"message.phone.received"}"#.to_owned(),
        status: Some(if arrives { 200 } else { 503 }),
        response_headers: Some(r#"{"server":"x"}"#.to_owned()),
        response_body: Some("thanks".to_owned()),
        error: (!arrives).then(|| "answered 503".to_owned()),
    }
}

pub async fn add_user(gateway: &Gateway, name: &str, key: &str) {
    let user = NewUser {
        email: format!("{name}@example.org"),
        id: Some(format!("{name}-ID")),
        api_key: Some(key.to_owned()),
        ..NewUser::default()
    };
    gateway.add_user(user).await.unwrap();
}

/// Somebody with a key, or none.
pub struct Client<'w> {
    pub world: &'w World,
    pub key: Option<String>,
}

impl Client<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw(Method::POST, path, body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.raw(Method::PUT, path, body.to_string()).await
    }

    /// Any bytes as JSON.
    pub async fn raw(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let json = "application/json; charset=utf-8";
        self.send(method, path, Some(json), body).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-client-version", "sim-1");
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        self.world.call(request.body(body.into()).unwrap()).await
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/json; charset=utf-8"
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The `data` of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(
            matches!(self.status, 200..=202),
            "{}: {}",
            self.status,
            self.text()
        );
        let mut json = self.json();
        assert_eq!(json["status"], "success");
        json["data"].take()
    }

    #[track_caller]
    pub fn says(self, status: u16, message: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.json()["message"], message);
        let word = if status < 300 { "success" } else { "error" };
        assert_eq!(self.json()["status"], word);
        self
    }

    /// 422 with exactly this `data`.
    #[track_caller]
    pub fn invalid(&self, message: &str, data: Value) {
        assert_eq!(self.status, 422, "{}", self.text());
        let mut expected = json!({"message": message, "status": "error"});
        expected["data"] = data;
        assert_eq!(self.json(), expected);
    }

    /// 400, with these words in `data`.
    #[track_caller]
    pub fn malformed(&self, why: &str) {
        assert_eq!(self.status, 400, "{}", self.text());
        let json = self.json();
        assert_eq!(json["message"], "The request isn't properly formed");
        assert_eq!(json["status"], "error");
        let data = json["data"].as_str().unwrap();
        assert!(data.contains(why), "{data}");
    }

    /// 401, as for somebody unknown.
    #[track_caller]
    pub fn unauthorized(&self) {
        assert_eq!(self.status, 401, "{}", self.text());
        let hint = "Make sure your API key is set in the [x-api-key] header in the request";
        let message = "You are not authorized to carry out this request.";
        let expected = json!({"data": hint, "message": message, "status": "error"});
        assert_eq!(self.json(), expected);
    }

    /// 401, as for a phone key with another number.
    #[track_caller]
    pub fn not_bound(&self, number: &str, held: &str) {
        assert_eq!(self.status, 401, "{}", self.text());
        let why = format!(
            "The phone API key is does not have permission to carry out actions on the phone number [{number}]. The API key is only configured for these phone numbers [{held}]"
        );
        let message = "You are not authorized to carry out the request for this phone number";
        let expected = json!({"data": why, "message": message, "status": "error"});
        assert_eq!(self.json(), expected);
    }

    /// 409 without data.
    #[track_caller]
    pub fn conflicts(&self, message: &str) {
        assert_eq!(self.status, 409, "{}", self.text());
        assert_eq!(self.json(), json!({"message": message, "status": "error"}));
    }

    /// 404 without data.
    #[track_caller]
    pub fn missing(&self, message: &str) {
        assert_eq!(self.status, 404, "{}", self.text());
        assert_eq!(self.json(), json!({"message": message, "status": "error"}));
    }

    /// 204 without a body.
    #[track_caller]
    pub fn empty(&self) {
        assert_eq!(self.status, 204, "{}", self.text());
        assert!(self.body.is_empty());
        assert_eq!(self.header("content-type"), "");
    }
}

/// What a field that must be a phone's number says.
pub fn e164(field: &str) -> String {
    format!(
        "The {field} field must be a valid E.164 phone number in the international format e.g +18005550100"
    )
}

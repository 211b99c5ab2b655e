//! Where the stories play: a server on one of the engines, an account, and a phone that is signed in.
//! A stage that is left in good order has a server that did not panic and told no secret.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::postgres::{Database, fresh_database};
use testkit::{PhoneClient, Received, Receiver, Server, Setup, UserClient};

/// The phone's number, its second one, and who it talks to.
pub const OWNER: &str = "+18005550199";
pub const SECOND: &str = "+18005550101";
pub const CONTACT: &str = "+18005550100";

pub const USER_ID: &str = "user-1";
pub const USER_KEY: &str = "test-user-api-key";

/// Long enough for a debug build beside a compiler; nothing waits so long unless it fails.
pub const SOON: Duration = Duration::from_secs(30);

/// Where the rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub struct Stage {
    pub server: Server,
    /// The account's owner.
    pub user: UserClient,
    /// Holds [`OWNER`], and fetches its wake-ups itself.
    pub phone: PhoneClient,
    database: Option<Database>,
}

impl Stage {
    /// A server with default settings.
    pub async fn on(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    /// A server with more flags.
    pub async fn with(engine: Engine, args: &[&str]) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(fresh_database().await),
        };
        let mut setup = setup().args(args.iter().copied());
        if let Some(database) = &database {
            setup = setup.database_url(database.url());
        }
        Self::around(setup.start().await, database).await
    }

    /// The same for a server that the story starts by itself; it has the account of [`setup`].
    pub async fn around(server: Server, database: Option<Database>) -> Self {
        let user = server.user(USER_KEY);
        let phone = user.create_phone_key("desk").await;
        let stage = Self {
            server,
            user,
            phone,
            database,
        };
        stage.sign_in(OWNER).await;
        stage
    }

    /// The URL of the PostgreSQL database; `None` on SQLite.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    /// One more number of the phone.
    pub async fn sign_in(&self, number: &str) -> Value {
        self.phone.register(number, "SIM1", "stream:desk").await
    }

    /// Changes settings of the phone with this number.
    pub async fn tune(&self, number: &str, mut settings: Value) -> Value {
        settings["phone_number"] = number.into();
        let changed = self.user.put("/v1/phones", &settings).await;
        changed.expect(200).into_data()
    }

    /// Sends a message which the phone has then claimed; returns its id.
    pub async fn claimed(&self, from: &str, content: &str) -> String {
        let sent = self.user.send(from, CONTACT, content).await;
        let id = text(&sent["id"]);
        self.phone.claim(&id).await.expect(200);
        id
    }

    /// Subscribes a receiver's `/hook` to events of these numbers.
    pub async fn subscribe(&self, receiver: &Receiver, events: &[&str], numbers: &[&str]) -> Value {
        let url = receiver.url("/hook");
        self.user
            .create_webhook(&url, SIGNING_KEY, events, numbers)
            .await
    }
}

impl Deref for Stage {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.kill();
        if let Some(database) = self.database.take() {
            // It takes a while, and other scenes on this thread should not wait for it.
            tokio::task::spawn_blocking(move || drop(database));
        }
        if !std::thread::panicking() {
            let log = self.server.log();
            assert!(!log.contains("panicked"), "the server has panicked:\n{log}");
            for secret in [USER_KEY, SIGNING_KEY, "pk_", "Bearer "] {
                assert!(!log.contains(secret), "the log tells {secret}:\n{log}");
            }
        }
    }
}

/// As somebody types it: not base64, and not ASCII alone.
pub const SIGNING_KEY: &str = "ein Schlüssel für Händler, 32 Zeichen+";

/// The program: the one `HTTPSMS_BIN` names, else this build's.
pub fn program() -> PathBuf {
    let other = std::env::var_os("HTTPSMS_BIN").map(PathBuf::from);
    other.unwrap_or_else(|| env!("CARGO_BIN_EXE_httpsms").into())
}

/// The program with an account.
pub fn setup() -> Setup {
    Setup::new()
        .binary(program())
        .user("ann@example.org", USER_ID, USER_KEY)
}

/// A member of an answer that has to be text.
pub fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("{value} is no text"),
    }
}

/// A member of an answer that has to be a time.
pub fn time(value: &Value) -> Timestamp {
    let text = text(value);
    text.parse()
        .unwrap_or_else(|error| panic!("{text} is no time: {error}"))
}

/// The number of a scene, so that scenes on the same stage do not hear each other.
pub fn number(scene: usize) -> String {
    format!("+1800555{:04}", 2000 + scene)
}

/// How many requests have arrived with this `X-Event-Type`.
pub fn of_type(seen: &[Received], kind: &str) -> usize {
    let same = |one: &&Received| one.header("x-event-type") == Some(kind);
    seen.iter().filter(same).count()
}

/// An incoming SMS as a phone hands it in, at a time of the story's choice.
pub fn incoming(from: &str, to: &str, content: &str) -> Value {
    json!({
        "sim": "SIM1", "from": from, "to": to, "content": content, "encrypted": false,
        "timestamp": "2026-01-02T03:04:05.678000000Z", "attachments": null,
    })
}

//! A server on fresh data, with the accounts, phones and webhooks that a scenario wants.
//! Everything is made through the command line and the API, as people do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::postgres::{Database, fresh_database};
use testkit::{Server, Setup};

use crate::args::{Args, Engine};
use crate::fill;
use crate::ledger::Ledger;
use crate::load::flood;
use crate::machine;
use crate::wire::{self, Line};

/// Long enough for every receiver's library.
const SIGNING_KEY: &str = "a signing key of the load program, 64 characters long, or nearly.";

/// Messages that a server stores itself before others are copied from them.
const FIRST: usize = 10_000;

/// Longer than it takes to store messages beforehand.
const FILLING: Duration = Duration::from_hours(2);

/// A server at rest uses less than this in a second, so many seconds one after the other.
const AT_REST: Duration = Duration::from_millis(15);
const CALM: usize = 5;

/// A running server.
pub struct Stage {
    server: Server,
    /// Where it listens.
    pub address: SocketAddr,
    /// Numbers given out so far.
    numbers: usize,
    /// Goes after the server.
    database: Option<Database>,
}

/// A number of an account, and the key of the phone that holds it.
#[derive(Clone, Debug)]
pub struct Phone {
    /// In E.164.
    pub number: String,
    /// `pk_…`
    pub key: Arc<str>,
}

impl Stage {
    /// Starts the server with so many accounts.
    pub async fn start(args: &Args, engine: Engine, accounts: usize) -> Result<Self> {
        let mut setup = Setup::new().arg("--webhook-private-networks=allow");
        setup = setup.args(args.serve.split_whitespace());
        if let Some(binary) = &args.binary {
            setup = setup.binary(binary);
        }
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(fresh_database().await),
        };
        if let Some(database) = &database {
            setup = setup.database_url(database.url());
        }
        for account in 0..accounts {
            let email = format!("account-{account}@example.com");
            setup = setup.user(&email, &format!("account-{account}"), &key_of(account));
        }
        let server = setup.try_start().await?;
        let address = server.url().trim_start_matches("http://").parse();
        Ok(Self {
            address: address.context("the server listens on a name")?,
            server,
            numbers: 0,
            database,
        })
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Makes phone keys for an account, and phones that send 60 messages a minute, so many on each key.
    pub async fn phones(
        &mut self,
        account: usize,
        keys: usize,
        numbers: usize,
    ) -> Result<Vec<Phone>> {
        let mut line = Line::open(self.address).await?;
        let user = key_of(account);
        let mut phones = Vec::with_capacity(keys * numbers);
        for nth in 0..keys {
            let name = json!({"name": format!("key {nth}")});
            let made = post(&mut line, "POST", "/v1/phone-api-keys", &user, &name).await?;
            let key: Arc<str> = made["api_key"].as_str().context("a key")?.into();
            for _ in 0..numbers {
                let number = format!("+1415{}", 2_000_000 + self.numbers);
                self.numbers += 1;
                register(&mut line, &user, &key, &number).await?;
                phones.push(Phone {
                    number,
                    key: Arc::clone(&key),
                });
            }
        }
        Ok(phones)
    }

    /// Subscribes a URL to the events of these phones; the webhook's id.
    pub async fn webhook(
        &self,
        account: usize,
        url: &str,
        events: &[&str],
        phones: &[Phone],
    ) -> Result<String> {
        let numbers: Vec<&str> = phones.iter().map(|phone| phone.number.as_str()).collect();
        let webhook = json!({
            "url": url,
            "signing_key": SIGNING_KEY,
            "events": events,
            "phone_numbers": numbers,
        });
        let mut line = Line::open(self.address).await?;
        let made = post(
            &mut line,
            "POST",
            "/v1/webhooks",
            &key_of(account),
            &webhook,
        )
        .await?;
        Ok(made["id"].as_str().context("an id")?.to_owned())
    }

    /// Stores messages of these phones until there are so many: the first ones through the server, the
    /// others past it. Comes back when the server has nothing more to do.
    pub async fn fill(&mut self, phones: &[Phone], messages: usize) -> Result<()> {
        if messages == 0 {
            return Ok(());
        }
        let first = messages.min(FIRST);
        let ledger = Arc::new(Ledger::new(first));
        flood(self.address, phones, &ledger, (0, first), FILLING).await?;
        self.server.stop().await;
        let count = u64::try_from(messages)?;
        match &self.database {
            None => fill::sqlite(self.server.data_dir(), count)?,
            Some(database) => fill::postgres(database.url(), count).await?,
        }
        self.server.restart().await;
        self.rest().await
    }

    /// Waits until the server rests: what was stored past it is indexed first.
    async fn rest(&self) -> Result<()> {
        let end = Instant::now() + FILLING;
        let mut before = self.server.usage().cpu;
        let mut calm = 0;
        while calm < CALM {
            ensure!(Instant::now() < end, "the server does not come to rest");
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.server.usage().cpu;
            let rests = now.saturating_sub(before) < AT_REST;
            calm = if rests { calm + 1 } else { 0 };
            before = now;
        }
        Ok(())
    }

    /// Kills the server and starts it again on the same data.
    pub async fn crash(&mut self) {
        self.server.restart().await;
    }

    /// Attempts in the log of the first account's webhook, by the event's id.
    pub async fn attempts(&self, webhook: &str) -> Result<HashMap<String, usize>> {
        let mut line = Line::open(self.address).await?;
        let mut found = HashMap::new();
        let mut before = i64::MAX;
        loop {
            let path = format!("/v1/webhooks/{webhook}/deliveries?limit=100&before={before}");
            let page = line
                .ask(&wire::get(&path, &key_of(0)))
                .await?
                .ok()?
                .data()?;
            let page = page.as_array().context("a list")?;
            for delivery in page {
                let event = delivery["event_id"].as_str().context("an event")?;
                let attempts = delivery["attempts"].as_u64().context("a number")?;
                *found.entry(event.to_owned()).or_insert(0) += usize::try_from(attempts)?;
                before = delivery["id"].as_i64().context("an id")?;
            }
            if page.is_empty() {
                return Ok(found);
            }
        }
    }
}

/// The API key of an account: 67 characters, like those the server makes.
pub fn key_of(account: usize) -> String {
    format!("uk_{account:064}")
}

async fn register(line: &mut Line, user: &str, key: &str, number: &str) -> Result<()> {
    let token = format!("stream:{}", &number[1..]);
    let phone = json!({"phone_number": number, "sim": "SIM1", "fcm_token": token});
    post(line, "PUT", "/v1/phones/fcm-token", key, &phone).await?;
    let settings = json!({
        "phone_number": number,
        "sim": "SIM1",
        "fcm_token": token,
        "messages_per_minute": 60,
    });
    post(line, "PUT", "/v1/phones", user, &settings).await?;
    Ok(())
}

async fn post(line: &mut Line, method: &str, path: &str, key: &str, body: &Value) -> Result<Value> {
    let request = wire::request(method, path, key, &body.to_string());
    let answer = line.ask(&request).await?.ok();
    answer.with_context(|| format!("{method} {path}"))?.data()
}

/// One of the thousand people who write.
pub fn contact(nth: usize) -> String {
    format!("+1650{}", 2_000_000 + nth % 1_000)
}

/// The request of a phone that hands in an SMS; only its text and sender differ from the next one.
pub fn received(phone: &Phone, content: &str, nth: usize) -> Vec<u8> {
    let body = json!({
        "sim": "SIM1",
        "from": contact(nth),
        "to": phone.number,
        "content": content,
        "encrypted": false,
        "timestamp": machine::stamp(),
        "attachments": null,
    });
    wire::request(
        "POST",
        "/v1/messages/receive",
        &phone.key,
        &body.to_string(),
    )
}

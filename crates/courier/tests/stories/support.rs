//! A gateway, an account with a phone, and a courier that runs beside them.

use std::sync::Arc;
use std::time::Duration;

use courier::{Courier, Options, Stats};
use gateway::account::NewUser;
use gateway::event::{Kind, Recorded};
use gateway::message::ReceivedSms;
use gateway::phone::{Changes, Phone, Sim};
use gateway::webhook::policy::{Policy, RetrySchedule};
use gateway::webhook::{Draft, Webhook, WebhookUrl};
use gateway::{Caller, Database, Gateway, PhoneNumber, Settings, id};
use testkit::until;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const OWNER: &str = "+37250001111";
pub const CONTACT: &str = "+37250002222";
pub const KEY: &str = "signing-key-of-at-least-thirty-two-bytes";

/// Long enough for whatever shall happen.
pub const SOON: Duration = Duration::from_secs(20);

pub struct World {
    pub gateway: Gateway,
    pub user: Caller,
    settings: Settings,
    courier: Option<Running>,
}

struct Running {
    stop: CancellationToken,
    done: JoinHandle<()>,
    stats: Arc<Stats>,
}

/// Tells the story on SQLite, and on PostgreSQL.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    story(World::open(Settings::new(folder.path())).await).await;

    let folder = tempfile::tempdir().unwrap();
    let postgres = testkit::postgres::fresh_database().await;
    let settings = Settings {
        database: Database::Postgres(postgres.url().to_owned()),
        ..Settings::new(folder.path())
    };
    story(World::open(settings).await).await;
}

/// Tells the story on SQLite alone.
pub async fn on_sqlite(change: impl FnOnce(&mut Settings), story: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(folder.path());
    change(&mut settings);
    story(World::open(settings).await).await;
}

pub fn number() -> PhoneNumber {
    PhoneNumber::parse(OWNER).unwrap()
}

impl World {
    pub async fn open(settings: Settings) -> Self {
        let gateway = Gateway::open(settings.clone()).await.unwrap();
        let account = NewUser {
            email: "ann@example.org".to_owned(),
            api_key: Some("test-user-api-key".to_owned()),
            ..NewUser::default()
        };
        gateway.add_user(account).await.unwrap();
        let user = gateway.user("test-user-api-key").await.unwrap().unwrap();
        Self {
            gateway,
            user,
            settings,
            courier: None,
        }
    }

    /// Another node of the same database.
    pub async fn beside(&self, settings: Settings) -> Self {
        Self {
            gateway: Gateway::open(settings.clone()).await.unwrap(),
            user: self.user.clone(),
            settings,
            courier: None,
        }
    }

    /// Starts the courier; it carries when it gets the lease.
    pub fn carrying(mut self, options: Options) -> Self {
        let courier = Courier::new(self.gateway.clone(), options).unwrap();
        let stop = CancellationToken::new();
        let stats = courier.stats();
        let done = tokio::spawn(courier.run(stop.clone()));
        self.courier = Some(Running { stop, done, stats });
        self
    }

    pub fn stats(&self) -> &Stats {
        &self.courier.as_ref().unwrap().stats
    }

    /// Stops the courier in good order.
    pub async fn stop(&mut self) {
        if let Some(running) = self.courier.take() {
            running.stop.cancel();
            running.done.await.unwrap();
        }
    }

    /// Stops everything and opens the same data again, without a courier.
    pub async fn reopened(mut self) -> Self {
        self.stop().await;
        self.gateway.close().await;
        let gateway = Gateway::open(self.settings.clone()).await.unwrap();
        Self { gateway, ..self }
    }

    pub async fn phone(&self, fcm_token: &str) -> Phone {
        let changes = Changes {
            fcm_token: Some(Some(fcm_token.to_owned())),
            ..Changes::default()
        };
        self.gateway
            .put_phone(&self.user, number(), changes)
            .await
            .unwrap()
    }

    pub async fn webhook(&self, url: &str) -> Webhook {
        self.gateway
            .add_webhook(&self.user, draft(url))
            .await
            .unwrap()
    }

    /// A webhook that wants to be told in another way.
    pub async fn webhook_with(&self, url: &str, policy: Policy) -> Webhook {
        let draft = Draft {
            policy,
            ..draft(url)
        };
        self.gateway.add_webhook(&self.user, draft).await.unwrap()
    }

    /// The phone receives an SMS.
    pub async fn receive(&self, content: &str) {
        self.receive_from(CONTACT, content).await;
    }

    /// The phone receives an SMS from this number.
    pub async fn receive_from(&self, contact: &str, content: &str) {
        let now = self.gateway.now();
        let sms = ReceivedSms {
            id: id::new(now),
            to: number(),
            from: contact.to_owned(),
            content: content.to_owned(),
            encrypted: false,
            sim: Sim::Sim1,
            timestamp: now,
            attachments: Vec::new(),
        };
        self.gateway.receive(&self.user, sms).await.unwrap();
    }

    /// Waits until no delivery is left, in memory or on disk.
    pub async fn nothing_left(&self) {
        until("nothing is left to deliver", SOON, async || {
            // No epoch is negative: this counts the rows of all of them.
            let rows = self.gateway.waiting(-1, None, 100).await.ok()?;
            rows.is_empty().then_some(())
        })
        .await;
    }

    pub async fn events(&self, kind: Kind) -> Vec<Recorded> {
        let events = self.gateway.events(&self.user.user_id, 0, 10_000).await;
        let events = events.unwrap().into_iter();
        events.filter(|event| event.kind == kind).collect()
    }

    /// Waits for the first event of this type; gives its data.
    pub async fn payload(&self, kind: Kind) -> serde_json::Value {
        let event = until("the event is recorded", SOON, async || {
            self.events(kind).await.into_iter().next()
        });
        let event: serde_json::Value = serde_json::from_str(&event.await.body).unwrap();
        event["data"].clone()
    }
}

pub fn draft(url: &str) -> Draft {
    Draft {
        url: WebhookUrl::parse(url).unwrap(),
        signing_key: Some(KEY.to_owned()),
        phone_numbers: vec![OWNER.to_owned()],
        events: vec![Kind::MessagePhoneReceived],
        policy: impatient(),
        headers: None,
    }
}

/// Four retries, a second after each other.
pub fn impatient() -> Policy {
    Policy {
        retry_schedule: RetrySchedule::Delays(vec![1; 4]),
        ..Policy::default()
    }
}

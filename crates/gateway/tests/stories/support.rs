//! A gateway per engine, and short words for what stories do with it.

use std::time::Duration;

use db::{Db, Tx};
use gateway::account::NewUser;
use gateway::delivery::{Delivery, Kind, News, Outcome, Seen, Settlement};
use gateway::event::Recorded;
use gateway::mail::Mail;
use gateway::message::{Between, Message, ReceivedSms, Report, Reported, SendSms};
use gateway::phone::{Changes, Phone, Sim};
use gateway::webhook::policy::Policy;
use gateway::webhook::{Draft, Webhook, WebhookUrl};
use gateway::{Caller, Clock, Database, Gateway, PhoneNumber, Settings, Time, Uuid, event, id};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

pub const OWNER: &str = "+18005550199";
pub const CONTACT: &str = "+18005550100";
pub const MINUTE: Duration = Duration::from_mins(1);

/// A server's inside: the gateway, its hand-moved clock, an account, and a courier's ear.
pub struct World {
    pub gateway: Gateway,
    pub clock: Clock,
    pub user: Caller,
    pub epoch: i64,
    news: UnboundedReceiver<News>,
    queued_mails: Vec<Delivery>,
    settings: Settings,
}

/// Tells the story on SQLite, and on PostgreSQL.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    story(World::open(settings(&folder, Database::Sqlite)).await).await;

    let folder = tempfile::tempdir().unwrap();
    let postgres = testkit::postgres::fresh_database().await;
    let database = Database::Postgres(postgres.url().to_owned());
    story(World::open(settings(&folder, database)).await).await;
}

fn settings(folder: &tempfile::TempDir, database: Database) -> Settings {
    Settings {
        database,
        mail: true,
        clock: Clock::manual("2026-03-02T09:00:00Z".parse().unwrap()),
        ..Settings::new(folder.path())
    }
}

impl World {
    async fn open(settings: Settings) -> Self {
        let gateway = Gateway::open(settings.clone()).await.unwrap();
        let account = NewUser {
            email: "ann@example.org".to_owned(),
            api_key: Some("test-user-api-key".to_owned()),
            ..NewUser::default()
        };
        gateway.add_user(account).await.unwrap();
        Self::with(gateway, settings).await
    }

    async fn with(gateway: Gateway, settings: Settings) -> Self {
        let user = gateway.user("test-user-api-key").await.unwrap().unwrap();
        let news = gateway.news().unwrap();
        let epoch = gateway.take_lease(None).await.unwrap().unwrap();
        let clock = settings.clock.clone();
        Self {
            gateway,
            clock,
            user,
            epoch,
            news,
            queued_mails: Vec::new(),
            settings,
        }
    }

    /// Another node of the same database, if that can have several, with the same key file.
    pub async fn another_node(&self) -> Option<(Gateway, tempfile::TempDir)> {
        let Database::Postgres(_) = self.settings.database else {
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let key = self.settings.data_dir.join("secret.key");
        std::fs::copy(key, folder.path().join("secret.key")).unwrap();
        let settings = Settings {
            data_dir: folder.path().to_owned(),
            ..self.settings.clone()
        };
        Some((Gateway::open(settings).await.unwrap(), folder))
    }

    /// Everything in memory is gone; what is on disk is opened again.
    pub async fn restarted(self) -> Self {
        self.restarted_with(|_| {}).await
    }

    /// The same, with other settings.
    pub async fn restarted_with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.gateway.close().await;
        change(&mut self.settings);
        let gateway = Gateway::open(self.settings.clone()).await.unwrap();
        Self::with(gateway, self.settings).await
    }

    /// Makes the messages such as they were stored before threads had numbers, which only SQLite knows.
    pub async fn forget_thread_numbers(&self) {
        if !self.is_sqlite() {
            return;
        }
        let database = Db::open_sqlite(&self.settings.data_dir.join("httpsms.db")).unwrap();
        let forget = |tx: &mut Tx<'_>| tx.execute("UPDATE message SET thread_seq = NULL", &[]);
        let forgotten: db::Result<u64> = database.write(forget).await;
        assert!(forgotten.unwrap() > 0);
        database.close().await;
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.settings.database, Database::Sqlite)
    }

    pub fn now(&self) -> Time {
        self.gateway.now()
    }

    /// Lets time pass, and does what became due meanwhile.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        while self.gateway.fire_timers().await.unwrap() > 0 {}
    }

    /// A phone that fetches its own wake-ups.
    pub async fn phone(&self) -> Phone {
        self.phone_with(Changes::default()).await
    }

    pub async fn phone_with(&self, changes: Changes) -> Phone {
        self.gateway
            .sign_in_phone(
                &self.user,
                number(OWNER),
                "stream:test".to_owned(),
                Sim::Sim1,
            )
            .await
            .unwrap();
        self.gateway
            .put_phone(&self.user, number(OWNER), changes)
            .await
            .unwrap()
    }

    pub async fn webhook(&self) -> Webhook {
        self.webhook_with(Policy::default()).await
    }

    pub async fn webhook_with(&self, policy: Policy) -> Webhook {
        let draft = Draft {
            url: WebhookUrl::parse("https://hooks.example.org/sms").unwrap(),
            signing_key: None,
            phone_numbers: vec![OWNER.to_owned()],
            events: event::Kind::FOR_WEBHOOKS.to_vec(),
            policy,
            headers: None,
        };
        self.gateway.add_webhook(&self.user, draft).await.unwrap()
    }

    pub async fn send(&self, content: &str) -> Message {
        self.gateway.send(&self.user, sms(content)).await.unwrap()
    }

    /// The phone receives so many SMS at once.
    pub async fn flood(&self, from: &str, count: usize) {
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let (gateway, user) = (self.gateway.clone(), self.user.clone());
            let sms = incoming(self, from, "code");
            tasks.spawn(async move { gateway.receive(&user, sms).await.map(drop) });
        }
        for received in tasks.join_all().await {
            received.unwrap();
        }
    }

    pub async fn message(&self, id: Uuid) -> Message {
        self.gateway.message(&self.user, id).await.unwrap()
    }

    pub async fn report(&self, id: Uuid, event: Reported) -> Message {
        let report = Report {
            event,
            timestamp: self.now(),
            reason: None,
        };
        self.gateway.report(&self.user, id, report).await.unwrap()
    }

    /// Rows of the courier's epoch that are on disk, loaded.
    pub async fn load(&self) -> Vec<Delivery> {
        let mut found = Vec::new();
        let targets = self.gateway.waiting(self.epoch, None, 100).await.unwrap();
        for (target, _) in targets {
            if target == gateway::mail::SERVER {
                continue;
            }
            let forever = Time::from_micros(i64::MAX);
            let (rows, _) = self
                .gateway
                .load(self.epoch, target, forever, 1000)
                .await
                .unwrap();
            found.extend(rows);
        }
        found
    }

    /// What commits have told the courier so far, mails aside.
    pub fn told(&mut self) -> Vec<Delivery> {
        let mut told = Vec::new();
        while let Ok(news) = self.news.try_recv() {
            if let News::Due(deliveries) = news {
                told.extend(deliveries);
            }
        }
        let (mails, others) = told.into_iter().partition(|told| told.kind == Kind::Mail);
        self.queued_mails.extend::<Vec<_>>(mails);
        others
    }

    pub async fn settle(&self, delivery: &Delivery, outcome: Outcome) {
        let settlement = Settlement {
            id: delivery.id,
            attempt: delivery.attempt,
            seen: delivery
                .letter
                .is_some()
                .then(|| Box::new(seen(self.now(), &outcome))),
            letter: delivery.letter.clone(),
            live_webhook: delivery.live_webhook(),
            outcome,
        };
        self.gateway.settle(vec![settlement]).await.unwrap();
    }

    /// Puts every wake-up told so far into the phone's mailbox.
    pub async fn wake(&mut self) -> usize {
        let wakeups: Vec<_> = self
            .told()
            .into_iter()
            .filter(|told| told.kind == Kind::Push)
            .collect();
        for delivery in &wakeups {
            self.settle(delivery, Outcome::Offered { at: self.now() })
                .await;
        }
        wakeups.len()
    }

    /// The mails told so far, as they would be sent.
    pub async fn mails(&mut self) -> Vec<Mail> {
        let mut mails = Vec::new();
        self.told();
        for told in std::mem::take(&mut self.queued_mails) {
            let id = told.notification_id.unwrap();
            mails.extend(self.gateway.mail(id).await.unwrap());
            self.settle(&told, Outcome::Delivered).await;
        }
        mails
    }

    pub async fn events(&self) -> Vec<Recorded> {
        self.gateway
            .events(&self.user.user_id, 0, 10_000)
            .await
            .unwrap()
    }

    /// The types of all events so far, in order, those of account and phone aside.
    pub async fn types(&self) -> Vec<&'static str> {
        let events = self.events().await;
        events
            .iter()
            .map(|event| event.kind.as_str())
            .filter(|name| !name.starts_with("user.") && !matches!(*name, "phone.updated"))
            .collect()
    }

    /// The payload of the newest event of a type.
    pub async fn payload(&self, kind: event::Kind) -> Value {
        let events = self.events().await;
        let event = events.iter().rfind(|event| event.kind == kind).unwrap();
        let mut body: Value = serde_json::from_str(&event.body).unwrap();
        body["data"].take()
    }
}

fn seen(started_at: Time, outcome: &Outcome) -> Seen {
    let status = if matches!(outcome, Outcome::Delivered) {
        200
    } else {
        503
    };
    Seen {
        started_at,
        duration: Duration::from_millis(12),
        url: "https://hooks.example.org/sms".to_owned(),
        request_headers: r#"{"x-event-type":"…"}"#.to_owned(),
        status: Some(status),
        response_headers: Some("{}".to_owned()),
        response_body: Some("thanks".to_owned()),
        error: None,
    }
}

/// An SMS that the phone receives now.
pub fn incoming(world: &World, from: &str, content: &str) -> ReceivedSms {
    ReceivedSms {
        id: id::new(world.now()),
        to: number(OWNER),
        from: from.to_owned(),
        content: content.to_owned(),
        encrypted: false,
        sim: Sim::Sim1,
        timestamp: world.now(),
        attachments: Vec::new(),
    }
}

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

/// The whole conversation with the contact.
pub fn between() -> Between {
    Between {
        owner: OWNER.to_owned(),
        contact: CONTACT.to_owned(),
        before: None,
    }
}

pub fn sms(content: &str) -> SendSms {
    SendSms {
        from: number(OWNER),
        to: CONTACT.to_owned(),
        content: content.to_owned(),
        attachments: Vec::new(),
        encrypted: false,
        request_id: None,
        send_at: None,
    }
}

//! A message fails and its owner gets one mail, whatever happens to the mail server and to us meanwhile.

use std::time::Duration;

use courier::{Courier, Mailer, Options};
use gateway::account::NewUser;
use gateway::message::{Report, Reported, SendSms};
use gateway::phone::{Changes, Sim};
use gateway::{Caller, Clock, Gateway, PhoneNumber, Settings};
use tempfile::TempDir;
use testkit::until;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::{MailServer, Offer, Reserved, SOON, Step};

const OWNER: &str = "+18005550199";
const CONTACT: &str = "+18005550100";
const API_KEY: &str = "test-user-api-key";

/// A gateway on SQLite with a clock in our hand, an account with a phone, and perhaps a courier.
struct World {
    gateway: Gateway,
    settings: Settings,
    user: Caller,
    courier: Option<Running>,
    _folder: TempDir,
}

struct Running {
    stop: CancellationToken,
    done: JoinHandle<()>,
    stats: std::sync::Arc<courier::Stats>,
}

impl World {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            mail: true,
            clock: Clock::manual("2026-03-02T09:00:00Z".parse().unwrap()),
            ..Settings::new(folder.path())
        };
        let gateway = Gateway::open(settings.clone()).await.unwrap();
        let account = NewUser {
            email: "ann@example.org".to_owned(),
            api_key: Some(API_KEY.to_owned()),
            ..NewUser::default()
        };
        gateway.add_user(account).await.unwrap();
        let user = gateway.user(API_KEY).await.unwrap().unwrap();
        let number = PhoneNumber::parse(OWNER).unwrap();
        gateway
            .sign_in_phone(&user, number.clone(), "stream:test".to_owned(), Sim::Sim1)
            .await
            .unwrap();
        gateway
            .put_phone(&user, number, Changes::default())
            .await
            .unwrap();
        Self {
            gateway,
            settings,
            user,
            courier: None,
            _folder: folder,
        }
    }

    /// With a courier that hands mails to this server.
    fn mailing(mut self, url: &str) -> Self {
        let options = Options {
            mailer: Some(Mailer::new(url, "httpsms <sms@gw.example>").unwrap()),
            ..Options::default()
        };
        let courier = Courier::new(self.gateway.clone(), options).unwrap();
        let (stop, stats) = (CancellationToken::new(), courier.stats());
        let done = tokio::spawn(courier.run(stop.clone()));
        self.courier = Some(Running { stop, done, stats });
        self
    }

    /// Stops everything in good order, and opens the same data so much later, without a courier.
    async fn reopened(mut self, later: Duration) -> Self {
        self.stop().await;
        self.gateway.close().await;
        self.settings.clock.advance(later);
        let gateway = Gateway::open(self.settings.clone()).await.unwrap();
        Self { gateway, ..self }
    }

    async fn stop(&mut self) {
        if let Some(running) = self.courier.take() {
            running.stop.cancel();
            running.done.await.unwrap();
        }
    }

    /// The phone says that a message could not be sent.
    async fn fail_a_message(&self) {
        let sms = SendSms {
            from: PhoneNumber::parse(OWNER).unwrap(),
            to: CONTACT.to_owned(),
            content: "Your parcel is here".to_owned(),
            attachments: Vec::new(),
            encrypted: false,
            request_id: None,
            send_at: None,
        };
        let message = self.gateway.send(&self.user, sms).await.unwrap();
        let report = Report {
            event: Reported::Failed,
            timestamp: self.gateway.now(),
            reason: Some("NO SERVICE".to_owned()),
        };
        let reported = self.gateway.report(&self.user, message.id, report);
        reported.await.unwrap();
    }

    async fn retried(&self, times: u64) {
        let stats = &self.courier.as_ref().unwrap().stats;
        until("the mail was refused", SOON, async || {
            (stats.retried() >= times).then_some(())
        })
        .await;
    }

    async fn nothing_left(&self) {
        until("nothing is left to deliver", SOON, async || {
            // No epoch is negative: this counts the rows of all of them.
            let rows = self.gateway.waiting(-1, None, 100).await.ok()?;
            rows.is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_failed_message_is_one_mail() {
    let server = MailServer::start();
    let mut world = World::open().await.mailing(&server.url());
    world.fail_a_message().await;
    let mail = &server.wait_for(1).await[0];
    assert_eq!(mail.to, "ann@example.org");
    assert!(mail.text.contains("Reason: NO SERVICE"), "{}", mail.text);
    assert!(mail.text.contains("To: +1 800-555-0100"), "{}", mail.text);
    world.nothing_left().await;

    world = world.reopened(Duration::from_hours(49)).await;
    world = world.mailing(&server.url());
    world.nothing_left().await;
    world.stop().await;
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_outlives_a_restart_while_its_server_is_away() {
    let port = Reserved::new();
    let url = format!("smtp://{}", port.address());
    let mut world = World::open().await.mailing(&url);
    world.fail_a_message().await;
    world.retried(1).await;
    world = world.reopened(Duration::from_mins(1)).await;

    let server = port.open(Offer::default());
    world = world.mailing(&url);
    server.wait_for(1).await;
    world.nothing_left().await;
    world.stop().await;
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_that_was_made_without_a_courier_is_sent_by_the_next() {
    let server = MailServer::start();
    let mut world = World::open().await;
    world.fail_a_message().await;
    world = world.reopened(Duration::from_mins(1)).await;
    world = world.mailing(&server.url());
    server.wait_for(1).await;
    world.nothing_left().await;
    world.stop().await;
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_sent_later() {
    let server = MailServer::start();
    server.refuse(Step::Recipient, 451, "4.7.1 Greylisted");
    let mut world = World::open().await.mailing(&server.url());
    world.fail_a_message().await;
    world.retried(1).await;
    assert!(server.taken().is_empty());

    world = world.reopened(Duration::from_mins(1)).await;
    world = world.mailing(&server.url());
    server.wait_for(1).await;
    world.nothing_left().await;
    world.stop().await;
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up() {
    let server = MailServer::start();
    server.refuse(Step::Recipient, 550, "5.1.1 No such user");
    let mut world = World::open().await.mailing(&server.url());
    world.fail_a_message().await;
    until("the mail is given up", SOON, async || {
        let stats = &world.courier.as_ref().unwrap().stats;
        (stats.failed() == 1).then_some(())
    })
    .await;
    world.nothing_left().await;
    world.stop().await;
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn many_mails_keep_two_lines_busy() {
    let server = MailServer::start();
    let mut world = World::open().await;
    for _ in 0..12 {
        world.gateway.rotate_key(&world.user.user_id).await.unwrap();
    }
    world = world.mailing(&server.url());
    server.wait_for(12).await;
    world.nothing_left().await;
    world.stop().await;
    assert_eq!((server.taken().len(), server.lines()), (12, 2));
}

#[tokio::test]
async fn after_two_days_a_mail_is_worth_nothing() {
    let port = Reserved::new();
    let url = format!("smtp://{}", port.address());
    let mut world = World::open().await.mailing(&url);
    world.fail_a_message().await;
    world.retried(1).await;
    world = world.reopened(Duration::from_hours(48)).await;
    world = world.mailing(&url);
    world.nothing_left().await;
    world.stop().await;
}

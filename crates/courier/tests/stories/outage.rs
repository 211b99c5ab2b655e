//! A database that goes away and comes back: what was done meanwhile is recorded, what was not is done.

use std::sync::Arc;
use std::time::Duration;

use courier::Options;
use gateway::event::Kind;
use gateway::{Database, Settings};
use testkit::{Receiver, Respond, until};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{SOON, World};

/// A line to the database that can be cut.
struct Line {
    port: u16,
    intact: Arc<watch::Sender<bool>>,
}

impl Line {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let intact = Arc::new(watch::Sender::new(true));
        let line = Arc::clone(&intact);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(forward(near, server.clone(), line.subscribe()));
            }
        });
        Self { port, intact }
    }

    fn set(&self, intact: bool) {
        self.intact.send_replace(intact);
    }
}

async fn forward(mut near: TcpStream, server: String, mut intact: watch::Receiver<bool>) {
    if !*intact.borrow() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = intact.wait_for(|intact| !intact) => {}
    }
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_done_twice_while_the_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = testkit::postgres::fresh_database().await;
    let mut url = url::Url::parse(postgres.url()).unwrap();
    let server = format!("{}:{}", url.host().unwrap(), url.port().unwrap_or(5432));
    let line = Line::to(server).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(line.port)).unwrap();
    let settings = Settings {
        database: Database::Postgres(url.to_string()),
        ..Settings::new(folder.path())
    };
    let mut world = World::open(settings).await.carrying(Options::default());

    let slow = Receiver::answering(vec![Respond::ok().after(Duration::from_secs(1))]).await;
    let failing = Receiver::answering(vec![Respond::status(500), Respond::ok()]).await;
    world.phone("").await;
    world.webhook(&slow.url("/")).await;
    world.receive("one").await;
    slow.wait_for(1, SOON).await;
    world.webhook(&failing.url("/")).await;
    world.receive("two").await;
    slow.wait_for(2, SOON).await;
    failing.wait_for(1, SOON).await;

    line.set(false);
    until("the database is away", SOON, async || {
        world.gateway.ping().await.err()
    })
    .await;
    // Longer than between two renewals of the lease, which fail, while the slow one answers.
    tokio::time::sleep(Duration::from_secs(3)).await;
    line.set(true);
    world.nothing_left().await;
    assert_eq!((slow.count(), failing.count()), (2, 2));

    world.receive("three").await;
    slow.wait_for(3, SOON).await;
    world.nothing_left().await;
    assert!(world.events(Kind::WebhookSendFailed).await.is_empty());
    world.stop().await;
    assert_eq!((slow.count(), failing.count()), (3, 3));
}

//! PostgreSQL away: 503 and a word in the log, and all goes on when it is back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use testkit::postgres::fresh_database;
use testkit::{Answer, Receiver, until};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::stage::{CONTACT, OWNER, SOON, Stage, setup, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_loses_nothing() {
    let database = fresh_database().await;
    let mut gate = Gate::before(database.url()).await;
    let server = setup().database_url(gate.url(database.url())).start().await;
    let stage = Stage::around(server).await;
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;
    let before = text(&stage.phone.receive(CONTACT, OWNER, "before").await["id"]);
    receiver.wait_for(1, SOON).await;

    gate.close().await;
    for _ in 0..3 {
        let asked = Instant::now();
        let refused = receive(&stage, "lost").await;
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert_eq!(refused.body["status"], "error");
        assert!(
            asked.elapsed() < Duration::from_secs(10),
            "{:?}",
            asked.elapsed()
        );
    }
    let get = stage.user.get("/v1/phones").await;
    assert_eq!(get.status, 503, "{}", get.text());
    stage.wait_for_log("503", SOON).await;
    assert!(
        !stage.log().contains("postgres@"),
        "the log has no credentials"
    );

    gate.open().await;
    let after = until("the database is used again", SOON, async || {
        let answer = receive(&stage, "after").await;
        (answer.status == 200).then(|| text(&answer.data()["id"]))
    })
    .await;
    for (id, content) in [(before, "before"), (after, "after")] {
        assert_eq!(stage.user.message(&id).await["content"], content);
    }
    let seen = receiver.wait_for(2, SOON).await;
    let told: Vec<_> = seen
        .iter()
        .map(|one| text(&one.json()["data"]["content"]))
        .collect();
    assert!(
        told.contains(&"after".to_owned()) && !told.contains(&"lost".to_owned()),
        "{told:?}"
    );
    drop(stage);
    drop(gate);
}

async fn receive(stage: &Stage, content: &str) -> Answer {
    let sms = crate::stage::incoming(CONTACT, OWNER, content);
    let request = stage
        .phone
        .request(Method::POST, "/v1/messages/receive")
        .json(&sms);
    Answer::to(request).await.unwrap()
}

/// A door before a server. Closed, every connection through it is broken and new ones are refused.
struct Gate {
    address: SocketAddr,
    server: SocketAddr,
    passing: Option<JoinHandle<()>>,
}

impl Gate {
    /// An open door before the server of a `postgres://` URL.
    async fn before(url: &str) -> Self {
        let url = url::Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let server = tokio::net::lookup_host(server)
            .await
            .unwrap()
            .next()
            .unwrap();
        let mut gate = Self {
            address: ([127, 0, 0, 1], 0).into(),
            server,
            passing: None,
        };
        gate.open().await;
        gate
    }

    /// The server's URL, by way of this door.
    fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.passing = Some(tokio::spawn(pass(listener, self.server)));
    }

    async fn close(&mut self) {
        if let Some(passing) = self.passing.take() {
            passing.abort();
            // Returns when the door and every connection through it are gone.
            let _ = passing.await;
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(passing) = &self.passing {
            passing.abort();
        }
    }
}

async fn pass(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut server = TcpStream::connect(server).await.unwrap();
            // Either side may end it.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

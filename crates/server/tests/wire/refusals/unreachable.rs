//! PostgreSQL away: 503 and a word in the log, and all goes on when it is back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use testkit::postgres::fresh_database;
use testkit::{Answer, Receiver, Respond, until};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::stage::{CONTACT, OWNER, SOON, Stage, setup, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_loses_nothing() {
    let database = fresh_database().await;
    let mut gate = Gate::before(database.url()).await;
    let server = setup().database_url(gate.url(database.url())).start().await;
    let stage = Stage::around(server, Some(database)).await;
    // Slow, so that the database is away when the first answer comes.
    let slow = Respond::ok().after(Duration::from_millis(500));
    let receiver = Receiver::answering(vec![slow]).await;
    stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;
    let mut known = vec![acknowledged(&stage, "before").await];
    receiver.wait_for(1, SOON).await;

    gate.close().await;
    refused(&stage).await;
    stage.wait_for_log("503", SOON).await;
    super::full::quiet(&stage).await;
    gate.open().await;
    known.push(acknowledged(&stage, "between").await);

    // The same, told by the database itself.
    allow_connections(&stage, false).await;
    refused(&stage).await;
    allow_connections(&stage, true).await;
    known.push(acknowledged(&stage, "after").await);

    for (id, content) in &known {
        assert_eq!(stage.user.message(id).await["content"], *content);
    }
    told(&stage, &receiver, &known).await;
    assert!(
        !stage.log().contains("postgres@"),
        "the log has no credentials"
    );
}

async fn refused(stage: &Stage) {
    for _ in 0..3 {
        let asked = Instant::now();
        let answers = [
            receive(stage, "lost").await,
            stage.user.get("/v1/phones").await,
        ];
        for answer in answers {
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert_eq!(answer.body["status"], "error");
        }
        assert!(
            asked.elapsed() < Duration::from_secs(20),
            "{:?}",
            asked.elapsed()
        );
    }
}

/// Hands in a message as soon as the server takes one; its id.
async fn acknowledged(stage: &Stage, content: &'static str) -> (String, &'static str) {
    let taken = until("the database is used", SOON, async || {
        let answer = receive(stage, content).await;
        (answer.status == 200).then(|| text(&answer.data()["id"]))
    });
    (taken.await, content)
}

/// What was acknowledged was told, what was refused was not, and nothing is left to do.
async fn told(stage: &Stage, receiver: &Receiver, known: &[(String, &'static str)]) {
    let waiting = "SELECT CAST(count(*) AS TEXT) FROM delivery WHERE kind = 'webhook'";
    let settled = async || (stage.texts(waiting).await == ["0"]).then_some(());
    until("every delivery is settled", SOON, settled).await;
    let seen = receiver.requests();
    let mut told: Vec<_> = seen
        .iter()
        .map(|one| text(&one.json()["data"]["content"]))
        .collect();
    told.sort_unstable();
    told.dedup();
    let mut expected: Vec<_> = known.iter().map(|(_, content)| *content).collect();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

/// Lets nobody in and throws out who is there, or lets them in again.
async fn allow_connections(stage: &Stage, allow: bool) {
    let url = url::Url::parse(stage.database_url().unwrap()).unwrap();
    let name = url.path().trim_start_matches('/');
    let mut server = url.clone();
    server.set_path("/postgres");
    let out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
    for sql in [
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allow}"),
        format!("{out} '{name}'"),
    ] {
        crate::rows::postgres(server.as_str(), &sql).await;
    }
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

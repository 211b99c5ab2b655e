//! Two servers on one PostgreSQL database: one carries for both, and the other takes over when it dies.

use std::time::Duration;

use testkit::postgres::fresh_database;
use testkit::{PhoneClient, Receiver, UserClient, until};

use crate::stage::{CONTACT, OWNER, SOON, Stage, USER_KEY, program, setup, text};

/// The lease runs for ten seconds.
const TAKEN_OVER: Duration = Duration::from_secs(40);

/// What either of them is asked to do is done.
pub async fn two_servers_are_one() {
    let database = fresh_database().await;
    let first = setup().database_url(database.url()).start().await;
    // A folder of its own, with the key file that both need.
    let folder = tempfile::tempdir().unwrap();
    let key = "secret.key";
    std::fs::copy(first.data_dir().join(key), folder.path().join(key)).unwrap();
    let other = testkit::Setup::new()
        .binary(program())
        .data_dir(folder.path())
        .database_url(database.url());
    let mut second = other.start().await;
    let mut stage = Stage::around(first, Some(database)).await;
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;

    let phone = elsewhere(second.url()).await;
    phone.receive(CONTACT, OWNER, "1").await;
    stage.phone.receive(CONTACT, OWNER, "2").await;
    receiver.wait_for(2, SOON).await;

    // A phone that waits at one is woken by what was sent at the other.
    let waiting = phone.clone();
    let poll = tokio::spawn(async move { waiting.get("/v1/phones/notifications?wait=30").await });
    let id = text(&stage.user.send(OWNER, CONTACT, "across").await["id"]);
    let woken = poll.await.unwrap().expect(200);
    assert_eq!(woken.data()[0]["data"]["KEY_MESSAGE_ID"], id.as_str());

    stage.server.kill();
    phone.receive(CONTACT, OWNER, "3").await;
    receiver.wait_for(3, TAKEN_OVER).await;
    stage.server.restart().await;
    second.kill();
    let taken_back = async || {
        stage.phone.receive(CONTACT, OWNER, "4").await;
        (receiver.count() > 4).then_some(())
    };
    until("the first carries again", TAKEN_OVER, taken_back).await;
}

/// The stage's phone, at another server.
async fn elsewhere(url: &str) -> PhoneClient {
    let user = UserClient::new(url, USER_KEY);
    let keys = user.get("/v1/phone-api-keys").await.expect(200);
    let phone = PhoneClient::new(url, &text(&keys.data()[0]["api_key"]));
    phone.heartbeat(&[OWNER]).await.expect(201);
    assert_eq!(
        user.get("/v1/phones").await.expect(200).data()[0]["phone_number"],
        OWNER
    );
    phone
}

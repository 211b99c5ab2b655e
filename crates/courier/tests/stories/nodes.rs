//! Several nodes of one database: one of them carries, and another takes its place.

use std::time::Duration;

use courier::Options;
use gateway::{Clock, Database, Gateway, Settings};
use testkit::{Receiver, Respond, until};

use crate::support::{SOON, World};

#[tokio::test]
async fn another_node_takes_the_place_of_one_that_stops() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = testkit::postgres::fresh_database().await;
    let settings = |folder: &tempfile::TempDir| Settings {
        database: Database::Postgres(postgres.url().to_owned()),
        ..Settings::new(folder.path())
    };
    let first = World::open(settings(&one)).await;
    std::fs::copy(one.path().join("secret.key"), two.path().join("secret.key")).unwrap();
    let second = first.beside(settings(&two)).await;
    let mut first = first.carrying(Options::default());
    let receiver = Receiver::start().await;
    first.phone("").await;
    first.webhook(&receiver.url("/")).await;
    first.receive("told to the one that carries").await;
    receiver.wait_for(1, SOON).await;

    let second = second.carrying(Options::default());
    second.receive("told to the other one").await;
    // Found on disk: this test runs no listener.
    first.stop().await;
    receiver.wait_for(2, SOON).await;
    first.receive("told to the one that carries no more").await;
    second.receive("told to the one that carries now").await;
    receiver.wait_for(3, SOON).await;
    drop(first);
    let second = second.reopened().await.carrying(Options::default());
    second.nothing_left().await;
    assert_eq!(receiver.count(), 4, "each once");
}

#[tokio::test]
async fn a_lease_that_is_lost_is_won_again_and_the_work_goes_on() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = testkit::postgres::fresh_database().await;
    let settings = Settings {
        database: Database::Postgres(postgres.url().to_owned()),
        ..Settings::new(one.path())
    };
    let world = World::open(settings.clone()).await;
    let world = world.carrying(Options::default());
    let receiver = Receiver::answering(vec![Respond::status(500)]).await;
    world.phone("").await;
    world.webhook(&receiver.url("/")).await;
    world.receive("on my way").await;
    receiver.wait_for(1, SOON).await;

    // For a node whose clock is an hour ahead, the lease has run out.
    let thief = Gateway::open(Settings {
        data_dir: two.path().to_owned(),
        clock: Clock::manual(world.gateway.now() + Duration::from_hours(1)),
        ..settings
    });
    let thief = thief.await.unwrap();
    let epoch = thief.take_lease(None).await.unwrap().unwrap();
    // It renews every 2.5 seconds and finds out. What is held then waits on disk.
    until("the courier has let go", SOON, async || {
        (world.stats().held() == 0).then_some(())
    })
    .await;
    assert!(receiver.count() < 5);
    world.receive("meanwhile").await;
    thief.release_lease(epoch).await.unwrap();
    receiver.wait_for(10, SOON).await;
    world.nothing_left().await;
    assert_eq!(receiver.count(), 10, "five attempts each");
}

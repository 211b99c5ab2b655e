//! The event feed: read on from a place, followed live, and complete under concurrent writers.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway::event::{Feed, Kind};
use gateway::{Gateway, Uuid, id};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{CONTACT, World, incoming, on_each_engine};

const PATIENCE: Duration = Duration::from_secs(20);

async fn receive(world: &World, content: &str) -> Uuid {
    let sms = incoming(world, CONTACT, content);
    world.gateway.receive(&world.user, sms).await.unwrap().id
}

/// The ids of so many events more.
async fn take(feed: &mut Feed, count: usize) -> Vec<Uuid> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let events = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
        taken.extend(events.into_iter().map(|event| event.id));
    }
    taken
}

/// All events that are committed, in the order of the log.
async fn committed(gateway: &Gateway, user_id: &str) -> BTreeSet<Uuid> {
    let events = gateway.events(user_id, 0, i64::MAX).await.unwrap();
    events.into_iter().map(|event| event.id).collect()
}

/// Waits until nothing is held back: other stories write to the same server.
async fn settled(world: &World) {
    let user = &world.user.user_id;
    let all = committed(&world.gateway, user).await.len();
    let shown = async {
        loop {
            let part = world
                .gateway
                .events_after(user, 0, &[], i64::MAX)
                .await
                .unwrap();
            if part.events.len() == all {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, shown).await.unwrap();
}

#[tokio::test]
async fn a_feed_goes_on_where_it_was_left() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let user = world.user.user_id.clone();
        let kinds = [Kind::MessagePhoneReceived];
        for n in 0..3 {
            receive(&world, &format!("number {n}")).await;
        }
        settled(&world).await;
        let part = world
            .gateway
            .events_after(&user, 0, &kinds, 2)
            .await
            .unwrap();
        assert_eq!(part.events.len(), 2);
        assert!(part.events[0].body.contains("number 0"));
        let rest = world
            .gateway
            .events_after(&user, part.position, &kinds, 2)
            .await
            .unwrap();
        assert_eq!(rest.events.len(), 1);
        let end = world.gateway.feed_end(&user).await.unwrap();
        assert_eq!(rest.position, end);
        let none = world
            .gateway
            .events_after(&user, end, &[], 10)
            .await
            .unwrap();
        assert_eq!((none.events.len(), none.position), (0, end));
        let others = world
            .gateway
            .events_after("somebody else", 0, &[], 10)
            .await
            .unwrap();
        assert!(others.events.is_empty());
        let unwanted = [Kind::MessageCallMissed];
        let passed = world
            .gateway
            .events_after(&user, 0, &unwanted, 10)
            .await
            .unwrap();
        assert_eq!(
            (passed.events.len(), passed.position),
            (0, end),
            "what is not wanted is passed"
        );
    })
    .await;
}

#[tokio::test]
async fn a_live_feed_hears_of_a_commit_at_once() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let user = world.user.user_id.clone();
        let end = world.gateway.feed_end(&user).await.unwrap();
        let mut feed = world
            .gateway
            .follow(&user, end, vec![Kind::MessagePhoneReceived]);
        let waiting = tokio::spawn(async move { take(&mut feed, 1).await });
        receive(&world, "news").await;
        assert_eq!(waiting.await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_feed_on_another_node_hears_too() {
    on_each_engine(async |world: World| {
        let Some((node, _folder)) = world.another_node().await else {
            return;
        };
        settled(&world).await;
        let user = world.user.user_id.clone();
        let mut feed = node.follow(&user, world.gateway.feed_end(&user).await.unwrap(), vec![]);
        let waiting = tokio::spawn(async move { take(&mut feed, 1).await });
        receive(&world, "news").await;
        assert_eq!(waiting.await.unwrap().len(), 1);
        node.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_left_out_while_many_write() {
    const WRITERS: usize = 12;
    const EACH: usize = 40;
    on_each_engine(async |world: World| {
        world.phone().await;
        let user = world.user.user_id.clone();
        let before = committed(&world.gateway, &user).await.len();
        let mut feed = world.gateway.follow(&user, 0, Vec::new());
        // A second one reads in small parts, as a client that polls does.
        let (gateway, polled_user) = (world.gateway.clone(), user.clone());
        let polling = tokio::spawn(async move {
            let (mut position, mut seen) = (0, Vec::new());
            while seen.len() < before + WRITERS * EACH {
                let part = gateway
                    .events_after(&polled_user, position, &[], 7)
                    .await
                    .unwrap();
                position = part.position;
                seen.extend(part.events.into_iter().map(|event| event.id));
                tokio::task::yield_now().await;
            }
            seen
        });
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (gateway, caller) = (world.gateway.clone(), world.user.clone());
            let sms = incoming(&world, &format!("+1800555{writer:04}"), "hello");
            writers.spawn(async move {
                for _ in 0..EACH {
                    let mut sms = sms.clone();
                    sms.id = id::new(gateway.now());
                    gateway.receive(&caller, sms).await.unwrap();
                }
            });
        }
        let total = before + WRITERS * EACH;
        let followed = take(&mut feed, total).await;
        writers.join_all().await;
        let polled = timeout(PATIENCE, polling).await.unwrap().unwrap();
        let all = committed(&world.gateway, &user).await;
        assert_eq!(
            (followed.len(), polled.len()),
            (all.len(), all.len()),
            "each of them once"
        );
        assert_eq!(followed.into_iter().collect::<BTreeSet<_>>(), all);
        assert_eq!(polled.into_iter().collect::<BTreeSet<_>>(), all);
    })
    .await;
}

//! Retention: what is too old goes, what is still needed stays.

use std::time::Duration;

use gateway::attachment::{Media, NewAttachment};
use gateway::delivery::Outcome;
use gateway::event::{Kind, Recorded};
use gateway::heartbeat::Beat;
use gateway::message::Reported;
use gateway::retention::{PutRetention, Retention};
use gateway::thread::Wanted;
use gateway::{Error, Page};

use crate::support::{CONTACT, OWNER, World, incoming, number, on_each_engine};

const DAY: Duration = Duration::from_hours(24);

async fn keep(world: &World, wanted: PutRetention) {
    world
        .gateway
        .set_retention(&world.user, wanted)
        .await
        .unwrap();
}

async fn purge(world: &World) -> u64 {
    let count = world.gateway.purge_accounts().await.unwrap();
    assert_eq!(world.gateway.purge_accounts().await.unwrap(), 0);
    count
}

/// What the list of threads shows last.
async fn previews(world: &World) -> Vec<String> {
    let page = Page {
        limit: -1,
        ..Page::default()
    };
    let threads = world.gateway.threads(&world.user, Wanted::default(), page);
    let threads = threads.await.unwrap().into_iter();
    threads.map(|thread| thread.last_message_content).collect()
}

#[tokio::test]
async fn what_is_set_is_kept_and_the_rest_stays() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        assert_eq!(gateway.retention(user).await.unwrap(), Retention::default());
        let wanted = PutRetention {
            messages_days: Some(30),
            heartbeats_days: Some(7),
            ..PutRetention::default()
        };
        keep(&world, wanted).await;
        let wanted = PutRetention {
            heartbeats_days: Some(0),
            events_days: Some(90),
            ..PutRetention::default()
        };
        let set = gateway.set_retention(user, wanted).await.unwrap();
        let expected = Retention {
            messages_days: 30,
            events_days: 90,
            ..Retention::default()
        };
        assert_eq!(
            (set, gateway.retention(user).await.unwrap()),
            (expected, expected)
        );
    })
    .await;
}

#[tokio::test]
async fn old_messages_go_with_their_files_and_threads() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        world.phone().await;
        let file = NewAttachment {
            name: "a.png".to_owned(),
            media: Media::named("image/png").unwrap(),
            content: b"picture".to_vec(),
        };
        let old = incoming(&world, CONTACT, "old");
        let id = old.id;
        let received = gateway.receive_with_files(user, old, vec![file], "http://localhost");
        received.await.unwrap();
        let elsewhere = incoming(&world, "+18005550177", "old elsewhere");
        gateway.receive(user, elsewhere).await.unwrap();
        let waiting = world.send("still to be sent").await;
        world.clock.advance(DAY * 4);
        gateway
            .receive(user, incoming(&world, CONTACT, "new"))
            .await
            .unwrap();
        world.clock.advance(DAY * 2);
        assert_eq!(purge(&world).await, 0, "nobody wants it");
        let days = PutRetention {
            messages_days: Some(5),
            ..PutRetention::default()
        };
        keep(&world, days).await;

        assert_eq!(purge(&world).await, 2);
        assert!(matches!(
            gateway.message(user, id).await,
            Err(Error::NotFound(_))
        ));
        let message = id.to_string();
        let file = gateway.attachment(&user.user_id, &message, "0", "a.png");
        assert!(matches!(file.await, Err(Error::NotFound(_))));
        assert_eq!(world.message(waiting.id).await.content, "still to be sent");
        assert_eq!(previews(&world).await, ["new"]);

        world.clock.advance(DAY * 5);
        assert_eq!(purge(&world).await, 1);
        let left = previews(&world).await;
        assert!(!left.contains(&"new".to_owned()), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn old_events_go_unless_a_webhook_waits_for_them() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.webhook().await;
        let days = PutRetention {
            events_days: Some(1),
            deliveries_days: Some(1),
            ..PutRetention::default()
        };
        keep(&world, days).await;
        let message = world.send("hi").await;
        world.wake().await;
        world.report(message.id, Reported::Sent).await;
        let waiting = world.told();
        assert_eq!(waiting.len(), 1);
        world.clock.advance(DAY * 2);

        assert!(purge(&world).await > 0);
        let kinds = |events: Vec<Recorded>| events.into_iter().map(|event| event.kind);
        let left: Vec<_> = kinds(world.events().await).collect();
        assert_eq!(left, [Kind::MessagePhoneSent]);
        world.settle(&waiting[0], Outcome::Delivered).await;
        // The attempt was made just now; the event is old.
        assert_eq!(purge(&world).await, 1);
        assert_eq!(kinds(world.events().await).count(), 0);
        world.clock.advance(DAY * 2);
        assert_eq!(purge(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn old_heartbeats_go() {
    on_each_engine(async |world: World| {
        world.phone().await;
        for _ in 0..3 {
            let beat = Beat {
                numbers: vec![number(OWNER)],
                charging: true,
                version: "1".to_owned(),
            };
            world.gateway.beat(&world.user, beat).await.unwrap();
            world.clock.advance(DAY);
        }
        let days = PutRetention {
            heartbeats_days: Some(2),
            ..PutRetention::default()
        };
        keep(&world, days).await;
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(purge(&world).await, 2);
    })
    .await;
}

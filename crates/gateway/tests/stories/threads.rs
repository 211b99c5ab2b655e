//! Threads: what a list of conversations shows as messages come, go and move on.

use std::time::Duration;

use gateway::event::Kind;
use gateway::message::{Between, MissedCall, Reported, SendSms, Status};
use gateway::phone::{self, Sim};
use gateway::search::Search;
use gateway::thread::{COLORS, Changes, Thread, Wanted};
use gateway::{Before, Error, Page, Time};
use serde_json::json;

use crate::support::{
    CONTACT, MINUTE, OWNER, World, between, incoming, number, on_each_engine, sms,
};

const ALL: i64 = 100;

async fn listed(world: &World, is_archived: bool, query: &str) -> Vec<Thread> {
    let page = Page {
        skip: 0,
        limit: ALL,
        query: query.to_owned(),
    };
    let wanted = Wanted {
        owner: Some(OWNER.to_owned()),
        is_archived,
        ..Wanted::default()
    };
    let threads = world.gateway.threads(&world.user, wanted, page).await;
    threads.unwrap()
}

/// The one thread that is not archived.
async fn thread(world: &World) -> Thread {
    let mut threads = listed(world, false, "").await;
    assert_eq!(threads.len(), 1);
    threads.pop().unwrap()
}

async fn update(world: &World, changes: Changes) -> Thread {
    let id = match listed(world, false, "").await.pop() {
        Some(thread) => thread.id,
        None => listed(world, true, "").await.pop().unwrap().id,
    };
    world
        .gateway
        .update_thread(&world.user, id, changes)
        .await
        .unwrap()
}

async fn receive_at(world: &World, content: &str, at: Time) -> gateway::Uuid {
    let mut sms = incoming(world, CONTACT, content);
    sms.timestamp = at;
    world.gateway.receive(&world.user, sms).await.unwrap().id
}

#[tokio::test]
async fn a_thread_follows_its_message() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let id = world.send("hi there").await.id;
        let made = thread(&world).await;
        assert_eq!((made.status, made.last_message_id), (Status::Scheduled, id));
        assert!(COLORS.contains(&made.color.as_str()));
        assert!(made.is_read && !made.is_archived);
        assert_eq!(
            serde_json::to_value(&made).unwrap(),
            json!({
                "id": made.id, "owner": OWNER, "contact": CONTACT, "is_archived": false,
                "is_read": true, "user_id": world.user.user_id, "color": made.color,
                "status": "scheduled", "last_message_content": "hi there", "last_message_id": id,
                "created_at": world.now(), "updated_at": world.now(),
                "order_timestamp": world.now(),
            })
        );
        world.wake().await;
        world.gateway.claim(&world.user, id).await.unwrap();
        assert_eq!(thread(&world).await.status, Status::Sending);
        world.pass(MINUTE).await;
        world.report(id, Reported::Sent).await;
        assert_eq!(thread(&world).await.status, Status::Sent);
        world.report(id, Reported::Delivered).await;
        world.report(id, Reported::Sent).await;
        world.report(id, Reported::Failed).await;
        let delivered = thread(&world).await;
        assert_eq!(delivered.status, Status::Delivered, "it is not downgraded");
        assert_eq!(delivered.order_timestamp, world.now());
        assert_eq!((delivered.id, delivered.color), (made.id, made.color));
    })
    .await;
}

#[tokio::test]
async fn a_late_event_of_an_older_message_changes_no_preview() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let first = world.send("first").await.id;
        world.report(first, Reported::Sent).await;
        world.pass(MINUTE).await;
        let second = world.send("second").await.id;
        world.pass(MINUTE).await;
        world.report(first, Reported::Delivered).await;
        let shown = thread(&world).await;
        assert_eq!(
            (shown.last_message_id, shown.status),
            (second, Status::Scheduled)
        );

        let hour_ago = Time::from_micros(world.now().micros() - 3_600_000_000);
        receive_at(&world, "was in the tunnel", hour_ago).await;
        let shown = thread(&world).await;
        assert_eq!(
            shown.last_message_id, second,
            "what comes late is not shown"
        );
        assert!(!shown.is_read, "but it is new to whoever reads");
        assert!(shown.order_timestamp > hour_ago);

        let tomorrow = world.now() + MINUTE * 1440;
        receive_at(&world, "by a wrong clock", tomorrow).await;
        assert_eq!(
            thread(&world).await.last_message_content,
            "by a wrong clock"
        );
        assert!(thread(&world).await.order_timestamp <= world.now());
        world.pass(MINUTE).await;
        world.send("third").await;
        assert_eq!(thread(&world).await.last_message_content, "third");
    })
    .await;
}

#[tokio::test]
async fn what_comes_in_is_unread_until_it_is_read() {
    on_each_engine(async |world: World| {
        world.phone().await;
        receive_at(&world, "hello", world.now()).await;
        assert!(!thread(&world).await.is_read);
        let read = Changes {
            is_read: Some(true),
            ..Changes::default()
        };
        assert!(update(&world, read).await.is_read);
        world.pass(MINUTE).await;
        world.send("answer").await;
        assert!(
            thread(&world).await.is_read,
            "what goes out changes nothing about it"
        );
        let call = MissedCall {
            to: number(OWNER),
            from: CONTACT.to_owned(),
            sim: Sim::Sim1,
            timestamp: world.now(),
        };
        world.gateway.miss_call(&world.user, call).await.unwrap();
        let called = thread(&world).await;
        assert_eq!(called.last_message_content, "Missed phone call");
        assert_eq!((called.is_read, called.status), (false, Status::Received));

        let nothing = world
            .gateway
            .update_thread(&world.user, called.id, Changes::default())
            .await;
        assert!(matches!(nothing, Err(Error::Invalid(_))));
        let unknown = world
            .gateway
            .update_thread(&world.user, gateway::Uuid::nil(), read)
            .await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn an_archived_thread_comes_back_only_if_its_phone_wants_that() {
    on_each_engine(async |world: World| {
        world.phone().await;
        receive_at(&world, "one", world.now()).await;
        let archived = Changes {
            is_archived: Some(true),
            ..Changes::default()
        };
        update(&world, archived).await;
        receive_at(&world, "two", world.now()).await;
        assert!(listed(&world, false, "").await.is_empty());
        assert_eq!(
            listed(&world, true, "").await[0].last_message_content,
            "two"
        );

        world
            .phone_with(phone::Changes {
                unarchive_thread: Some(true),
                ..phone::Changes::default()
            })
            .await;
        world.send("going out").await;
        assert!(listed(&world, false, "").await.is_empty());
        receive_at(&world, "three", world.now()).await;
        assert_eq!(thread(&world).await.last_message_content, "three");
    })
    .await;
}

#[tokio::test]
async fn a_message_for_later_has_no_thread_until_its_time() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let later = SendSms {
            send_at: Some(world.now() + MINUTE * 60),
            ..sms("later")
        };
        let later = world.gateway.send(&world.user, later).await.unwrap().id;
        assert!(listed(&world, false, "").await.is_empty());
        world.pass(MINUTE * 30).await;
        let now = world.send("now").await.id;
        world.pass(Duration::ZERO).await;
        assert_eq!(thread(&world).await.last_message_id, now);
        world
            .gateway
            .delete_message(&world.user, now)
            .await
            .unwrap();
        assert!(
            listed(&world, false, "").await.is_empty(),
            "what is to come is not in it yet"
        );
        world.pass(MINUTE * 30).await;
        let released = thread(&world).await;
        assert_eq!(
            (released.last_message_id, released.order_timestamp),
            (later, world.now())
        );
    })
    .await;
}

#[tokio::test]
async fn a_deleted_message_gives_its_place_to_the_one_before() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let call = MissedCall {
            to: number(OWNER),
            from: CONTACT.to_owned(),
            sim: Sim::Sim1,
            timestamp: world.now(),
        };
        let call = world.gateway.miss_call(&world.user, call).await.unwrap().id;
        world.pass(MINUTE).await;
        let first = world.send("first").await.id;
        world.pass(MINUTE).await;
        let second = world.send("second").await.id;
        let delete = async |id| world.gateway.delete_message(&world.user, id).await.unwrap();
        delete(second).await;
        assert_eq!(thread(&world).await.last_message_id, first);
        world.report(first, Reported::Sent).await;
        assert_eq!(
            thread(&world).await.status,
            Status::Sent,
            "it follows the one it shows"
        );
        delete(first).await;
        let shown = thread(&world).await;
        assert_eq!(
            (shown.last_message_id, shown.status),
            (call, Status::Received)
        );
        assert_eq!(shown.last_message_content, "Missed phone call");
        delete(call).await;
        assert!(listed(&world, false, "").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_thread_goes_with_all_its_messages() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        for n in 0..620 {
            receive_at(&world, &format!("number {n}"), world.now()).await;
        }
        let queued = world.send("never leaves").await.id;
        let kept = world
            .gateway
            .receive(&world.user, incoming(&world, "+18005550111", "another"))
            .await
            .unwrap();
        let found = listed(&world, false, "NEVER").await.pop().unwrap();
        world
            .gateway
            .delete_thread(&world.user, found.id)
            .await
            .unwrap();

        assert_eq!(thread(&world).await.last_message_id, kept.id);
        let page = Page {
            limit: -1,
            ..Page::default()
        };
        let rest = world
            .gateway
            .messages(&world.user, between(), page)
            .await
            .unwrap();
        assert!(rest.is_empty());
        assert_eq!(world.wake().await, 1, "told before it was deleted");
        assert!(world.gateway.claim(&world.user, queued).await.is_err());
        assert_eq!(
            world.payload(Kind::MessageThreadApiDeleted).await,
            json!({
                "message_thread_id": found.id, "user_id": world.user.user_id, "owner": OWNER,
                "contact": CONTACT, "is_archived": false, "color": found.color,
                "status": "scheduled", "timestamp": world.now(),
            })
        );
        let again = world.gateway.delete_thread(&world.user, found.id).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_whole_however_its_messages_came() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let mut came = Vec::new();
        for content in ["one", "two", "three"] {
            came.push(receive_at(&world, content, world.now()).await);
            world.pass(MINUTE).await;
        }
        world.forget_thread_numbers().await;
        let later = SendSms {
            send_at: Some(world.now() + MINUTE),
            ..sms("four")
        };
        came.push(world.gateway.send(&world.user, later).await.unwrap().id);
        world.pass(MINUTE).await;
        world.pass(MINUTE).await;
        came.push(receive_at(&world, "five", world.now()).await);
        world
            .gateway
            .receive(&world.user, incoming(&world, "+18005550111", "another"))
            .await
            .unwrap();
        came.reverse();

        let listed_by = async |skip, limit, query: &str, before| -> Vec<gateway::Uuid> {
            let page = Page {
                skip,
                limit,
                query: query.to_owned(),
            };
            let pair = Between {
                before,
                ..between()
            };
            let found = world.gateway.messages(&world.user, pair, page).await;
            found.unwrap().iter().map(|message| message.id).collect()
        };
        assert_eq!(listed_by(0, ALL, "", None).await, came);
        assert_eq!(listed_by(1, 3, "", None).await, came[1..4]);
        assert_eq!(listed_by(3, 3, "", None).await, came[3..]);
        assert_eq!(listed_by(2, -1, "", None).await, came[2..]);
        assert_eq!(
            listed_by(0, ALL, "O", None).await,
            [came[1], came[3], came[4]]
        );
        let second = world.message(came[1]).await;
        let before = Before {
            time: second.order_timestamp,
            id: Some(second.id),
        };
        assert_eq!(listed_by(0, ALL, "", Some(before)).await, came[2..]);
        let search = Search {
            owners: vec![OWNER.to_owned()],
            page: Page {
                limit: ALL,
                ..Page::default()
            },
            ..Search::default()
        };
        assert_eq!(
            world
                .gateway
                .search(&world.user, search)
                .await
                .unwrap()
                .len(),
            6
        );

        let shown = async || listed(&world, false, CONTACT).await.pop().unwrap();
        for id in &came[..3] {
            assert_eq!(shown().await.last_message_id, *id);
            world
                .gateway
                .delete_message(&world.user, *id)
                .await
                .unwrap();
        }
        assert_eq!(shown().await.last_message_id, came[3]);
        receive_at(&world, "six", world.now()).await;
        let id = shown().await.id;
        world.gateway.delete_thread(&world.user, id).await.unwrap();
        assert!(listed_by(0, ALL, "", None).await.is_empty());
        assert_eq!(thread(&world).await.last_message_content, "another");
    })
    .await;
}

#[tokio::test]
async fn first_messages_at_once_make_one_thread() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let mut arriving = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (gateway, user) = (world.gateway.clone(), world.user.clone());
            let sms = incoming(&world, CONTACT, &format!("number {n}"));
            arriving.spawn(async move { gateway.receive(&user, sms).await.unwrap() });
        }
        arriving.join_all().await;
        let found = thread(&world).await;
        assert!(found.last_message_content.starts_with("number "));
        assert!(listed(&world, false, "nothing like it").await.is_empty());
        assert_eq!(listed(&world, false, CONTACT).await.len(), 1);
    })
    .await;
}

//! Bulk sends that are held back, go on, are cancelled, and sent again in part.

use std::time::Duration;

use gateway::bulk::{BulkMessage, State, Upload};
use gateway::delivery::{Delivery, PushPlan};
use gateway::message::{Awaited, Message, Reported, Status};
use gateway::phone::Changes;
use gateway::{Error, Gateway, Page};

use crate::support::{CONTACT, MINUTE, OWNER, World, on_each_engine};

const RATE: Duration = Duration::from_secs(10);

/// A file of so many messages on its way, at one each ten seconds.
async fn sent(world: &World, count: usize) -> String {
    world
        .phone_with(Changes {
            messages_per_minute: Some(6),
            ..Changes::default()
        })
        .await;
    let rows: Vec<_> = (0..count)
        .map(|at| format!("{OWNER},{CONTACT},m{at}"))
        .collect();
    let rows = rows.join("\n");
    let file = Upload {
        name: "a.csv".to_owned(),
        content: format!("FromPhoneNumber,ToPhoneNumber,Content\n{rows}").into_bytes(),
        ..Upload::default()
    };
    let sent = world.gateway.send_file(&world.user, file).await.unwrap();
    assert_eq!(sent.count, count);
    sent.request_id
}

async fn shown(world: &World, id: &str) -> (BulkMessage, Vec<Message>) {
    let all = Page {
        limit: -1,
        ..Page::default()
    };
    let found = world
        .gateway
        .bulk_message(&world.user, id.to_owned(), None, all)
        .await
        .unwrap();
    (found.bulk, found.messages)
}

#[tokio::test]
async fn what_is_paused_waits_and_goes_on_in_order_at_the_rate() {
    on_each_engine(async |world: World| {
        let id = sent(&world, 5).await;
        world.pass(RATE).await;
        let (gateway, user) = (&world.gateway, &world.user);
        gateway
            .claim(user, shown(&world, &id).await.1[0].id)
            .await
            .unwrap();
        let paused = gateway.pause_bulk(user, id.clone()).await.unwrap();
        assert_eq!((paused.status, paused.paused_count), (State::Paused, 4));
        assert_eq!(gateway.pause_bulk(user, id.clone()).await.unwrap(), paused);
        world.pass(MINUTE * 60).await;
        let (bulk, messages) = shown(&world, &id).await;
        // The phone did not report the first: it is not tried again before the rest goes on.
        let statuses: Vec<_> = messages.iter().map(|sms| sms.status).collect();
        let [waiting, slot] = [Status::Pending, Status::Scheduled];
        assert_eq!(statuses, [Status::Expired, slot, waiting, waiting, waiting]);
        for message in &messages {
            let told = gateway.timeline(user, message.id).await.unwrap();
            let code = told.waiting_for.map(|waiting| waiting.code);
            assert_eq!(code, Some(Awaited::Resume), "{}", message.content);
        }
        assert_eq!(bulk.status, State::Paused);

        let begin = world.now();
        let resumed = gateway.resume_bulk(user, id.clone()).await.unwrap();
        assert_eq!((resumed.status, resumed.paused_count), (State::Running, 0));
        gateway.resume_bulk(user, id.clone()).await.unwrap();
        for _ in 0..6 {
            world.pass(RATE).await;
        }
        let (_, messages) = shown(&world, &id).await;
        let mut slots: Vec<_> = messages
            .iter()
            .map(|sms| sms.scheduled_at.unwrap().since(begin).as_secs())
            .collect();
        assert!(slots[1..].is_sorted(), "{slots:?}");
        slots.sort_unstable();
        assert_eq!(slots, [0, 10, 20, 30, 40]);
    })
    .await;
}

async fn is_dropped(gateway: &Gateway, wake_up: &Delivery) -> bool {
    let plan = gateway.plan_push(wake_up).await.unwrap();
    matches!(plan, PushPlan::Drop)
}

#[tokio::test]
async fn a_wake_up_that_was_planned_does_not_leave_a_paused_send() {
    on_each_engine(async |mut world: World| {
        let id = sent(&world, 1).await;
        let mut wake_ups = world.told();
        let (gateway, user) = (world.gateway.clone(), world.user.clone());
        assert!(!is_dropped(&gateway, &wake_ups[0]).await);
        gateway.pause_bulk(&user, id.clone()).await.unwrap();
        gateway.resume_bulk(&user, id.clone()).await.unwrap();
        wake_ups.extend(world.told());
        world.clock.advance(RATE);
        assert!(
            is_dropped(&gateway, &wake_ups[0]).await && !is_dropped(&gateway, &wake_ups[1]).await
        );
        gateway.pause_bulk(&user, id).await.unwrap();
        assert!(is_dropped(&gateway, &wake_ups[1]).await);
    })
    .await;
}

#[tokio::test]
async fn cancelling_leaves_what_the_phone_has() {
    on_each_engine(async |world: World| {
        let id = sent(&world, 600).await;
        let (gateway, user) = (&world.gateway, &world.user);
        let first = shown(&world, &id).await.1[0].id;
        gateway.claim(user, first).await.unwrap();
        gateway.pause_bulk(user, id.clone()).await.unwrap();
        let cancelled = gateway.cancel_bulk(user, id.clone()).await.unwrap();
        assert_eq!(
            (cancelled.cancelled_count, cancelled.sending_count),
            (599, 1)
        );
        assert_eq!(cancelled.status, State::Running);
        assert_eq!(
            gateway.cancel_bulk(user, id.clone()).await.unwrap(),
            cancelled
        );
        world.report(first, Reported::Sent).await;
        let (bulk, _) = shown(&world, &id).await;
        assert_eq!((bulk.status, bulk.sent_count), (State::Finished, 1));
        for refused in [
            gateway.pause_bulk(user, id.clone()).await.err(),
            gateway.resume_bulk(user, id.clone()).await.err(),
            gateway.retry_bulk(user, id.clone()).await.err(),
        ] {
            assert!(matches!(refused, Some(Error::Conflict(_))), "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_sent_again_once() {
    on_each_engine(async |world: World| {
        let id = sent(&world, 4).await;
        let (gateway, user) = (&world.gateway, &world.user);
        let (_, messages) = shown(&world, &id).await;
        for message in &messages[..3] {
            gateway.claim(user, message.id).await.unwrap();
        }
        world.report(messages[0].id, Reported::Failed).await;
        world.report(messages[1].id, Reported::Sent).await;
        gateway.cancel_message(user, messages[3].id).await.unwrap();
        world.clock.advance(MINUTE);
        let again = gateway.retry_bulk(user, id.clone()).await.unwrap();
        assert_eq!(again.count, 1);
        assert!(again.request_id != id && again.request_id.ends_with("-a.csv"));
        let (bulk, copies) = shown(&world, &again.request_id).await;
        assert_eq!((bulk.total, copies[0].content.as_str()), (1, "m0"));
        assert!(matches!(
            gateway.retry_bulk(user, id.clone()).await,
            Err(Error::Conflict(_))
        ));
        assert_eq!(shown(&world, &id).await.0.total, 4);
        let unknown = gateway.retry_bulk(user, "bulk-x".to_owned()).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn a_paused_or_cancelled_bulk_send_gives_its_slots_back() {
    on_each_engine(async |mut world: World| {
        let id = sent(&world, 4).await;
        world
            .phone_with(Changes {
                limit_per_hour: Some(Some(1)),
                ..Changes::default()
            })
            .await;
        let (gateway, user) = (world.gateway.clone(), world.user.clone());
        world.pass(RATE).await;
        world.wake().await;
        world.pass(MINUTE).await;
        let (begin, hour) = (world.now(), MINUTE * 60);
        let slots = shown(&world, &id).await.1;
        assert!(slots[3].scheduled_at > Some(begin + hour), "an hour apart");
        gateway.pause_bulk(&user, id.clone()).await.unwrap();
        let other = world.send("other").await.id;
        let first = world.message(other).await.scheduled_at.unwrap();
        assert!(first <= begin + hour, "{first}");
        gateway.resume_bulk(&user, id.clone()).await.unwrap();
        world.pass(MINUTE).await;
        let last = shown(&world, &id).await.1[3].scheduled_at.unwrap();
        assert!(last >= first + hour, "after the other: {last}");
        gateway.cancel_bulk(&user, id).await.unwrap();
        let other = world.send("another").await.id;
        let second = world.message(other).await.scheduled_at.unwrap();
        assert_eq!(second, first + hour);
    })
    .await;
}

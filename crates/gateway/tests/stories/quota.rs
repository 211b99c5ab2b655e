//! The operator's quota: what counts, what is refused, and that nobody gets past it.

use std::time::Duration;

use gateway::Error;
use gateway::bulk::Upload;
use gateway::message::{BulkSms, Message, Reported, SendSms};
use gateway::phone::Sim;
use tokio::task::JoinSet;

use crate::support::{CONTACT, MINUTE, OWNER, World, incoming, number, on_each_engine, sms};

const DAY: Duration = Duration::from_hours(24);
const SECOND: &str = "+18005550198";

async fn with_quota(world: World, quota: i64) -> World {
    let set = |settings: &mut gateway::Settings| settings.message_quota = Some(quota);
    let world = world.restarted_with(set).await;
    world.phone().await;
    world
}

fn bulk(count: usize) -> BulkSms {
    BulkSms {
        from: number(OWNER),
        to: vec![CONTACT.to_owned(); count],
        content: "hi".to_owned(),
        attachments: Vec::new(),
        encrypted: false,
        request_id: None,
    }
}

fn file(rows: usize) -> Upload {
    let header = "FromPhoneNumber,ToPhoneNumber,Content\n";
    let row = format!("{OWNER},{CONTACT},hi\n");
    Upload {
        name: "list.csv".to_owned(),
        content_type: "text/csv".to_owned(),
        content: format!("{header}{}", row.repeat(rows)).into_bytes(),
        ..Upload::default()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(quota: i64, done: Result<T, Error>) {
    let words = format!(
        "You have exceeded your limit of [{quota}] messages on your [free] plan. Upgrade to send more messages on https://httpsms.com/billing"
    );
    match done {
        Err(Error::Limit(why)) => assert_eq!(why, words),
        other => panic!("{other:?}"),
    }
}

async fn messages(world: &World) -> Vec<Message> {
    let all = gateway::Page {
        limit: -1,
        ..gateway::Page::default()
    };
    let found = world
        .gateway
        .messages(&world.user, crate::support::between(), all);
    found.await.unwrap()
}

async fn receive(world: &World) {
    let sms = incoming(world, CONTACT, "hello");
    world.gateway.receive(&world.user, sms).await.unwrap();
}

#[tokio::test]
async fn sending_ends_at_the_quota_and_receiving_does_not() {
    on_each_engine(async |world: World| {
        let world = with_quota(world, 6).await;
        let (gateway, user) = (&world.gateway, &world.user);
        receive(&world).await;
        let first = world.send("one").await.id;
        gateway.send_bulk(user, bulk(2)).await.unwrap();
        gateway.send_file(user, file(1)).await.unwrap();
        assert_eq!(messages(&world).await.len(), 5);
        let usage = gateway.usage(user).await.unwrap();
        assert_eq!(usage.message_quota, Some(6));

        refused(6, gateway.send_bulk(user, bulk(2)).await);
        refused(6, gateway.send_file(user, file(2)).await);
        refused(6, gateway.resend_messages(user, vec![first, first]).await);
        assert_eq!(messages(&world).await.len(), 5, "all or none");
        gateway.resend_messages(user, vec![first]).await.unwrap();
        refused(6, gateway.send(user, sms("seven")).await);
        receive(&world).await;
        assert_eq!(messages(&world).await.len(), 7);
        refused(6, gateway.send(user, sms("eight")).await);

        world.pass(DAY * 31).await;
        gateway.send(user, sms("next month")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_later_counts_until_it_is_cancelled() {
    on_each_engine(async |world: World| {
        let world = with_quota(world, 1).await;
        let later = SendSms {
            send_at: Some(world.now() + DAY),
            ..sms("later")
        };
        let waiting = world
            .gateway
            .send(&world.user, later.clone())
            .await
            .unwrap();
        refused(1, world.gateway.send(&world.user, sms("now")).await);
        let cancelled = world.gateway.cancel_message(&world.user, waiting.id).await;
        cancelled.unwrap();
        world.gateway.send(&world.user, later).await.unwrap();
        world.pass(DAY).await;
        refused(1, world.gateway.send(&world.user, sms("released")).await);
    })
    .await;
}

#[tokio::test]
async fn failures_of_a_bulk_send_are_sent_again_within_the_quota() {
    on_each_engine(async |world: World| {
        let world = with_quota(world, 3).await;
        let (gateway, user) = (&world.gateway, &world.user);
        let sent = gateway.send_file(user, file(2)).await.unwrap();
        world.pass(MINUTE).await;
        for message in messages(&world).await {
            world.report(message.id, Reported::Failed).await;
        }
        let id = sent.request_id;
        refused(3, gateway.retry_bulk(user, id.clone()).await);
        let roomy = world
            .restarted_with(|settings| settings.message_quota = Some(4))
            .await;
        let again = roomy.gateway.retry_bulk(&roomy.user, id).await.unwrap();
        assert_eq!(again.count, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_past_the_quota_with_others() {
    on_each_engine(async |world: World| {
        let world = with_quota(world, 10).await;
        let token = "stream:second".to_owned();
        let signed_in = world
            .gateway
            .sign_in_phone(&world.user, number(SECOND), token, Sim::Sim1);
        signed_in.await.unwrap();
        let mut tasks = JoinSet::new();
        for sender in 0..24 {
            let (gateway, user) = (world.gateway.clone(), world.user.clone());
            let from = number([OWNER, SECOND][sender % 2]);
            let later = (sender % 3 == 0).then(|| world.now() + DAY);
            let sms = SendSms {
                from,
                send_at: later,
                ..sms("race")
            };
            tasks.spawn(async move {
                match gateway.send(&user, sms).await {
                    Ok(_) => true,
                    Err(Error::Limit(_)) => false,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let sent = tasks
            .join_all()
            .await
            .into_iter()
            .filter(|sent| *sent)
            .count();
        assert_eq!(sent, 10);
    })
    .await;
}

#[tokio::test]
async fn the_owner_is_mailed_before_and_when_it_is_spent() {
    on_each_engine(async |world: World| {
        let mut world = with_quota(world, 20).await;
        let subjects = async |world: &mut World| -> Vec<String> {
            let mails = world.mails().await;
            mails.into_iter().map(|mail| mail.subject).collect()
        };
        let send = async |world: &World, count| {
            world.gateway.send_bulk(&world.user, bulk(count)).await
        };
        send(&world, 15).await.unwrap();
        assert!(subjects(&mut world).await.is_empty());
        send(&world, 1).await.unwrap();
        send(&world, 1).await.unwrap();
        assert_eq!(subjects(&mut world).await, ["80% of your messages are used"]);
        receive(&world).await;
        send(&world, 2).await.unwrap();
        assert_eq!(subjects(&mut world).await, ["95% of your messages are used"]);

        refused(20, send(&world, 1).await);
        refused(20, send(&world, 1).await);
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].subject, "Your limit of messages is reached");
        let facts = "Limit: 20\nPlan: free\nFrom: 2026-03-02T00:00:00Z\nUntil: 2026-04-01T23:59:59Z\nSent: 19\nReceived: 1\nTotal: 20";
        assert!(mails[0].text.contains(facts), "{}", mails[0].text);
        world.clock.advance(Duration::from_hours(12));
        refused(20, send(&world, 1).await);
        assert_eq!(world.mails().await.len(), 1);
    })
    .await;
}

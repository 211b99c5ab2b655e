//! The life of an outgoing message, from the request to the last report.

use std::time::Duration;

use gateway::Error;
use gateway::delivery::Outcome;
use gateway::event::Kind;
use gateway::message::{BulkSms, Reported, SendSms, Status};
use gateway::phone::Changes;
use serde_json::json;

use crate::support::{MINUTE, OWNER, World, between, number, on_each_engine, sms};

#[tokio::test]
async fn a_message_is_sent_and_delivered() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let accepted = world.send("hi").await;
        assert_eq!(accepted.status, Status::Pending, "the answer shows what was accepted");
        assert_eq!(accepted.scheduled_at, None);
        assert_eq!(world.message(accepted.id).await.status, Status::Scheduled);

        assert_eq!(world.wake().await, 1);
        let woken = world.message(accepted.id).await;
        assert_eq!((woken.status, woken.send_attempt_count), (Status::Scheduled, 1));
        let offered = world.gateway.notifications(&world.user, Vec::new(), Duration::ZERO).await;
        assert_eq!(offered.unwrap().unwrap().len(), 1);

        let claimed = world.gateway.claim(&world.user, accepted.id).await.unwrap();
        assert_eq!(claimed.status, Status::Sending);
        assert_eq!(claimed.last_attempted_at, Some(world.now()));
        let again = world.gateway.claim(&world.user, accepted.id).await;
        assert!(matches!(again, Err(Error::NotFound(text)) if text.starts_with("Cannot find outstanding message")));
        let offered = world.gateway.notifications(&world.user, Vec::new(), Duration::ZERO).await;
        assert!(offered.unwrap().is_none(), "the claim takes the wake-up out of the mailbox");

        world.pass(Duration::from_secs(3)).await;
        let sent = world.report(accepted.id, Reported::Sent).await;
        assert_eq!((sent.status, sent.send_time), (Status::Sent, Some(3_000_000_000)));
        let delivered = world.report(accepted.id, Reported::Delivered).await;
        assert_eq!(delivered.status, Status::Delivered);
        assert_eq!(delivered.send_time, Some(3_000_000_000));
        assert_eq!(
            world.types().await,
            [
                "message.api.sent",
                "message.notification.scheduled",
                "message.notification.sent",
                "message.phone.sending",
                "message.phone.sent",
                "message.phone.delivered",
            ]
        );

        world.pass(MINUTE * 30).await;
        assert_eq!(world.message(accepted.id).await.status, Status::Delivered, "its timer is gone");
    })
    .await;
}

#[tokio::test]
async fn a_repeated_report_changes_and_emits_nothing() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        world.report(id, Reported::Sent).await;
        let before = (world.message(id).await.updated_at, world.types().await);
        world.pass(MINUTE).await;
        world.report(id, Reported::Sent).await;
        assert_eq!(
            (world.message(id).await.updated_at, world.types().await),
            before
        );
        world.report(id, Reported::Delivered).await;
        world.report(id, Reported::Failed).await;
        world.report(id, Reported::Sent).await;
        assert_eq!(world.message(id).await.status, Status::Delivered);
        assert_eq!(world.types().await.last(), Some(&"message.phone.delivered"));
    })
    .await;
}

#[tokio::test]
async fn a_failure_keeps_its_reason() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        let failed = world.report(id, Reported::Failed).await;
        assert_eq!(failed.failure_reason.as_deref(), Some("UNKNOWN ERROR"));
        assert_eq!(
            world.payload(Kind::MessageSendFailed).await["error_message"],
            "UNKNOWN ERROR"
        );
        assert_eq!(
            world.report(id, Reported::Sent).await.status,
            Status::Failed
        );
    })
    .await;
}

#[tokio::test]
async fn a_silent_phone_is_woken_again_until_its_attempts_are_spent() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        assert_eq!(world.wake().await, 1);
        world.pass(MINUTE * 10).await;
        let message = world.message(id).await;
        assert_eq!(
            (message.status, message.send_attempt_count),
            (Status::Scheduled, 1)
        );
        assert_eq!(message.expired_at, Some(world.now()));
        assert_eq!(
            world.payload(Kind::MessageSendExpired).await["is_final"],
            false
        );

        assert_eq!(world.wake().await, 1, "the retry wakes it again");
        world.pass(MINUTE * 10).await;
        let message = world.message(id).await;
        assert_eq!(
            (message.status, message.send_attempt_count),
            (Status::Expired, 2)
        );
        let last = world.payload(Kind::MessageSendExpired).await;
        assert_eq!(
            (&last["is_final"], &last["send_attempt_count"]),
            (&json!(true), &json!(2))
        );
        let told = world.told();
        assert!(
            told.iter().all(|told| told.message_id != Some(id)),
            "no third time"
        );

        world.pass(MINUTE * 60).await;
        assert_eq!(
            world.gateway.claim(&world.user, id).await.unwrap().status,
            Status::Sending
        );
        assert_eq!(
            world.report(id, Reported::Sent).await.status,
            Status::Sent,
            "late is not too late"
        );
    })
    .await;
}

#[tokio::test]
async fn an_expiry_is_found_after_a_restart() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        world.wake().await;
        let world = world.restarted().await;
        world.pass(MINUTE * 11).await;
        assert_eq!(
            world.payload(Kind::MessageSendExpired).await["message_id"],
            json!(id)
        );
    })
    .await;
}

#[tokio::test]
async fn a_message_for_later_waits_without_a_slot() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let later = world.now() + MINUTE * 90;
        let request = SendSms {
            send_at: Some(later),
            ..sms("later")
        };
        let id = world.gateway.send(&world.user, request).await.unwrap().id;
        let waiting = world.message(id).await;
        assert_eq!(
            (waiting.status, waiting.scheduled_at),
            (Status::Pending, None)
        );
        // Who follows the events hears of it at once.
        assert_eq!(world.types().await, ["message.api.scheduled"]);
        let accepted = world.payload(Kind::MessageApiScheduled).await;
        assert_eq!(accepted["message_id"], json!(id));
        assert_eq!(accepted["exact_send_time"], true);

        let mut world = world.restarted().await;
        world.pass(MINUTE * 89).await;
        assert_eq!(world.message(id).await.status, Status::Pending);
        world.pass(MINUTE).await;
        let due = world.message(id).await;
        assert_eq!(due.status, Status::Scheduled);
        assert!(
            world
                .told()
                .iter()
                .any(|told| told.message_id == Some(id) && told.exact)
        );
        assert_eq!(
            world.payload(Kind::MessageApiSent).await["exact_send_time"],
            true
        );
    })
    .await;
}

#[tokio::test]
async fn a_deleted_message_is_never_pushed() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let (first, second) = (world.send("one").await, world.send("two").await);
        world
            .gateway
            .delete_message(&world.user, second.id)
            .await
            .unwrap();
        let deleted = world.payload(Kind::MessageApiDeleted).await;
        assert_eq!(deleted["previous_message_id"], json!(first.id));
        assert_eq!(world.wake().await, 2, "the courier may still hold it");
        let offered = world
            .gateway
            .notifications(&world.user, Vec::new(), Duration::ZERO)
            .await;
        assert_eq!(
            offered.unwrap().unwrap().len(),
            1,
            "but it reaches no mailbox"
        );
        let gone = world.gateway.message(&world.user, second.id).await;
        assert!(matches!(gone, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn a_refused_push_fails_the_message() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        let push = world.told().remove(0);
        let error = "the token is dead".to_owned();
        world
            .settle(
                &push,
                Outcome::Dead {
                    status: Some(404),
                    error,
                },
            )
            .await;
        let failed = world.message(id).await;
        assert_eq!(failed.status, Status::Failed);
        assert_eq!(failed.failure_reason.as_deref(), Some("the token is dead"));
        assert_eq!(failed.send_attempt_count, 0);
        let types = world.types().await;
        assert_eq!(
            types[types.len() - 2..],
            ["message.send.failed", "message.notification.failed"]
        );
    })
    .await;
}

#[tokio::test]
async fn bulk_is_released_at_the_phones_rate_and_lets_others_pass() {
    on_each_engine(async |world: World| {
        world
            .phone_with(Changes {
                messages_per_minute: Some(60),
                ..Changes::default()
            })
            .await;
        let bulk = BulkSms {
            from: number(OWNER),
            to: (0..10).map(|n| format!("+1800555010{n}")).collect(),
            content: "to all".to_owned(),
            attachments: Vec::new(),
            encrypted: false,
            request_id: Some("campaign".to_owned()),
        };
        let all = world.gateway.send_bulk(&world.user, bulk).await.unwrap();
        let contacts: Vec<_> = all.iter().map(|message| message.contact.as_str()).collect();
        assert_eq!(contacts[..2], ["+18005550100", "+18005550101"]);
        for _ in 0..2 {
            world.pass(Duration::from_secs(1)).await;
        }
        let single = world.send("one-time code").await;
        let slot = world.message(single.id).await.scheduled_at.unwrap();
        assert!(
            slot <= world.now() + Duration::from_secs(1),
            "it does not wait for the campaign"
        );
        for _ in 0..10 {
            world.pass(Duration::from_secs(1)).await;
        }
        let last = world.message(all[9].id).await;
        assert_eq!(last.status, Status::Scheduled);
    })
    .await;
}

#[tokio::test]
async fn nobody_sends_from_a_strange_number() {
    on_each_engine(async |world: World| {
        let refused = world.gateway.send(&world.user, sms("hi")).await;
        let Err(Error::Invalid(fields)) = refused else { panic!("accepted") };
        let wrong = serde_json::to_value(fields).unwrap();
        assert_eq!(wrong["from"][0], format!("no phone found with with 'from' number [{OWNER}]. install the android app on your phone to start sending messages"));
        assert_eq!(wrong["from"].as_array().unwrap().len(), 2);
        let page = gateway::Page { limit: -1, ..gateway::Page::default() };
        let stored = world.gateway.messages(&world.user, between(), page).await;
        assert!(stored.unwrap().is_empty());
    })
    .await;
}

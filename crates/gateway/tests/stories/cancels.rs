//! Cancelled messages: failed at once, unless a phone has them.

use gateway::event::Kind;
use gateway::message::Status;
use gateway::{Error, Uuid};

use crate::support::{MINUTE, World, on_each_engine, sms};

#[tokio::test]
async fn a_waiting_message_is_cancelled() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let mut later = sms("later");
        later.send_at = Some(world.now() + MINUTE * 60);
        let (gateway, user) = (world.gateway.clone(), world.user.clone());
        let later = gateway.send(&user, later).await.unwrap();
        let soon = world.send("soon").await;
        for message in [later.id, soon.id] {
            let cancelled = gateway.cancel_message(&user, message).await.unwrap();
            assert_eq!(cancelled.status, Status::Failed);
            let reason = "cancelled by the client";
            assert_eq!(cancelled.failure_reason.as_deref(), Some(reason));
            let told = world.payload(Kind::MessageSendFailed).await;
            assert_eq!(told["id"], message.to_string());
            assert_eq!(told["error_message"], reason);
        }
        // Nobody is woken, now or later.
        assert!(world.load().await.is_empty());
        world.pass(MINUTE * 120).await;
        world.wake().await;
        let mailbox = gateway
            .notifications(&user, Vec::new(), std::time::Duration::ZERO)
            .await;
        assert!(mailbox.unwrap().is_none());
        assert_eq!(world.message(later.id).await.status, Status::Failed);
    })
    .await;
}

#[tokio::test]
async fn what_a_phone_has_or_what_is_over_cannot_be_cancelled() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let (gateway, user) = (&world.gateway, &world.user);
        let claimed = world.send("claimed").await.id;
        gateway.claim(user, claimed).await.unwrap();
        let twice = world.send("twice").await.id;
        gateway.cancel_message(user, twice).await.unwrap();
        for (id, status) in [(claimed, "sending"), (twice, "failed")] {
            let refused = gateway.cancel_message(user, id).await;
            let Err(Error::Conflict(text)) = refused else {
                panic!("{refused:?}")
            };
            assert!(text.contains(&format!("[{status}]")), "{text}");
        }
        let unknown = gateway.cancel_message(user, Uuid::nil()).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

//! Mails: who gets them, how often, and that a switch turns them off.

use std::time::Duration;

use gateway::delivery::Outcome;
use gateway::message::Reported;

use crate::support::{CONTACT, MINUTE, World, incoming, on_each_engine};

#[tokio::test]
async fn a_failure_is_mailed_but_not_again_at_once() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let id = world.send("lost").await.id;
        world.report(id, Reported::Failed).await;
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, "ann@example.org");
        assert!(
            mails[0].text.contains("Reason: UNKNOWN ERROR"),
            "{}",
            mails[0].text
        );
        assert!(
            mails[0].text.contains("To: +1 800-555-0100"),
            "{}",
            mails[0].text
        );
        assert!(
            world.gateway.mail(mails[0].id).await.unwrap().is_none(),
            "it has left"
        );

        let again = world.send("lost too").await.id;
        world.report(again, Reported::Failed).await;
        assert!(world.mails().await.is_empty());
        world.clock.advance(MINUTE * 15);
        let later = world.send("lost later").await.id;
        world.report(later, Reported::Failed).await;
        assert_eq!(world.mails().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_goes_offline_is_mailed() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.clock.advance(Duration::from_hours(1));
        world.pass(MINUTE).await;
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("+1 800-555-0199"));
    })
    .await;
}

#[tokio::test]
async fn each_failing_webhook_has_its_own_mail() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.webhook().await;
        world.webhook().await;
        world
            .gateway
            .receive(&world.user, incoming(&world, CONTACT, "hi"))
            .await
            .unwrap();
        for delivery in world.told() {
            let dead = Outcome::Dead {
                status: Some(503),
                error: "down".to_owned(),
            };
            world.settle(&delivery, dead).await;
        }
        let mails = world.mails().await;
        assert_eq!(mails.len(), 2);
        assert!(
            mails[0].text.contains("Status: 503\nError: down"),
            "{}",
            mails[0].text
        );
    })
    .await;
}

#[tokio::test]
async fn a_changed_key_is_always_mailed() {
    on_each_engine(async |mut world: World| {
        world.gateway.rotate_key(&world.user.user_id).await.unwrap();
        world.gateway.rotate_key(&world.user.user_id).await.unwrap();
        assert_eq!(world.mails().await.len(), 2);
    })
    .await;
}

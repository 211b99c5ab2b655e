//! Wake-ups on their way to phones, through a stand-in for the push service.

use std::time::Duration;

use courier::{Fcm as Service, Options};
use gateway::event::Kind;
use gateway::message::{Message, SendSms};
use serde_json::json;
use testkit::{Fcm, FcmAnswer};

use crate::support::{CONTACT, OWNER, SOON, World, number, on_sqlite};

fn through(fcm: &Fcm) -> Options {
    Options {
        fcm: Service::test(&fcm.endpoint()),
        ..Options::default()
    }
}

async fn send(world: &World) -> Message {
    let sms = SendSms {
        from: number(),
        to: CONTACT.to_owned(),
        content: "Your parcel is here".to_owned(),
        attachments: Vec::new(),
        encrypted: false,
        request_id: None,
        send_at: None,
    };
    world.gateway.send(&world.user, sms).await.unwrap()
}

#[tokio::test]
async fn a_phone_is_woken_for_a_message() {
    on_sqlite(
        |settings| settings.fcm = true,
        async |world: World| {
            let fcm = Fcm::start().await;
            let world = world.carrying(through(&fcm));
            world.phone("fcm-abc").await;
            let message = send(&world).await;
            let push = fcm.wait_for_message(&message.id.to_string(), SOON).await;
            assert_eq!(push.token, "fcm-abc");
            assert_eq!(push.project, "httpsms-test");
            assert_eq!(push.android, json!({"priority": "normal"}));
            assert_eq!(push.authorization, None);
            let sent = world.payload(Kind::MessageNotificationSent).await;
            assert_eq!(sent["message_id"], message.id.to_string());
            world.nothing_left().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_passing_refusal_is_tried_again_and_a_dead_token_fails_the_message() {
    on_sqlite(|settings| settings.fcm = true, async |world: World| {
        let answers = vec![FcmAnswer::Unavailable, FcmAnswer::Sent, FcmAnswer::Unregistered];
        let fcm = Fcm::answering(answers).await;
        let world = world.carrying(through(&fcm));
        world.phone("fcm-abc").await;
        send(&world).await;
        let pushes = fcm.wait_for(2, SOON).await;
        assert!(pushes[1].at - pushes[0].at >= Duration::from_secs(1));
        world.payload(Kind::MessageNotificationSent).await;

        send(&world).await;
        let failed = world.payload(Kind::MessageSendFailed).await;
        let words = format!(
            "cannot send notification to your phone [{OWNER}]. Reinstall the httpSMS app on your Android phone."
        );
        assert_eq!(failed["error_message"], words);
        world.nothing_left().await;
    })
    .await;
}

#[tokio::test]
async fn a_phone_s_rate_is_kept() {
    on_sqlite(
        |settings| settings.fcm = true,
        async |world: World| {
            let fcm = Fcm::start().await;
            let world = world.carrying(through(&fcm));
            world.phone("fcm-abc").await;
            let changes = gateway::phone::Changes {
                messages_per_minute: Some(60),
                ..Default::default()
            };
            world
                .gateway
                .put_phone(&world.user, number(), changes)
                .await
                .unwrap();
            for _ in 0..4 {
                send(&world).await;
            }
            let pushes = fcm.wait_for(4, SOON).await;
            for pair in pushes.windows(2) {
                let gap = pair[1].at - pair[0].at;
                // The clock that counts is the server's, at the start of the attempt.
                assert!(gap > Duration::from_millis(900), "{gap:?}");
                assert!(gap < Duration::from_millis(1_500), "{gap:?}");
            }
            world.nothing_left().await;
        },
    )
    .await;
}

#[tokio::test]
async fn without_a_push_service_wake_ups_wait_in_the_mailbox() {
    on_sqlite(
        |_| {},
        async |world: World| {
            let world = world.carrying(Options::default());
            world.phone("fcm-abc").await;
            let message = send(&world).await;
            let notifications = world.gateway.notifications(&world.user, Vec::new(), SOON);
            let notifications = notifications.await.unwrap().unwrap();
            assert_eq!(
                notifications[0].data,
                gateway::PushData::Message(message.id)
            );
            world.nothing_left().await;
        },
    )
    .await;
}

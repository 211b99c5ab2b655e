//! What phones receive, and what webhooks are told of it.

use gateway::event::Kind;
use gateway::message::{MissedCall, ReceivedSms, Status};
use gateway::phone::{Changes, Sim};
use gateway::{Time, id};
use serde_json::{Value, json};

use crate::support::{CONTACT, OWNER, World, number, on_each_engine};

fn received(world: &World, content: &str) -> ReceivedSms {
    ReceivedSms {
        id: id::new(world.now()),
        to: number(OWNER),
        from: CONTACT.to_owned(),
        content: content.to_owned(),
        encrypted: false,
        sim: Sim::Sim2,
        timestamp: "2026-03-02T08:59:58.5Z".parse().unwrap(),
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn an_sms_and_its_event_and_delivery_are_one() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        let stored = world
            .gateway
            .receive(&world.user, received(&world, "on <my> way"))
            .await
            .unwrap();
        assert_eq!(stored.status, Status::Received);
        assert_eq!(stored.received_at, Some(stored.order_timestamp));

        let told = world.told();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].target, told[0].attempt), (webhook.id, 1));
        let body: Value = serde_json::from_slice(&told[0].letter.as_ref().unwrap().body).unwrap();
        let event = world.events().await.pop().unwrap();
        assert_eq!(
            body,
            json!({
                "specversion": "1.0",
                "id": event.id,
                "source": "/v1/messages/receive",
                "type": "message.phone.received",
                "datacontenttype": "application/json",
                "time": world.now(),
                "data": {
                    "message_id": stored.id,
                    "user_id": world.user.user_id,
                    "owner": OWNER,
                    "encrypted": false,
                    "contact": CONTACT,
                    "timestamp": "2026-03-02T08:59:58.5Z",
                    "content": "on <my> way",
                    "sim": "SIM2",
                    "attachments": [],
                },
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_webhook_gets_only_what_it_chose() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        let mut draft = gateway::webhook::Draft {
            url: gateway::webhook::WebhookUrl::parse(&webhook.url).unwrap(),
            signing_key: None,
            phone_numbers: webhook.phone_numbers.clone(),
            events: vec![Kind::MessageCallMissed],
            policy: webhook.policy.clone(),
            headers: None,
        };
        world
            .gateway
            .put_webhook(&world.user, webhook.id, draft.clone())
            .await
            .unwrap();
        world
            .gateway
            .receive(&world.user, received(&world, "hi"))
            .await
            .unwrap();
        assert!(world.told().is_empty());

        draft.phone_numbers = vec!["+18005550101".to_owned()];
        let refused = world
            .gateway
            .put_webhook(&world.user, webhook.id, draft)
            .await;
        assert!(refused.is_err(), "not a phone of the account");
    })
    .await;
}

#[tokio::test]
async fn a_missed_call_is_answered_if_the_phone_says_so() {
    on_each_engine(async |world: World| {
        let call = || MissedCall {
            to: number(OWNER),
            from: CONTACT.to_owned(),
            sim: Sim::Sim1,
            timestamp: Time::ZERO,
        };
        world.phone().await;
        let missed = world.gateway.miss_call(&world.user, call()).await.unwrap();
        assert_eq!((missed.content.as_str(), missed.received_at), ("", None));
        assert_eq!(world.types().await, ["message.call.missed"]);

        let reply = Some(Some("I will call back".to_owned()));
        world
            .phone_with(Changes {
                missed_call_auto_reply: reply,
                ..Changes::default()
            })
            .await;
        let missed = world.gateway.miss_call(&world.user, call()).await.unwrap();
        let sent = world.payload(Kind::MessageApiSent).await;
        assert_eq!(sent["content"], "I will call back");
        assert_eq!(sent["request_id"], format!("missed-call-{}", missed.id));
        assert_eq!(sent["contact"], CONTACT);
    })
    .await;
}

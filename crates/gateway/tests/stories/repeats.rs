//! Requests with a key of the client: done once, however often they come.

use gateway::idempotency::{Answer, RETENTION, Request};
use gateway::message::Message;
use gateway::{Caller, Error, Gateway, Result};

use crate::support::{World, on_each_engine, sms};

fn request(key: &str, content: &str) -> Request {
    Request::new("POST /v1/messages/send", key, content.as_bytes()).unwrap()
}

fn render(message: &Message) -> Answer {
    Answer {
        status: 200,
        body: message.id.to_string(),
        repeated: false,
    }
}

async fn send(gateway: &Gateway, user: &Caller, key: &str, content: &str) -> Result<Answer> {
    let operation = gateway.send(user, sms(content));
    gateway
        .once(user, request(key, content), render, operation)
        .await
}

async fn sent(world: &World) -> usize {
    let types = world.types().await;
    types
        .iter()
        .filter(|name| **name == "message.api.sent")
        .count()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let (gateway, user) = (&world.gateway, &world.user);
        let first = send(gateway, user, "k", "hi").await.unwrap();
        let again = send(gateway, user, "k", "hi").await.unwrap();
        assert_eq!((first.repeated, again.repeated), (false, true));
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        assert_eq!(sent(&world).await, 1);
        let other = send(gateway, user, "k", "something else").await;
        assert!(matches!(other, Err(Error::Invalid(_))));
        assert_ne!(
            send(gateway, user, "k2", "hi").await.unwrap().body,
            first.body
        );
        world.clock.advance(RETENTION);
        assert!(!send(gateway, user, "k", "hi").await.unwrap().repeated);
        assert_eq!(sent(&world).await, 3);
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let attempts: Vec<_> = (0..12)
            .map(|_| {
                let (gateway, user) = (world.gateway.clone(), world.user.clone());
                tokio::spawn(async move { send(&gateway, &user, "k", "hi").await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for attempt in attempts {
            answers.push(attempt.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(sent(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let refused = send(gateway, user, "k", "hi").await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "no phone yet");
        world.phone().await;
        assert!(!send(gateway, user, "k", "hi").await.unwrap().repeated);
    })
    .await;
}

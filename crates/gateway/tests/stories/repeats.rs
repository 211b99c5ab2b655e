//! Requests with a key of the client: done once, however often they come.

use gateway::api_key::{NewApiKey, Scope};
use gateway::idempotency::{Answer, Outcome, PENDING, RETENTION, Request, answering};
use gateway::message::Message;
use gateway::{Caller, Error, Gateway, Result, Time};

use crate::support::{World, on_each_engine, sms};

fn request(user: &Caller, key: &str, content: &str) -> Request {
    Request::new(user, "POST /v1/messages/send", key, content.as_bytes()).unwrap()
}

fn render(message: &Message) -> Answer {
    Answer {
        status: 200,
        body: message.id.to_string(),
        location: None,
    }
}

/// An answer, and whether it was given before.
struct Answered {
    body: String,
    repeated: bool,
}

/// Whether the transaction keeps the answer, or whoever called it afterwards.
#[derive(Clone, Copy)]
enum Kept {
    Within,
    Afterwards,
}

async fn send_kept(
    gateway: &Gateway,
    user: &Caller,
    key: &str,
    content: &str,
    kept: Kept,
) -> Result<Answered> {
    let operation = async {
        if let Kept::Within = kept {
            answering(|message| Some(render(message)));
        }
        let sent = gateway.send(user, sms(content)).await;
        let answer = sent.as_ref().ok().map(render);
        (sent, answer)
    };
    match gateway.once(request(user, key, content), operation).await? {
        Outcome::Repeated(Answer { body, .. }) => Ok(Answered {
            body,
            repeated: true,
        }),
        Outcome::Done(sent) => sent.map(|message| Answered {
            body: message.id.to_string(),
            repeated: false,
        }),
    }
}

async fn send(gateway: &Gateway, user: &Caller, key: &str, content: &str) -> Result<Answered> {
    send_kept(gateway, user, key, content, Kept::Within).await
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
        assert_eq!(first.body, again.body);
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
        for (kept, key) in [(Kept::Within, "k"), (Kept::Afterwards, "l")] {
            let before = sent(&world).await;
            let attempts: Vec<_> = (0..12)
                .map(|_| {
                    let (gateway, user) = (world.gateway.clone(), world.user.clone());
                    let send = async move { send_kept(&gateway, &user, key, "hi", kept).await };
                    tokio::spawn(send)
                })
                .collect();
            let mut answers = Vec::new();
            for attempt in attempts {
                answers.push(attempt.await.unwrap().unwrap());
            }
            assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
            assert!(answers.iter().all(|answer| answer.body == answers[0].body));
            assert_eq!(sent(&world).await, before + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn other_keys_of_the_account_do_not_see_the_answer() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let (gateway, user) = (&world.gateway, &world.user);
        send(gateway, user, "k", "hi").await.unwrap();
        let scopes = [Scope::Send.to_string()];
        let shop = NewApiKey::parse("shop", &scopes, None, Time::ZERO).unwrap();
        let (key, _) = gateway.add_api_key(user, shop).await.unwrap();
        let shop = gateway.named_caller(&key).await.unwrap().unwrap();
        let other = send(gateway, &shop, "k", "hi").await;
        assert!(matches!(other, Err(Error::Invalid(_))));
    })
    .await;
}

#[tokio::test]
async fn one_that_was_cut_short_is_never_refused_for_good() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let (gateway, user) = (&world.gateway, &world.user);
        for (kept, key) in [(Kept::Within, "k"), (Kept::Afterwards, "l")] {
            let before = sent(&world).await;
            let (done, cut) = tokio::sync::oneshot::channel();
            let operation = async {
                if let Kept::Within = kept {
                    answering(|message| Some(render(message)));
                }
                gateway.send(user, sms("hi")).await.unwrap();
                done.send(()).unwrap();
                std::future::pending::<((), Option<Answer>)>().await
            };
            tokio::select! {
                _ = gateway.once(request(user, key, "hi"), operation) => panic!("it has no end"),
                () = async { cut.await.unwrap() } => {}
            }
            let again = send(gateway, user, key, "hi").await;
            match kept {
                Kept::Within => assert!(again.unwrap().repeated),
                Kept::Afterwards => assert!(matches!(again, Err(Error::Conflict(_)))),
            }
            assert_eq!(sent(&world).await, before + 1);
            world.clock.advance(PENDING);
            let again = send(gateway, user, key, "hi").await.unwrap();
            match kept {
                Kept::Within => assert!(again.repeated),
                // That is why only what may be done twice is answered like this.
                Kept::Afterwards => assert!(!again.repeated),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        for kept in [Kept::Within, Kept::Afterwards] {
            let refused = send_kept(gateway, user, "k", "hi", kept).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "no phone yet");
        }
        world.phone().await;
        assert!(!send(gateway, user, "k", "hi").await.unwrap().repeated);
    })
    .await;
}

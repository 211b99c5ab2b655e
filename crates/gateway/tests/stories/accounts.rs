//! Accounts: settings, sign-up, sessions, passwords, and a deletion that leaves nothing.

use std::time::Duration;

use gateway::account::{NewUser, Notifications};
use gateway::attachment::{Media, NewAttachment};
use gateway::session::{LIFETIME, Visitor};
use gateway::{Caller, Error, Page};

use crate::support::{CONTACT, World, incoming, on_each_engine};

const PASSWORD: &str = "correct horse";

async fn bob(world: &World) -> Caller {
    let account = NewUser {
        email: "Bob@example.org".to_owned(),
        password: Some(PASSWORD.to_owned()),
        api_key: Some("bobs-key".to_owned()),
        ..NewUser::default()
    };
    world.gateway.add_user(account).await.unwrap();
    world.gateway.user("bobs-key").await.unwrap().unwrap()
}

#[tokio::test]
async fn settings_are_kept() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let phone = world.phone().await;
        let set = gateway.update_me(user, " Europe/Tallinn ", Some(phone.id));
        let set = set.await.unwrap();
        assert_eq!(set.timezone, "Europe/Tallinn");
        assert_eq!(set.active_phone_id, Some(phone.id));
        for unknown in ["", "Mars/Base"] {
            let set = gateway.update_me(user, unknown, None).await.unwrap();
            assert_eq!((set.timezone.as_str(), set.active_phone_id), ("UTC", None));
        }
        let wanted = Notifications {
            webhook: true,
            ..Notifications::default()
        };
        let set = gateway.set_notifications(user, wanted).await.unwrap();
        assert!(set.notification_webhook_enabled);
        assert!(!set.notification_message_status_enabled);
        assert!(!set.notification_heartbeat_enabled);
        assert!(!set.notification_newsletter_enabled);
    })
    .await;
}

#[tokio::test]
async fn sign_up_is_closed_once_there_is_an_account() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let sign_up = async |email: &str, password: &str, open| {
            gateway
                .sign_up(email.to_owned(), password.to_owned(), open)
                .await
        };
        assert!(!gateway.is_unused().await.unwrap());
        let closed = sign_up("carl@example.org", PASSWORD, false).await;
        assert!(matches!(closed, Err(Error::Unauthorized)));
        let short = sign_up("carl@example.org", "short", true).await;
        assert!(matches!(short, Err(Error::Invalid(_))));
        sign_up("carl@example.org", PASSWORD, true).await.unwrap();
        let taken = sign_up("carl@example.org", PASSWORD, true).await;
        assert!(matches!(taken, Err(Error::Invalid(_))));

        gateway.delete_user(&world.user.user_id).await.unwrap();
        let carl = gateway.users().await.unwrap().remove(0);
        gateway.delete_user(&carl.id).await.unwrap();
        assert!(gateway.is_unused().await.unwrap());
        // Of those who come first at once, one gets in.
        let first = ["a@example.org", "b@example.org", "c@example.org"].map(|email| {
            let (gateway, email) = (gateway.clone(), email.to_owned());
            tokio::spawn(async move { gateway.sign_up(email, PASSWORD.to_owned(), false).await })
        });
        let mut accepted = 0;
        for attempt in first {
            accepted += usize::from(attempt.await.unwrap().is_ok());
        }
        assert_eq!(accepted, 1);
    })
    .await;
}

#[tokio::test]
async fn sessions_last_while_they_are_used() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let bob = bob(&world).await;
        let sign_in = async |email: &str, password: &str| {
            let visitor = Visitor {
                address: None,
                agent: format!("{}é", "x".repeat(254)),
            };
            let signed_in = gateway.sign_in(email, password.to_owned(), &visitor);
            signed_in.await.unwrap()
        };
        assert!(sign_in("bob@example.org", "wrong").await.is_none());
        assert!(sign_in("nobody@example.org", PASSWORD).await.is_none());
        assert!(sign_in("ann@example.org", "").await.is_none());
        let session = sign_in(" bob@example.org ", PASSWORD).await.unwrap();
        assert_eq!(session.token.len(), 43);
        for _ in 0..3 {
            world.clock.advance(LIFETIME / 10 * 9);
            let caller = gateway.session(&session.token).await.unwrap().unwrap();
            assert_eq!(caller.user_id, bob.user_id);
        }
        let other = sign_in("bob@example.org", PASSWORD).await.unwrap();
        let listed = gateway.sessions(&bob).await.unwrap();
        assert_eq!((listed.len(), listed[0].agent.len()), (2, 254));
        world.clock.advance(LIFETIME);
        assert!(gateway.session(&session.token).await.unwrap().is_none());
        assert!(gateway.session(&other.token).await.unwrap().is_none());
        assert!(gateway.session("").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn signing_out_and_a_new_password_end_sessions() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let bob = bob(&world).await;
        let open = async || {
            let session = gateway
                .open_session(bob.user_id.clone(), "x")
                .await
                .unwrap();
            let caller = gateway.session(&session.token).await.unwrap().unwrap();
            (session.token, caller)
        };
        let is_live = async |token: &str| gateway.session(token).await.unwrap().is_some();
        let ((first, caller), (second, _)) = (open().await, open().await);
        let foreign = gateway.sign_out(&world.user, caller.session().unwrap());
        assert!(matches!(foreign.await, Err(Error::NotFound(_))));
        assert!(is_live(&first).await, "not somebody else's");
        gateway
            .sign_out(&caller, caller.session().unwrap())
            .await
            .unwrap();
        assert!(!is_live(&first).await && is_live(&second).await);
        gateway.sign_out_everywhere(&bob).await.unwrap();
        assert!(!is_live(&second).await);

        let ((third, caller), (fourth, _)) = (open().await, open().await);
        let visitor = Visitor::default();
        let change = async |old: &str, new: &str| {
            gateway
                .change_password(&caller, old.to_owned(), new.to_owned(), &visitor)
                .await
        };
        for (old, new) in [("wrong", "battery staple"), (PASSWORD, "short")] {
            assert!(matches!(change(old, new).await, Err(Error::Invalid(_))));
        }
        change(PASSWORD, "battery staple").await.unwrap();
        assert!(is_live(&third).await && !is_live(&fourth).await);
        let email = "bob@example.org";
        for (password, right) in [(PASSWORD, false), ("battery staple", true)] {
            let session = gateway.sign_in(email, password.to_owned(), &visitor);
            let session = session.await.unwrap();
            assert_eq!(session.is_some(), right);
        }
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slow_and_costs_the_owner_a_minute_at_most() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let bob = bob(&world).await;
        let visitor = Visitor::default();
        let try_in = async |password: &str| {
            let tried = gateway.sign_in("bob@example.org", password.to_owned(), &visitor);
            tried.await.map(|session| session.is_some())
        };
        for _ in 0..5 {
            assert!(!try_in("wrong").await.unwrap());
        }
        assert!(matches!(try_in(PASSWORD).await, Err(Error::TooMany(_))));
        world.clock.advance(Duration::from_secs(1));
        assert!(try_in(PASSWORD).await.unwrap());
        assert!(!try_in("wrong").await.unwrap(), "the count begins again");

        let change = async || {
            let (old, new) = ("wrong".to_owned(), "battery staple".to_owned());
            gateway.change_password(&bob, old, new, &visitor).await
        };
        for _ in 0..5 {
            assert!(matches!(change().await, Err(Error::Invalid(_))));
        }
        assert!(matches!(change().await, Err(Error::TooMany(_))));
    })
    .await;
}

#[tokio::test]
async fn the_first_owner_is_whoever_has_the_key() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let set_up = async |key: &str, email: &str, password: &str| {
            let done = gateway.set_up(key, email.to_owned(), password.to_owned());
            done.await.map(|user| (user.id, user.email))
        };
        assert!(gateway.needs_owner().await.unwrap());
        let (key, email) = ("test-user-api-key", "owner@example.org");
        let stranger = set_up("uk_guessed", email, PASSWORD).await;
        assert!(matches!(stranger, Err(Error::Unauthorized)));
        for (email, password) in [("nobody", PASSWORD), (email, "short")] {
            let wrong = set_up(key, email, password).await;
            assert!(matches!(wrong, Err(Error::Invalid(_))));
        }
        // Of several at once one is the owner.
        let racers = (0..4).map(|nth| {
            let (gateway, email) = (gateway.clone(), format!("{nth}@example.org"));
            let set_up = async move { gateway.set_up(key, email, PASSWORD.to_owned()).await };
            tokio::spawn(set_up)
        });
        let mut owners = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                Ok(owner) => owners.push(owner),
                Err(error) => assert!(matches!(error, Error::Conflict(_))),
            }
        }
        assert_eq!(owners.len(), 1);
        assert_eq!(owners[0].id, world.user.user_id);
        assert!(!gateway.needs_owner().await.unwrap());
        let late = set_up(key, email, PASSWORD).await;
        assert!(matches!(late, Err(Error::Conflict(_))));
        let owner = owners.remove(0);
        let visitor = Visitor::default();
        let signed_in = gateway.sign_in(&owner.email, PASSWORD.to_owned(), &visitor);
        assert!(signed_in.await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing() {
    on_each_engine(async |mut world: World| {
        let (gateway, user) = (world.gateway.clone(), world.user.clone());
        let bob = bob(&world).await;
        world.phone().await;
        world.webhook().await;
        let key = gateway
            .add_phone_key(&user, "desk".to_owned())
            .await
            .unwrap();
        let session = gateway
            .open_session(user.user_id.clone(), "")
            .await
            .unwrap();
        let message = world.send("hi").await;
        world.wake().await;
        let file = NewAttachment {
            name: "a.png".to_owned(),
            media: Media::named("image/png").unwrap(),
            content: b"picture".to_vec(),
        };
        let sms = incoming(&world, CONTACT, "look");
        let received = sms.id;
        gateway
            .receive_with_files(&user, sms, vec![file], "http://localhost")
            .await
            .unwrap();

        gateway.delete_user(&user.user_id).await.unwrap();
        assert!(gateway.user("test-user-api-key").await.unwrap().is_none());
        assert!(gateway.phone_caller(&key.api_key).await.unwrap().is_none());
        assert!(gateway.session(&session.token).await.unwrap().is_none());
        for id in [message.id, received] {
            let gone = gateway.message(&user, id).await;
            assert!(matches!(gone, Err(Error::NotFound(_))));
        }
        let file = gateway
            .attachment(&user.user_id, &received.to_string(), "0", "a.png")
            .await;
        assert!(matches!(file, Err(Error::NotFound(_))));
        let all = Page {
            limit: -1,
            ..Page::default()
        };
        assert!(gateway.phones(&user, all.clone()).await.unwrap().is_empty());
        assert!(gateway.webhooks(&user, all).await.unwrap().is_empty());
        assert!(world.load().await.is_empty());
        let events = world.events().await;
        let left: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(left, ["user.account.deleted"]);
        assert!(events[0].body.contains("ann@example.org"));

        let again = gateway.delete_user(&user.user_id).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
        assert_eq!(gateway.me(&bob).await.unwrap().email, "Bob@example.org");
    })
    .await;
}

#[tokio::test]
async fn an_export_has_everything_but_secrets() {
    on_each_engine(async |world: World| {
        bob(&world).await;
        world.phone().await;
        world.webhook().await;
        for at in 0..3 {
            world.send(&format!("text {at}")).await;
            world.clock.advance(Duration::from_secs(1));
        }
        let file = NewAttachment {
            name: "a.png".to_owned(),
            media: Media::named("image/png").unwrap(),
            content: b"picture".to_vec(),
        };
        let sms = incoming(&world, CONTACT, "look");
        let place = format!("{}/0/a.png", sms.id);
        let gateway = &world.gateway;
        gateway
            .receive_with_files(&world.user, sms, vec![file], "http://localhost")
            .await
            .unwrap();
        let mut export = world.gateway.export(&world.user);
        let (mut counts, mut text) = (std::collections::BTreeMap::new(), String::new());
        while let Some(part) = export.part().await.unwrap() {
            *counts.entry(part.table).or_insert(0) += part.rows.len();
            for row in part.rows {
                text += &row.to_string();
            }
        }
        assert_eq!(
            (counts["account"], counts["phones"], counts["webhooks"]),
            (1, 1, 1)
        );
        assert_eq!(counts["messages"], 4);
        let files = export.files("").await.unwrap();
        assert_eq!(files, [place.as_str()]);
        assert!(export.files(&place).await.unwrap().is_empty());
        assert_eq!(counts["discord-integrations"], 0);
        assert_eq!(counts["events"], world.events().await.len());
        assert!(text.contains("text 2"));
        for secret in [
            "test-user-api-key",
            "stream:test",
            "signing_key",
            "ob@example.org",
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
    })
    .await;
}

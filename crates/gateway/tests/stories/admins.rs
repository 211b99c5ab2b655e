//! Administrators: who is one, who stays one, and what becomes of an account that they shut out.

use std::time::Duration;

use gateway::account::{Account, Change, NewUser, State};
use gateway::api_key::NewApiKey;
use gateway::delivery::PushPlan;
use gateway::session::Visitor;
use gateway::webhook::PauseReason;
use gateway::{Error, Page};

use crate::support::{CONTACT, World, incoming, on_each_engine};

const PASSWORD: &str = "correct horse";
const OUT: Change = Change {
    admin: None,
    disabled: Some(true),
};
const IN: Change = Change {
    admin: None,
    disabled: Some(false),
};

fn admin(is: bool) -> Change {
    Change {
        admin: Some(is),
        disabled: None,
    }
}

async fn add(world: &World, name: &str) -> Account {
    world.clock.advance(Duration::from_millis(1));
    let new = NewUser {
        email: format!("{name}@example.org"),
        api_key: Some(format!("key of {name}")),
        password: Some(PASSWORD.to_owned()),
        ..NewUser::default()
    };
    world.gateway.add_account(new).await.unwrap()
}

async fn all(world: &World) -> Vec<Account> {
    let page = Page {
        limit: -1,
        ..Page::default()
    };
    world.gateway.accounts(page).await.unwrap()
}

#[tokio::test]
async fn the_first_account_is_an_administrator_and_one_stays() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let ann = world.user.user_id.clone();
        assert!(gateway.is_admin(&world.user).await.unwrap());
        let bob = add(&world, "bob").await;
        assert!(!bob.admin);
        let last = [
            gateway.change_account(&ann, admin(false)).await,
            gateway.change_account(&ann, OUT).await,
            gateway
                .remove_account(&ann)
                .await
                .map(|()| unreachable!("it is the last one")),
        ];
        for refused in last {
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        assert!(
            gateway
                .change_account(&bob.id, admin(true))
                .await
                .unwrap()
                .admin
        );
        // One that may not come in does not count.
        gateway.change_account(&bob.id, OUT).await.unwrap();
        let refused = gateway.change_account(&ann, admin(false)).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        gateway.change_account(&bob.id, IN).await.unwrap();
        // Of two who put each other down at once one stays.
        let put_down = |id: &str| {
            let (gateway, id) = (gateway.clone(), id.to_owned());
            tokio::spawn(async move { gateway.change_account(&id, admin(false)).await })
        };
        let (one, other) = (put_down(&ann), put_down(&bob.id));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(all(&world).await.iter().filter(|one| one.admin).count(), 1);
        gateway.appoint(&ann).await.unwrap();
        assert!(gateway.is_admin(&world.user).await.unwrap());
        let unknown = gateway.change_account("nobody", OUT).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn accounts_are_listed_with_their_use() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        world.phone().await;
        gateway
            .receive(&world.user, incoming(&world, CONTACT, "hello"))
            .await
            .unwrap();
        let bob = add(&world, "bob").await;
        let session = gateway.open_session(bob.id.clone(), "x").await.unwrap();
        assert!(gateway.session(&session.token).await.unwrap().is_some());
        let listed = all(&world).await;
        let seen: Vec<_> = listed
            .iter()
            .map(|one| (one.email.as_str(), one.received_messages, one.last_seen_at))
            .collect();
        assert_eq!(
            seen,
            [
                ("ann@example.org", 1, None),
                ("bob@example.org", 0, Some(world.now())),
            ]
        );
        world.clock.advance(Duration::from_hours(31 * 24));
        assert_eq!(all(&world).await[0].received_messages, 0);
        let page = Page {
            limit: 10,
            query: "BOB".to_owned(),
            ..Page::default()
        };
        assert_eq!(gateway.accounts(page).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_account_rests_and_goes_on() {
    on_each_engine(async |mut world: World| {
        let gateway = world.gateway.clone();
        let ann = world.user.user_id.clone();
        let bob = add(&world, "bob").await;
        gateway.change_account(&bob.id, admin(true)).await.unwrap();
        world.phone().await;
        let (webhook, other) = (world.webhook().await, world.webhook().await);
        gateway.pause_webhook(&world.user, other.id).await.unwrap();
        let phone_key = gateway.add_phone_key(&world.user, "desk".to_owned());
        let phone_key = phone_key.await.unwrap().api_key;
        let named = NewApiKey::parse("x", &["admin".to_owned()], None, world.now()).unwrap();
        let (named, _) = gateway.add_api_key(&world.user, named).await.unwrap();
        let session = gateway.open_session(ann.clone(), "x").await.unwrap().token;
        let comes_in = async || {
            [
                gateway.user("test-user-api-key").await.unwrap().is_some(),
                gateway.phone_caller(&phone_key).await.unwrap().is_some(),
                gateway.named_caller(&named).await.unwrap().is_some(),
                gateway.session(&session).await.unwrap().is_some(),
            ]
        };
        assert_eq!(comes_in().await, [true; 4]);
        world.send("later").await;
        let push = world.told().into_iter().find(|told| told.letter.is_none());
        let push = push.unwrap();

        let shut = gateway.change_account(&ann, OUT).await.unwrap();
        assert_eq!(shut.state, State::Disabled);
        assert_eq!(comes_in().await, [false; 4]);
        assert_eq!(
            gateway
                .outside_caller(&ann, "x@example.org")
                .await
                .unwrap()
                .map(|_| ()),
            None
        );
        let plan = gateway.plan_push(&push).await.unwrap();
        assert!(matches!(plan, PushPlan::Later(_)), "{plan:?}");
        let user = world.user.clone();
        let reason = |of| {
            let (gateway, user) = (gateway.clone(), user.clone());
            async move {
                let page = Page {
                    limit: 9,
                    ..Page::default()
                };
                let all = gateway.webhooks(&user, page).await.unwrap();
                all.into_iter()
                    .find(|one| one.id == of)
                    .unwrap()
                    .pause_reason
            }
        };
        assert_eq!(reason(webhook.id).await, Some(PauseReason::Disabled));
        // What happens meanwhile is kept for it.
        world.told();
        gateway
            .receive(&world.user, incoming(&world, CONTACT, "meanwhile"))
            .await
            .unwrap();
        assert!(world.told().iter().all(|told| told.letter.is_none()));
        assert!(world.load().await.iter().all(|told| told.letter.is_none()));

        gateway.change_account(&ann, IN).await.unwrap();
        assert_eq!(
            comes_in().await,
            [true, true, true, false],
            "sessions are over"
        );
        assert_eq!(reason(webhook.id).await, None);
        assert_eq!(reason(other.id).await, Some(PauseReason::Asked));
        assert!(world.load().await.iter().any(|told| told.letter.is_some()));
        let plan = gateway.plan_push(&push).await.unwrap();
        assert!(matches!(plan, PushPlan::Offer), "{plan:?}");
    })
    .await;
}

#[tokio::test]
async fn only_its_owner_learns_that_an_account_is_disabled() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let bob = add(&world, "bob").await;
        gateway.change_account(&bob.id, OUT).await.unwrap();
        let sign_in = async |password: &str| {
            let visitor = Visitor::default();
            gateway
                .sign_in("bob@example.org", password.to_owned(), &visitor)
                .await
                .map(|one| one.is_some())
        };
        assert!(matches!(sign_in("wrong").await, Ok(false)));
        assert!(matches!(sign_in(PASSWORD).await, Err(Error::Forbidden(_))));
        gateway.change_account(&bob.id, IN).await.unwrap();
        assert!(matches!(sign_in(PASSWORD).await, Ok(true)));
        gateway.remove_account(&bob.id).await.unwrap();
        assert!(matches!(sign_in(PASSWORD).await, Ok(false)));
        assert!(matches!(
            gateway.account(&bob.id).await,
            Err(Error::NotFound(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_link_gives_a_password_once() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        let new = NewUser {
            email: "carl@example.org".to_owned(),
            ..NewUser::default()
        };
        let carl = gateway.add_account(new).await.unwrap();
        let state = async || gateway.account(&carl.id).await.unwrap().state;
        assert_eq!(state().await, State::Active, "by its key");
        let first = gateway.password_link(&carl.id).await.unwrap().token;
        assert_eq!(state().await, State::Invited);
        let second = gateway.password_link(&carl.id).await.unwrap().token;
        let choose = async |token: &str, password: &str| {
            gateway.choose_password(token, password.to_owned()).await
        };
        for spent in [first.as_str(), "", "nonsense"] {
            assert!(matches!(
                choose(spent, PASSWORD).await,
                Err(Error::NotFound(_))
            ));
        }
        assert!(matches!(
            choose(&second, "short").await,
            Err(Error::Invalid(_))
        ));
        let session = gateway.open_session(carl.id.clone(), "x").await.unwrap();
        assert_eq!(choose(&second, PASSWORD).await.unwrap().id, carl.id);
        assert_eq!(state().await, State::Active);
        assert!(gateway.session(&session.token).await.unwrap().is_none());
        assert!(matches!(
            choose(&second, PASSWORD).await,
            Err(Error::NotFound(_))
        ));

        let late = gateway.password_link(&carl.id).await.unwrap().token;
        world.clock.advance(Duration::from_hours(3 * 24));
        assert!(matches!(
            choose(&late, PASSWORD).await,
            Err(Error::NotFound(_))
        ));
        let shut = gateway.password_link(&carl.id).await.unwrap().token;
        gateway.change_account(&carl.id, OUT).await.unwrap();
        assert!(matches!(
            choose(&shut, PASSWORD).await,
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            gateway.password_link("nobody").await,
            Err(Error::NotFound(_))
        ));
    })
    .await;
}

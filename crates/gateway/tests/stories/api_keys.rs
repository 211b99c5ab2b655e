//! Named keys: good for what they were made for, until they are revoked.

use std::time::Duration;

use gateway::api_key::{NewApiKey, Scope};
use gateway::{Error, Fields, Page, Time};

use crate::support::{MINUTE, World, on_each_engine};

fn new(name: &str, scopes: &[&str]) -> Result<NewApiKey, Fields> {
    let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    NewApiKey::parse(name, &scopes, None, Time::ZERO)
}

#[test]
fn names_and_scopes_are_checked() {
    for (name, scopes) in [
        ("", &["send"][..]),
        ("x", &[]),
        ("x", &["fly"]),
        (&"x".repeat(61), &["read"]),
    ] {
        assert!(new(name, scopes).is_err(), "{name} {scopes:?}");
    }
}

#[tokio::test]
async fn a_named_key_opens_its_scopes_until_it_is_revoked() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let wanted = new("shop", &["send", "read", "send"]).unwrap();
        let (key, listed) = gateway.add_api_key(user, wanted).await.unwrap();
        assert!(key.starts_with("ak_") && key.len() == 67);
        assert_eq!(listed.scopes, [Scope::Send, Scope::Read]);
        assert_eq!(listed.hint, key[..9]);
        // It is no account's key, and no phone's.
        assert!(gateway.user(&key).await.unwrap().is_none());
        assert!(gateway.phone_caller(&key).await.unwrap().is_none());

        let caller = gateway.named_caller(&key).await.unwrap().unwrap();
        assert_eq!(caller.user_id, user.user_id);
        assert!(caller.may(Scope::Send).is_ok() && caller.may(Scope::Read).is_ok());
        for refused in [Scope::Phones, Scope::Webhooks, Scope::Admin] {
            assert!(matches!(caller.may(refused), Err(Error::Unauthorized)));
        }
        assert!(user.may(Scope::Admin).is_ok());

        let revoked = gateway.revoke_api_key(user, listed.id).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(world.now()));
        assert!(gateway.named_caller(&key).await.unwrap().is_none());
        world.clock.advance(MINUTE);
        let again = gateway.revoke_api_key(user, listed.id).await.unwrap();
        assert_eq!(again.revoked_at, revoked.revoked_at);
    })
    .await;
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_once_a_minute() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let wanted = new("shop", &["admin"]).unwrap();
        let (key, _) = gateway.add_api_key(user, wanted).await.unwrap();
        let all = Page {
            limit: -1,
            ..Page::default()
        };
        let last_used = async || {
            let keys = gateway.api_keys(user, all.clone()).await.unwrap();
            keys[0].last_used_at
        };
        assert_eq!(last_used().await, None);
        let begin = world.now();
        for seconds in [0, 30, 29] {
            world.clock.advance(Duration::from_secs(seconds));
            gateway.named_caller(&key).await.unwrap().unwrap();
            assert_eq!(last_used().await, Some(begin));
        }
        world.clock.advance(Duration::from_secs(1));
        let caller = gateway.named_caller(&key).await.unwrap().unwrap();
        assert_eq!(last_used().await, Some(begin + MINUTE));
        assert!(caller.may(Scope::Webhooks).is_ok());
    })
    .await;
}

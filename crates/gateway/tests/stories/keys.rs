//! Keys: what they open, and that they work and stop working at once.

use gateway::phone::Sim;
use gateway::{Caller, Error, Page};

use crate::support::{OWNER, World, number, on_each_engine};

const SECOND: &str = "+18005550101";

async fn phone_key(world: &World) -> (gateway::phone_key::PhoneKey, Caller) {
    let key = world
        .gateway
        .add_phone_key(&world.user, "desk".to_owned())
        .await
        .unwrap();
    let caller = world
        .gateway
        .phone_caller(&key.api_key)
        .await
        .unwrap()
        .unwrap();
    (key, caller)
}

async fn sign_in(world: &World, caller: &Caller, text: &str) {
    let token = "stream:x".to_owned();
    world
        .gateway
        .sign_in_phone(caller, number(text), token, Sim::Sim1)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_rotated_key_stops_at_once() {
    on_each_engine(async |world: World| {
        let user = world.gateway.rotate_key(&world.user.user_id).await.unwrap();
        assert!(
            world
                .gateway
                .user("test-user-api-key")
                .await
                .unwrap()
                .is_none()
        );
        assert!(world.gateway.user(&user.api_key).await.unwrap().is_some());
        assert_eq!(
            world.gateway.me(&world.user).await.unwrap().api_key,
            user.api_key
        );
    })
    .await;
}

#[tokio::test]
async fn a_phone_belongs_to_the_key_it_signed_in_with_last() {
    on_each_engine(async |world: World| {
        let (first, caller) = phone_key(&world).await;
        sign_in(&world, &caller, OWNER).await;
        sign_in(&world, &caller, SECOND).await;
        let (_, other) = phone_key(&world).await;
        sign_in(&world, &other, OWNER).await;
        let page = Page {
            limit: -1,
            ..Page::default()
        };
        let keys = world.gateway.phone_keys(&world.user, page).await.unwrap();
        let numbers: Vec<_> = keys.iter().map(|key| key.phone_numbers.clone()).collect();
        assert!(
            numbers.contains(&vec![SECOND.to_owned()]) && numbers.contains(&vec![OWNER.to_owned()])
        );
        let caller = world
            .gateway
            .phone_caller(&first.api_key)
            .await
            .unwrap()
            .unwrap();
        assert!(caller.may_act_for(SECOND).is_ok());
        assert!(matches!(
            caller.may_act_for(OWNER),
            Err(Error::NotBound { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_key_without_numbers_claims_nothing() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let message = world.send("hi").await;
        let (key, caller) = phone_key(&world).await;
        let refused = world.gateway.claim(&caller, message.id).await;
        assert!(matches!(refused, Err(Error::NotFound(_))));
        sign_in(&world, &caller, OWNER).await;
        let caller = world
            .gateway
            .phone_caller(&key.api_key)
            .await
            .unwrap()
            .unwrap();
        world.gateway.claim(&caller, message.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_revoked_phone_key_is_nobody() {
    on_each_engine(async |world: World| {
        let (key, caller) = phone_key(&world).await;
        sign_in(&world, &caller, OWNER).await;
        world
            .gateway
            .delete_phone_key(&world.user, key.id)
            .await
            .unwrap();
        assert!(
            world
                .gateway
                .phone_caller(&key.api_key)
                .await
                .unwrap()
                .is_none()
        );
        let again = world.gateway.delete_phone_key(&world.user, key.id).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
    })
    .await;
}

//! Deliveries between commit and settlement: told once, fenced, found again after a restart.

use gateway::delivery::{LEASE, Outcome};
use gateway::event::Kind;

use crate::support::{CONTACT, MINUTE, World, incoming, on_each_engine};

async fn receive(world: &World) {
    let sms = incoming(world, CONTACT, "hi");
    world.gateway.receive(&world.user, sms).await.unwrap();
}

async fn on_disk(world: &World) -> usize {
    world.load().await.len()
}

#[tokio::test]
async fn what_was_told_is_not_on_disk_until_the_next_epoch() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.webhook().await;
        receive(&world).await;
        receive(&world).await;
        assert_eq!(world.told().len(), 2);
        assert_eq!(on_disk(&world).await, 0);

        let world = world.restarted().await;
        assert_eq!(on_disk(&world).await, 2);
        assert_eq!(on_disk(&world).await, 0, "loaded once");
    })
    .await;
}

#[tokio::test]
async fn a_late_settlement_changes_nothing() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        world.webhook().await;
        receive(&world).await;
        let delivery = world.told().remove(0);
        let due_at = world.now() + MINUTE;
        world
            .settle(
                &delivery,
                Outcome::Retry {
                    due_at,
                    held: false,
                },
            )
            .await;
        let dead = Outcome::Dead {
            status: Some(500),
            error: "late".to_owned(),
        };
        world.settle(&delivery, dead).await;
        world.settle(&delivery, Outcome::Delivered).await;
        assert!(!world.types().await.contains(&"webhook.send.failed"));
        let (rows, next) = world
            .gateway
            .load(world.epoch, delivery.target, world.now(), 10)
            .await
            .unwrap();
        assert!(rows.is_empty());
        assert_eq!(next.next, Some(due_at), "it waits on disk for its time");
        let (rows, _) = world
            .gateway
            .load(world.epoch, delivery.target, due_at, 10)
            .await
            .unwrap();
        assert_eq!((rows[0].id, rows[0].attempt), (delivery.id, 2));
        assert_eq!(
            rows[0].letter.as_ref().unwrap().body,
            delivery.letter.unwrap().body
        );
    })
    .await;
}

#[tokio::test]
async fn a_delivery_given_up_is_recorded() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        receive(&world).await;
        let delivery = world.told().remove(0);
        let dead = Outcome::Dead {
            status: Some(503),
            error: "upstream down".to_owned(),
        };
        world.settle(&delivery, dead).await;
        let failed = world.payload(Kind::WebhookSendFailed).await;
        assert_eq!(failed["webhook_id"], webhook.id.to_string());
        assert_eq!(failed["http_response_status_code"], 503);
        assert_eq!(failed["error_message"], "upstream down");
        assert_eq!(failed["event_type"], "message.phone.received");
        let payload: serde_json::Value =
            serde_json::from_str(failed["event_payload"].as_str().unwrap()).unwrap();
        assert_eq!(payload["content"], "hi");
        assert_eq!(on_disk(&world.restarted().await).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rows_of_a_full_target_stay_on_disk() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        world.gateway.set_full(webhook.id, true);
        receive(&world).await;
        assert!(world.told().is_empty());
        assert_eq!(on_disk(&world).await, 1);
        world.gateway.set_full(webhook.id, false);
        receive(&world).await;
        assert_eq!(world.told().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_webhook_leaves_nothing_to_carry() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        let webhook = world.webhook().await;
        receive(&world).await;
        world
            .gateway
            .delete_webhook(&world.user, webhook.id)
            .await
            .unwrap();
        assert!(world.gateway.endpoint(webhook.id).await.unwrap().is_none());
        let delivery = world.told().remove(0);
        world.settle(&delivery, Outcome::Dropped).await;
        assert_eq!(on_disk(&world.restarted().await).await, 0);
    })
    .await;
}

#[tokio::test]
async fn one_node_holds_the_lease() {
    on_each_engine(async |world: World| {
        let gateway = &world.gateway;
        assert_eq!(
            gateway.take_lease(Some(world.epoch)).await.unwrap(),
            Some(world.epoch)
        );
        let Some((other, _folder)) = world.another_node().await else {
            return;
        };
        assert_eq!(other.take_lease(None).await.unwrap(), None, "it must wait");
        world.clock.advance(LEASE);
        let next = other.take_lease(None).await.unwrap().unwrap();
        assert!(next > world.epoch);
        let lost = gateway.take_lease(Some(world.epoch)).await.unwrap();
        assert_eq!(lost, None, "the first has lost it");
        other.release_lease(next).await.unwrap();
        assert!(gateway.take_lease(None).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_killed_node_takes_its_own_lease_back_at_once() {
    on_each_engine(async |world: World| {
        let again = world.gateway.take_lease(None).await.unwrap().unwrap();
        assert!(again > world.epoch);
    })
    .await;
}

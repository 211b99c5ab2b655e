//! Usage: the current billing cycle, and those before.

use std::time::Duration;

use serde_json::json;

use crate::support::{CONTACT, OWNER, World, on_each_engine};

#[tokio::test]
async fn messages_are_counted_by_billing_cycle() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let sms = json!({"from": OWNER, "to": CONTACT, "content": "hi"});
        world
            .user()
            .post("/v1/messages/send", sms.clone())
            .await
            .ok();
        let at = world.gateway.now().to_string();
        let body = json!({"to": OWNER, "from": CONTACT, "content": "yo", "timestamp": at});
        phone.post("/v1/messages/receive", body).await.ok();
        let usage = world.user().get("/v1/billing/usage").await;
        let usage = usage.says(200, "fetched current billing usage").ok();
        let expected = json!({
            "id": usage["id"], "user_id": "ann-ID", "sent_messages": 1, "received_messages": 1,
            "total_cost": 0, "start_timestamp": "2026-03-02T00:00:00Z",
            "end_timestamp": "2026-04-01T23:59:59Z",
            "created_at": usage["created_at"], "updated_at": usage["updated_at"], "message_quota": null,
        });
        assert_eq!(usage, expected);
        let none = world.user().get("/v1/billing/usage-history").await;
        assert_eq!(
            none.says(200, "fetched 0 billing usage records").ok(),
            json!([])
        );
        world.pass(Duration::from_hours(24 * 31)).await;
        world.user().post("/v1/messages/send", sms).await.ok();
        let now = world.user().get("/v1/billing/usage").await.ok();
        assert_eq!(
            (&now["sent_messages"], &now["received_messages"]),
            (&json!(1), &json!(0))
        );
        let past = world
            .user()
            .get("/v1/billing/usage-history?limit=100")
            .await;
        let past = past.says(200, "fetched 1 billing usage record").ok();
        assert_eq!(
            (&past[0]["id"], &past[0]["sent_messages"]),
            (&usage["id"], &json!(1))
        );
        assert_eq!(
            world
                .user()
                .get("/v1/billing/usage-history?skip=1")
                .await
                .ok(),
            json!([])
        );
        world
            .user()
            .get("/v1/billing/usage-history?limit=a")
            .await
            .invalid(
                "validation errors while fetching usage history",
                json!({"limit": ["The limit field must be numeric"]}),
            );
    })
    .await;
}

#[tokio::test]
async fn an_operators_quota_is_told_in_the_words_of_the_reference() {
    let world = World::set_up(None, |settings| settings.message_quota = Some(1)).await;
    world.phone(&[OWNER]).await;
    let words = "You have exceeded your limit of [1] messages on your [free] plan. Upgrade to send more messages on https://httpsms.com/billing";
    let sms = json!({"from": OWNER, "to": CONTACT, "content": "hi", "text": "hi"});
    let user = world.user();
    user.post("/v1/messages/send", sms.clone()).await.ok();
    for path in ["/v1/messages/send", "/integration/3cx/messages"] {
        let refused = user.post(path, sms.clone()).await.says(402, words);
        assert_eq!(refused.json(), json!({"message": words, "status": "error"}));
    }
    let many = json!({"from": OWNER, "to": [CONTACT], "content": "hi"});
    let refused = user.post("/v1/messages/bulk-send", many).await;
    refused.says(402, words);
    let missing = json!({"from": "+18005550123", "to": CONTACT, "content": "hi"});
    assert_eq!(user.post("/v1/messages/send", missing).await.status, 422);
    let usage = user.get("/v1/billing/usage").await.ok();
    assert_eq!(usage["message_quota"], 1);
}

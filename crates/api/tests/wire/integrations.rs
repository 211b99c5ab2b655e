//! Other systems: 3CX, and what only the hosted service has.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, CONTACT, OWNER, USER_KEY, World, e164, on_each_engine};

const THREE_CX: &str = "/integration/3cx/messages";

async fn from_3cx(world: &World, authorization: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(THREE_CX)
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    world.call(request.unwrap()).await
}

#[tokio::test]
async fn an_sms_from_3cx_is_sent() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let sms = json!({"from": "18005550199", "to": CONTACT, "text": "hi"});
        for authorization in [format!("Bearer {USER_KEY}"), USER_KEY.to_owned()] {
            let answer = from_3cx(&world, &authorization, &sms).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let id = answer.json()["data"]["payload"]["id"].clone();
            assert_eq!(answer.json(), json!({"data": {"payload": {"id": id}}}));
            let path = format!("/v1/messages/{}", id.as_str().unwrap());
            let message = world.user().get(&path).await.ok();
            assert_eq!(message["request_id"], "integration-3cx");
            assert_eq!(
                (&message["owner"], &message["content"]),
                (&json!(OWNER), &json!("hi"))
            );
        }
        assert_eq!(world.user().post(THREE_CX, sms.clone()).await.status, 200);
        for nobody in ["Bearer x", "Bearer", phone.key.as_deref().unwrap()] {
            from_3cx(&world, nobody, &sms).await.unauthorized();
        }
        let wrong = json!({"from": "x", "to": "y", "text": ""});
        world.user().post(THREE_CX, wrong).await.invalid(
            "validation errors while sending message",
            json!({
                "from": [e164("from")],
                "to": ["The to field must contain only digits and must be less than 14 characters"],
                "text": ["The text field is required", "The text field must be minimum 1 char"],
            }),
        );
        let foreign = json!({"from": "+18005550177", "to": CONTACT, "text": "hi"});
        let answer = world.user().post(THREE_CX, foreign).await;
        assert_eq!(
            (
                answer.status,
                answer.json()["data"]["from"].as_array().unwrap().len()
            ),
            (422, 2)
        );
    })
    .await;
}

#[tokio::test]
async fn a_webhook_can_speak_3cx() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let webhook = json!({
        "url": "https://pbx.example.org/sms/generic/1", "phone_numbers": [OWNER],
        "events": ["message.phone.received"], "mode": "3cx",
    });
    let made = world.user().post("/v1/webhooks", webhook.clone()).await;
    assert_eq!(
        (made.status, &made.json()["data"]["mode"]),
        (201, &json!("3cx"))
    );
    let mut other = webhook;
    other["mode"] = json!("4cx");
    assert_eq!(world.user().post("/v1/webhooks", other).await.status, 422);
}

#[tokio::test]
async fn nobody_has_a_subscription() {
    let world = World::open(None).await;
    let user = world.user();
    let none = "the account has no subscription";
    user.get("/v1/users/subscription-update-url")
        .await
        .missing(none);
    user.delete("/v1/users/subscription").await.missing(none);
    let payments = user.get("/v1/users/subscription/payments").await;
    let payments = payments.says(200, "fetched subscription invoices billing usage");
    assert_eq!(payments.ok(), Value::Null);
    let path = "/v1/users/subscription/invoices/123";
    let address = json!({"name": "Ann", "address": "1 Main", "city": "Tallinn", "country": "EE", "zip_code": "1"});
    let invalid = "validation errors while generating payment invoice";
    user.post(path, address).await.invalid(
        invalid,
        json!({"subscriptionInvoiceID": ["failed to validate the subscription payment invoice ID"]}),
    );
    let long = json!({"name": "Ann", "address": "1 Main", "city": "x".repeat(101), "country": "EST", "zip_code": "1"});
    user.post(path, long).await.invalid(
        invalid,
        json!({"city": ["The city field must be maximum 100 char"], "country": ["The country field must be length of 2"]}),
    );
    for method in [Method::GET, Method::DELETE] {
        let path = match method {
            Method::GET => "/v1/users/subscription/payments",
            _ => "/v1/users/subscription",
        };
        let answer = world.anonymous().send(method, path, None, "").await;
        answer.unauthorized();
    }
    let event = world
        .anonymous()
        .post("/lemonsqueezy/event", json!({}))
        .await;
    event.invalid(
        "validation errors while storing lemonsqueezy event",
        json!({"body": ["The signature is not valid"]}),
    );
    user.post("/v1/events", json!({}))
        .await
        .says(403, "Forbidden");
    user.raw(Method::POST, "/v1/events", "[")
        .await
        .malformed("a JSON object");
    world
        .anonymous()
        .post("/v1/events", json!({}))
        .await
        .unauthorized();
}

//! Named keys: what they open, and that every route asks for a scope.

use axum::http::Method;
use serde_json::{Value, json};

use crate::schema::DOCUMENT;
use crate::support::{OWNER, World, on_each_engine};

const SCOPES: [&str; 5] = ["send", "read", "phones", "webhooks", "admin"];

async fn key(world: &World, scopes: &[&str]) -> String {
    let body = json!({"name": "shop", "scopes": scopes});
    let made = world.user().post("/v1/api-keys", body).await;
    let made = made.says(201, "API key created successfully").ok();
    made["api_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_named_key_is_made_used_and_revoked() {
    on_each_engine(async |world: World| {
        let body = json!({"name": " shop ", "scopes": ["read", "send", "read"]});
        let made = world.user().post("/v1/api-keys", body).await.ok();
        let key = made["api_key"].as_str().unwrap();
        let mut expected = json!({
            "id": made["id"], "name": "shop", "hint": &key[..9], "scopes": ["send", "read"],
            "last_used_at": null, "expires_at": null, "revoked_at": null,
            "created_at": made["created_at"],
        });
        let listed = world.user().get("/v1/api-keys").await;
        assert_eq!(
            listed.says(200, "fetched 1 API key").ok(),
            json!([expected])
        );
        let shop = world.client(key);
        world.phone(&[OWNER]).await;
        let send = json!({"from": OWNER, "to": "24273", "content": "hi"});
        shop.post("/v1/messages/send", send).await.ok();
        shop.put("/v1/phones", json!({})).await.says(
            403,
            "This API key may not do that: it needs the scope [phones]",
        );
        // It sees the account, but not its key.
        assert_eq!(shop.get("/v1/users/me").await.ok()["api_key"], "");
        let by_query = format!("/v1/phones?x-api-key={key}");
        world.anonymous().get(&by_query).await.ok();

        let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
        world.user().delete(&path).await.empty();
        shop.get("/v1/phones").await.unauthorized();
        let listed = world.user().get("/v1/api-keys").await.ok();
        assert_ne!(listed[0]["last_used_at"], json!(null));
        expected["last_used_at"] = listed[0]["last_used_at"].clone();
        expected["revoked_at"] = listed[0]["revoked_at"].clone();
        assert_eq!(listed, json!([expected]));
        assert_ne!(listed[0]["revoked_at"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn a_named_key_expires() {
    let world = World::open(None).await;
    let body = json!({"name": "x", "scopes": ["admin"], "expires_at": "2026-03-02T10:00:00Z"});
    let made = world.user().post("/v1/api-keys", body).await.ok();
    let x = world.client(made["api_key"].as_str().unwrap());
    assert_ne!(x.get("/v1/users/me").await.ok()["api_key"], "");
    world.clock.advance(std::time::Duration::from_hours(1));
    x.get("/v1/users/me").await.unauthorized();
}

#[tokio::test]
async fn what_is_wrong_with_a_named_key_is_told() {
    let world = World::open(None).await;
    let invalid = "validation errors while creating API key";
    for (body, data) in [
        (
            json!({}),
            json!({"name": ["The name field is required"], "scopes": ["The scopes field is required"]}),
        ),
        (
            json!({"name": "x", "scopes": ["fly"], "expires_at": "2020-01-01T00:00:00Z"}),
            json!({
                "expires_at": ["The expires_at field must lie in the future"],
                "scopes": ["The scopes field has an invalid scope with name [fly]"],
            }),
        ),
    ] {
        world
            .user()
            .post("/v1/api-keys", body)
            .await
            .invalid(invalid, data);
    }
}

/// The document says what each route needs; the router must agree.
#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let world = World::open(None).await;
    let mut checked = 0;
    for scope in SCOPES {
        let others: Vec<&str> = SCOPES
            .into_iter()
            .filter(|other| !["admin", scope].contains(other))
            .collect();
        let (with, without) = (key(&world, &[scope]).await, key(&world, &others).await);
        for (path, method, needed) in needs() {
            if needed != scope || path == "/v1/events/stream" {
                continue;
            }
            checked += 1;
            // What is malformed is told only to those who may.
            let ask = async |key: &str| {
                let client = world.client(key);
                client.raw(method.clone(), &path, "{").await
            };
            let refused = ask(&without).await;
            assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text());
            // The account itself goes last, by nobody here.
            // The one ends the account, the other is for nobody.
            let other = [
                (Method::DELETE, "/v1/users/me"),
                (Method::POST, "/v1/events"),
            ];
            if other.contains(&(method.clone(), path.as_str())) {
                continue;
            }
            let taken = ask(&with).await;
            assert!(
                !matches!(taken.status, 403 | 500),
                "{method} {path}: {}",
                taken.text()
            );
        }
    }
    assert!(checked >= 45, "{checked}");
}

/// Every route with callers, and the scope it needs.
fn needs() -> Vec<(String, Method, &'static str)> {
    let mut all = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        let words = path
            .split('/')
            .map(|word| if word.starts_with('{') { "x" } else { word });
        let path = words.collect::<Vec<_>>().join("/");
        for (method, operation) in methods.as_object().unwrap() {
            let Some(security) = operation["security"].as_array() else {
                continue;
            };
            let scope: &Value = &security[0]["key"][0];
            let method = method.to_uppercase().parse().unwrap();
            all.push((path.clone(), method, scope.as_str().unwrap()));
        }
    }
    all
}

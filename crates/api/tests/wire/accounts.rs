//! The server's accounts in the hands of its administrators.

use axum::http::{Method, Request};
use serde_json::json;

use crate::support::{USER_KEY, World, add_user, on_each_engine};

const ALL: &str = "/v1/admin/users";
const BOB: &str = "/v1/admin/users/bob-ID";
const LINKS: &str = "/v1/admin/users/bob-ID/password-links";
const PASSWORD: &str = "correct horse";

#[tokio::test]
async fn only_an_administrator_sees_and_changes_accounts() {
    on_each_engine(async |world: World| {
        add_user(&world.gateway, "bob", "bobs-key").await;
        let (ann, bob) = (world.user(), world.client("bobs-key"));
        let why = "Only an administrator of this server may do that.";
        for (method, path) in [
            (Method::GET, ALL),
            (Method::POST, ALL),
            (Method::PUT, BOB),
            (Method::DELETE, BOB),
            (Method::POST, LINKS),
        ] {
            // What is wrong with a request is told only to those who may.
            let refused = bob.raw(method.clone(), path, "{").await;
            refused.says(403, why);
            world
                .anonymous()
                .raw(method, path, "{}")
                .await
                .unauthorized();
        }
        assert_eq!(ann.get("/v1/users/me").await.ok()["admin"], true);
        assert_eq!(bob.get("/v1/users/me").await.ok()["admin"], false);
        let listed = ann.get(ALL).await.says(200, "fetched 2 users").ok();
        assert_eq!(listed[0]["email"], "ann@example.org");
        assert_eq!(listed[0]["admin"], true);
        assert_eq!(listed[1]["state"], "active");
        assert_eq!(listed[1]["last_seen_at"], json!(null));
        assert!(!listed.to_string().contains("key"), "{listed}");
        ann.get("/v1/admin/users?query=bob&limit=1")
            .await
            .says(200, "fetched 1 user");
        ann.get("/v1/admin/users?skip=x").await.invalid(
            "validation errors while fetching users",
            json!({"skip": ["The skip field must be numeric"]}),
        );

        let changed = ann.put(BOB, json!({"admin": true})).await;
        assert_eq!(
            changed.says(200, "user updated successfully").ok()["admin"],
            true
        );
        bob.get(ALL).await.ok();
        bob.put("/v1/admin/users/ann-ID", json!({"admin": false}))
            .await
            .ok();
        ann.get(ALL).await.says(403, why);
        let last = "This is the last administrator of the server. Make somebody else one before.";
        bob.put(BOB, json!({"admin": false})).await.conflicts(last);
        bob.put(BOB, json!({"disabled": true}))
            .await
            .conflicts(last);
        bob.delete(BOB).await.conflicts(last);
        bob.put(BOB, json!({"disabled": "yes"}))
            .await
            .malformed("disabled: expected true or false");
        bob.put("/v1/admin/users/nobody", json!({}))
            .await
            .missing("cannot find user with ID [nobody]");
        bob.delete("/v1/admin/users/ann-ID").await.empty();
        ann.get("/v1/users/me").await.unauthorized();
        bob.delete("/v1/admin/users/ann-ID")
            .await
            .missing("cannot find user with ID [ann-ID]");
    })
    .await;
}

#[tokio::test]
async fn nobody_comes_in_while_disabled() {
    on_each_engine(async |world: World| {
        add_user(&world.gateway, "bob", "bobs-key").await;
        let (ann, bob) = (world.user(), world.client("bobs-key"));
        let key = bob
            .post("/v1/phone-api-keys", json!({"name": "desk"}))
            .await
            .ok();
        let phone = world.client(key["api_key"].as_str().unwrap());
        let shut = ann.put(BOB, json!({"disabled": true})).await.ok();
        assert_eq!(shut["state"], "disabled");
        bob.get("/v1/users/me").await.unauthorized();
        phone.get("/v1/phones/notifications").await.unauthorized();
        ann.put(BOB, json!({"disabled": false})).await.ok();
        bob.get("/v1/users/me").await.ok();
        phone.get("/v1/phones/notifications").await.empty();
    })
    .await;
}

#[tokio::test]
async fn somebody_is_invited_and_chooses_a_password() {
    on_each_engine(async |world: World| {
        let ann = world.user();
        let invalid = "validation errors while creating user";
        ann.post(ALL, json!({"email": "nobody"})).await.invalid(
            invalid,
            json!({"email": ["The email must be an e-mail address of at most 255 characters"]}),
        );
        ann.post(ALL, json!({"email": "ann@example.org"}))
            .await
            .invalid(invalid, json!({"email": ["The email is already in use"]}));
        ann.post(
            ALL,
            json!({"email": "bob@example.org", "password": "short"}),
        )
        .await
        .invalid(
            invalid,
            json!({"password": ["The password field must be minimum 8 char"]}),
        );
        let made = ann.post(ALL, json!({"email": " bob@example.org "})).await;
        let made = made.says(201, "user created successfully").ok();
        assert_eq!(
            (&made["email"], &made["state"]),
            (&json!("bob@example.org"), &json!("invited"))
        );
        let url = made["password_link"]["url"].as_str().unwrap();
        let token = url
            .strip_prefix("http://sms.example:8000/#/password?token=")
            .unwrap();
        let choose = async |token: &str, password: &str| {
            let body = json!({"token": token, "password": password});
            world.anonymous().post("/v1/choose-password", body).await
        };
        choose(token, "short").await.invalid(
            "validation errors while choosing password",
            json!({"password": ["The password field must be minimum 8 char"]}),
        );
        let chosen = choose(token, PASSWORD).await;
        let cookie = chosen
            .header("set-cookie")
            .split_once(';')
            .unwrap()
            .0
            .to_owned();
        assert_eq!(
            chosen.says(201, "password chosen successfully").ok()["email"],
            "bob@example.org"
        );
        let spent = "This link was used already, or has expired. Ask for a new one.";
        choose(token, PASSWORD).await.missing(spent);
        let me = Request::builder()
            .uri("/v1/users/me")
            .header("cookie", cookie);
        assert_eq!(
            world.call(me.body("".into()).unwrap()).await.ok()["email"],
            "bob@example.org"
        );

        let id = made["id"].as_str().unwrap();
        let again = ann
            .post(&format!("{ALL}/{id}/password-links"), json!({}))
            .await;
        let again = again.says(201, "password link created successfully").ok();
        assert!(
            again["url"]
                .as_str()
                .is_some_and(|url| !url.contains(token))
        );
        ann.post("/v1/admin/users/nobody/password-links", json!({}))
            .await
            .missing("cannot find user with ID [nobody]");
        // The old one is good until the link is used.
        let old = json!({"email": "bob@example.org", "password": PASSWORD});
        world.anonymous().post("/v1/sessions", old).await.ok();
        let with = json!({"email": "carl@example.org", "password": PASSWORD, "admin": true});
        let carl = ann.post(ALL, with).await.ok();
        assert_eq!(
            (&carl["password_link"], &carl["admin"]),
            (&json!(null), &json!(true))
        );
        assert_eq!(
            world
                .client(USER_KEY)
                .get(ALL)
                .await
                .ok()
                .as_array()
                .unwrap()
                .len(),
            3
        );
    })
    .await;
}

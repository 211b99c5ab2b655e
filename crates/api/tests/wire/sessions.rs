//! Signing in and out, the first owner, sign-up, and what a session's cookie may do.

use axum::http::{Method, Request};
use gateway::account::NewUser;
use serde_json::{Value, json};

use crate::support::{Answer, NOBODY, USER_KEY, World, on_each_engine};

const PASSWORD: &str = "correct horse";

/// What a browser sends along with what its own pages ask.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A request with these headers, and a body if it is not null.
async fn ask(
    world: &World,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_null() {
        return world.call(request.body("".into()).unwrap()).await;
    }
    let request = request.header("content-type", "application/json");
    world
        .call(request.body(body.to_string().into()).unwrap())
        .await
}

/// The cookie that an answer sets, as it comes back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    let (pair, rest) = set.split_once("; ").unwrap();
    assert_eq!(rest, "Max-Age=34560000; Path=/; HttpOnly; SameSite=Strict");
    assert!(pair.starts_with("httpsms_session=") && pair.len() == 59);
    pair.to_owned()
}

async fn bob(world: &World) {
    let bob = NewUser {
        email: "bob@example.org".to_owned(),
        password: Some(PASSWORD.to_owned()),
        api_key: Some("bobs-key".to_owned()),
        ..NewUser::default()
    };
    world.gateway.add_user(bob).await.unwrap();
}

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

async fn sign_in(world: &World) -> String {
    let body = credentials("bob@example.org", PASSWORD);
    let answer = world.anonymous().post("/v1/sessions", body).await;
    cookie(&answer.says(201, "signed in successfully"))
}

#[tokio::test]
async fn a_session_stands_for_the_key() {
    on_each_engine(async |world: World| {
        bob(&world).await;
        let cookie = sign_in(&world).await;
        let headers = [("cookie", cookie.as_str()), OWN];
        let me = ask(&world, Method::GET, "/v1/users/me", &headers, Value::Null).await;
        assert_eq!(me.ok()["api_key"], "bobs-key");
        let name = json!({"name": "desk"});
        ask(&world, Method::POST, "/v1/phone-api-keys", &headers, name)
            .await
            .ok();

        let path = "/v1/sessions";
        let listed = ask(&world, Method::GET, path, &headers, Value::Null).await;
        let listed = listed.says(200, "fetched 1 session").ok();
        assert_eq!(listed[0]["current"], true);
        let other = sign_in(&world).await;
        let listed = ask(&world, Method::GET, path, &headers, Value::Null)
            .await
            .ok();
        assert_eq!(
            (&listed[0]["current"], &listed[1]["current"]),
            (&json!(false), &json!(true))
        );
        let id = format!("{path}/{}", listed[0]["id"].as_str().unwrap());
        let ended = ask(&world, Method::DELETE, &id, &headers, Value::Null).await;
        ended.empty();
        assert_eq!(ended.header("set-cookie"), "");
        let by_other = [("cookie", other.as_str()), OWN];
        ask(&world, Method::GET, path, &by_other, Value::Null)
            .await
            .unauthorized();
        // The key goes on beside it, and has no session of its own.
        let bob = world.client("bobs-key");
        assert_eq!(bob.get(path).await.ok()[0]["current"], false);
        bob.delete("/v1/sessions/current")
            .await
            .missing("this request has no session, but a key");
        bob.delete(&format!("{path}/{NOBODY}"))
            .await
            .missing(&format!("cannot find session with ID [{NOBODY}]"));
        bob.delete(&format!("{path}/x")).await.invalid(
            "validation errors while ending session",
            json!({"sessionID": ["The sessionID field must contain valid UUID"]}),
        );

        let ended = ask(
            &world,
            Method::DELETE,
            "/v1/sessions/current",
            &headers,
            Value::Null,
        )
        .await;
        ended.empty();
        assert!(
            ended
                .header("set-cookie")
                .starts_with("httpsms_session=; Max-Age=0; Path=/")
        );
        ask(&world, Method::GET, path, &headers, Value::Null)
            .await
            .unauthorized();
        let third = sign_in(&world).await;
        bob.delete(path).await.empty();
        let headers = [("cookie", third.as_str())];
        ask(&world, Method::GET, path, &headers, Value::Null)
            .await
            .unauthorized();
    })
    .await;
}

#[tokio::test]
async fn other_sites_pages_cannot_use_a_session() {
    let world = World::open(None).await;
    bob(&world).await;
    let cookie = sign_in(&world).await;
    let cookie = ("cookie", cookie.as_str());
    let name = || json!({"name": "desk"});
    for foreign in [
        &[cookie][..],
        &[cookie, ("sec-fetch-site", "cross-site")],
        &[cookie, ("sec-fetch-site", "same-site")],
        &[cookie, ("origin", "http://evil.example")],
    ] {
        let path = "/v1/phone-api-keys";
        let refused = ask(&world, Method::POST, path, foreign, name()).await;
        refused.says(403, "This request comes from a page of another server.");
        let path = "/v1/phones?limit=1";
        ask(&world, Method::GET, path, foreign, Value::Null)
            .await
            .ok();
        // With a key it does not matter what page has it.
        let keyed = [foreign, &[("x-api-key", "bobs-key")]].concat();
        let path = "/v1/phone-api-keys";
        ask(&world, Method::POST, path, &keyed, name()).await.ok();
    }
    for own in [
        [cookie, ("sec-fetch-site", "none")],
        [cookie, ("origin", "http://sms.example:8000")],
    ] {
        let path = "/v1/phone-api-keys";
        ask(&world, Method::POST, path, &own, name()).await.ok();
    }
    // A key that is shown decides, though it is wrong.
    let headers = [cookie, OWN, ("x-api-key", "wrong")];
    ask(&world, Method::GET, "/v1/users/me", &headers, Value::Null)
        .await
        .unauthorized();
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_slowed_down() {
    let world = World::open(None).await;
    bob(&world).await;
    let nobody = world.anonymous();
    for body in [
        credentials("bob@example.org", "wrong"),
        credentials("nobody@example.org", PASSWORD),
        json!({}),
    ] {
        let refused = nobody.post("/v1/sessions", body).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (401, ""));
        let why = "The e-mail address or the password is wrong.";
        assert_eq!(refused.json()["data"], why);
    }
    for _ in 0..4 {
        let body = credentials("BOB@example.org", "wrong");
        assert_eq!(nobody.post("/v1/sessions", body).await.status, 401);
    }
    let body = credentials("bob@example.org", PASSWORD);
    let slowed = nobody.post("/v1/sessions", body).await;
    assert_eq!(slowed.header("retry-after"), "1");
    slowed.says(429, "Too many attempts. Please try again in 1 second.");
    nobody
        .post("/v1/sessions", json!({"email": 1}))
        .await
        .malformed("email: expected a string");
}

#[tokio::test]
async fn a_new_server_gets_its_owner_once() {
    on_each_engine(async |world: World| {
        let nobody = world.anonymous();
        let setup = nobody.get("/v1/setup").await.ok();
        let expected = json!({
            "needs_owner": true, "sign_up": "closed", "version": setup["version"],
            "public_url": "http://sms.example:8000",
        });
        assert_eq!(setup, expected);
        let body = |key: &str, email: &str, password: &str| {
            json!({"api_key": key, "email": email, "password": password})
        };
        let email = "owner@example.org";
        nobody
            .post("/v1/setup", body("uk_guessed", email, PASSWORD))
            .await
            .unauthorized();
        nobody
            .post("/v1/setup", body(USER_KEY, "nobody", "short"))
            .await
            .invalid(
                "validation errors while setting up",
                json!({"password": ["The password field must be minimum 8 char"]}),
            );
        let done = nobody.post("/v1/setup", body(USER_KEY, email, PASSWORD)).await;
        let cookie = cookie(&done);
        let user = done.says(201, "owner set up successfully").ok();
        assert_eq!((&user["id"], &user["email"]), (&json!("ann-ID"), &json!(email)));
        let headers = [("cookie", cookie.as_str())];
        let me = ask(&world, Method::GET, "/v1/users/me", &headers, Value::Null).await;
        assert_eq!(me.ok()["email"], email);
        assert_eq!(nobody.get("/v1/setup").await.ok()["needs_owner"], false);
        nobody
            .post("/v1/setup", body(USER_KEY, email, PASSWORD))
            .await
            .says(409, "This server has an owner already. Sign in instead.");
        nobody
            .post("/v1/sign-up", credentials("carl@example.org", PASSWORD))
            .await
            .says(403, "Sign-up is closed on this server.");
    })
    .await;
}

#[tokio::test]
async fn an_open_server_takes_whoever_asks() {
    let world = World::with(None, |options| options.sign_up = true).await;
    let nobody = world.anonymous();
    assert_eq!(nobody.get("/v1/setup").await.ok()["sign_up"], "open");
    let carl = || credentials("carl@example.org", PASSWORD);
    let made = nobody.post("/v1/sign-up", carl()).await;
    let cookie = cookie(&made);
    let carls = made.says(201, "account created successfully").ok();
    assert!(carls["api_key"].as_str().unwrap().starts_with("uk_"));
    let headers = [("cookie", cookie.as_str())];
    let me = ask(&world, Method::GET, "/v1/users/me", &headers, Value::Null).await;
    assert_eq!(me.ok()["id"], carls["id"]);
    nobody.post("/v1/sign-up", carl()).await.invalid(
        "validation errors while signing up",
        json!({"email": ["The email is already in use"]}),
    );
    nobody
        .post("/v1/sign-up", credentials("nobody", PASSWORD))
        .await
        .invalid(
            "validation errors while signing up",
            json!({"email": ["The email must be an e-mail address of at most 255 characters"]}),
        );
}

#[tokio::test]
async fn a_new_password_ends_other_sessions() {
    let world = World::open(None).await;
    bob(&world).await;
    let (first, second) = (sign_in(&world).await, sign_in(&world).await);
    let change = async |old: &str, new: &str| {
        let body = json!({"old_password": old, "new_password": new});
        let headers = [("cookie", first.as_str()), OWN];
        ask(&world, Method::PUT, "/v1/users/me/password", &headers, body).await
    };
    let invalid = "validation errors while changing password";
    change("wrong", "battery staple").await.invalid(
        invalid,
        json!({"old_password": ["The old_password field is not your password"]}),
    );
    change(PASSWORD, "short").await.invalid(
        invalid,
        json!({"new_password": ["The new_password field must be minimum 8 char"]}),
    );
    let done = change(PASSWORD, "battery staple").await;
    assert_eq!(
        done.says(200, "password changed successfully").ok(),
        json!(null)
    );
    for (cookie, status) in [(first, 200), (second, 401)] {
        let headers = [("cookie", cookie.as_str())];
        let me = ask(&world, Method::GET, "/v1/users/me", &headers, Value::Null).await;
        assert_eq!(me.status, status);
    }
    // An account that never had one needs no old one.
    let body = json!({"new_password": PASSWORD});
    world.user().put("/v1/users/me/password", body).await.ok();
}

//! `Idempotency-Key`: the same request is done once and gets the same answer.

use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, OWNER, USER_KEY, World, on_each_engine};

async fn post(world: &World, path: &str, key: &str, body: &Value) -> Answer {
    post_as(world, USER_KEY, path, key, body).await
}

async fn post_as(world: &World, caller: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("x-api-key", caller)
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    world
        .call(request.body(body.to_string().into()).unwrap())
        .await
}

async fn sent(world: &World) -> usize {
    let list = "/v1/messages?limit=-1&owner=%2B18005550199&contact=24273";
    world.user().get(list).await.ok().as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_done_once() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let path = "/v1/messages/send";
        let sms = json!({"from": OWNER, "to": "24273", "content": "hi"});
        let first = post(&world, path, "k", &sms).await;
        let again = post(&world, path, "k", &sms).await;
        assert_eq!((first.status, first.text()), (again.status, again.text()));
        assert_eq!(first.header("idempotent-replayed"), "");
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.ok()["id"], first.ok()["id"]);
        assert_eq!(sent(&world).await, 1);

        let other = json!({"from": OWNER, "to": "24273", "content": "something else"});
        let used = "The Idempotency-Key was used for another request";
        post(&world, path, "k", &other)
            .await
            .invalid("validation errors", json!({"Idempotency-Key": [used]}));
        post(&world, path, "l", &other).await.ok();
        assert_eq!(sent(&world).await, 2);
        for wrong in ["", &"x".repeat(256)] {
            let text = "The Idempotency-Key must have between 1 and 255 characters";
            post(&world, path, wrong, &sms)
                .await
                .invalid("validation errors", json!({"Idempotency-Key": [text]}));
        }
        // What was refused may be tried again.
        let nobody = json!({"from": "+18005550111", "to": "24273", "content": "hi"});
        for _ in 0..2 {
            assert_eq!(post(&world, path, "m", &nobody).await.status, 422);
        }
        post_as(&world, "wrong", path, "k", &sms)
            .await
            .unauthorized();
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let sms = json!({"from": OWNER, "to": ["24273"], "content": "hi"});
        let (world, sms) = (&world, &sms);
        let all = futures_util::future::join_all((0..10).map(|_| async move {
            let answer = post(world, "/v1/messages/bulk-send", "k", sms).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text()
        }));
        let all = all.await;
        assert!(all.iter().all(|text| *text == all[0]), "{all:?}");
        assert_eq!(sent(world).await, 1);
    })
    .await;
}

/// Whatever a route does: the wrapper does not know it.
#[tokio::test]
async fn every_route_that_makes_something_takes_a_key() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let phone = phone.key.clone().unwrap();
        let webhook = json!({
            "url": "https://hooks.example.org/sms", "events": ["message.phone.received"],
            "phone_numbers": [OWNER],
        });
        let received = json!({"from": "24273", "to": OWNER, "content": "hi"});
        for (caller, path, body) in [
            (USER_KEY, "/v1/phone-api-keys", json!({"name": "desk"})),
            (
                USER_KEY,
                "/v1/api-keys",
                json!({"name": "shop", "scopes": ["read"]}),
            ),
            (USER_KEY, "/v1/webhooks", webhook),
            (phone.as_str(), "/v1/messages/receive", received),
            (
                phone.as_str(),
                "/v1/heartbeats",
                json!({"phone_numbers": [OWNER]}),
            ),
        ] {
            let first = post_as(&world, caller, path, "k", &body).await;
            let again = post_as(&world, caller, path, "k", &body).await;
            assert!(
                matches!(first.status, 200 | 201),
                "{path}: {}",
                first.text()
            );
            assert_eq!((first.status, first.text()), (again.status, again.text()));
            assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
        }
        let keys = world.user().get("/v1/api-keys").await.ok();
        assert_eq!(keys.as_array().unwrap().len(), 1);
        // An answer with a secret is for whoever got it.
        let body = json!({"name": "desk"});
        let path = "/v1/phone-api-keys";
        post_as(&world, &phone, path, "k", &body).await.invalid(
            "validation errors",
            json!({"Idempotency-Key": ["The Idempotency-Key was used for another request"]}),
        );
    })
    .await;
}

/// A request: who asks, where, and what.
type Asked = (String, String, Value);

/// Requests about things that are there already, after those that make things. Those of one
/// transaction come first, then those of several steps.
async fn requests(world: &World) -> (Vec<Asked>, Vec<Asked>) {
    let phone = world.phone(&[OWNER]).await;
    let phone = phone.key.clone().unwrap();
    let user = world.user();
    let later = json!({
        "from": OWNER, "to": "24273", "content": "hi", "send_at": "2026-03-05T09:00:00Z",
    });
    let waiting = user.post("/v1/messages/send", later).await.ok()["id"].clone();
    let now = json!({"from": OWNER, "to": "24273", "content": "hi"});
    let sent = user.post("/v1/messages/send", now).await.ok()["id"].clone();
    let webhook = json!({
        "url": "https://hooks.example.org/sms", "events": ["message.phone.received"],
        "phone_numbers": [OWNER],
    });
    let webhook = user.post("/v1/webhooks", webhook).await.ok()["id"].clone();
    let bulk = json!({
        "from": OWNER, "to": ["24273", "24274"], "content": "hi", "request_id": "bulk-x",
    });
    user.post("/v1/messages/bulk-send", bulk).await.ok();

    let text = |id: &Value| id.as_str().unwrap().to_owned();
    let (waiting, sent, webhook) = (text(&waiting), text(&sent), text(&webhook));
    let hook = |what: &str| format!("/v1/webhooks/{webhook}/{what}");
    let bulk = |what: &str| format!("/v1/bulk-messages/bulk-x/{what}");
    let at = "2026-03-02T09:00:00Z";
    let call = json!({"from": "24273", "to": OWNER, "sim": "SIM1", "timestamp": at});
    let windows = json!([{"day_of_week": 1, "start_minute": 540, "end_minute": 1080}]);
    let schedule = json!({"name": "Office", "timezone": "Europe/Lisbon", "windows": windows});
    let discord = json!({
        "name": "Ops", "server_id": "1100000000000000001",
        "incoming_channel_id": "1100000000000000002",
    });
    let three_cx = json!({"from": OWNER, "to": "24273", "text": "hi"});
    let nothing = json!({});
    let asked = |(who, path, body): (&str, String, Value)| (who.to_owned(), path, body);
    let whole = [
        (&*phone, "/v1/messages/calls/missed".to_owned(), call),
        (
            USER_KEY,
            format!("/v1/messages/{waiting}/cancel"),
            nothing.clone(),
        ),
        (
            &*phone,
            format!("/v1/messages/{sent}/events"),
            json!({"event_name": "SENT", "timestamp": at}),
        ),
        (
            USER_KEY,
            "/v1/messages/bulk-resend".to_owned(),
            json!({"ids": [sent]}),
        ),
        (USER_KEY, "/integration/3cx/messages".to_owned(), three_cx),
        (USER_KEY, "/v1/send-schedules".to_owned(), schedule),
        (USER_KEY, "/v1/discord-integrations".to_owned(), discord),
        (
            USER_KEY,
            hook("test"),
            json!({"event_type": "message.phone.received"}),
        ),
        (USER_KEY, hook("pause"), nothing.clone()),
        (USER_KEY, hook("resume"), nothing.clone()),
        (USER_KEY, hook("rotate-key"), nothing.clone()),
        (
            USER_KEY,
            hook("replays"),
            json!({"since": "2026-03-01T09:00:00Z"}),
        ),
    ];
    let stepwise = [
        (USER_KEY, bulk("pause"), nothing.clone()),
        (USER_KEY, bulk("resume"), nothing.clone()),
        (USER_KEY, bulk("cancel"), nothing.clone()),
        (
            USER_KEY,
            "/v1/messages/bulk-delete".to_owned(),
            json!({"ids": [sent]}),
        ),
    ];
    let whole = whole.into_iter().map(asked).collect();
    (whole, stepwise.into_iter().map(asked).collect())
}

#[tokio::test]
async fn every_route_that_does_something_to_a_thing_takes_a_key() {
    on_each_engine(async |world: World| {
        let (whole, stepwise) = requests(&world).await;
        for (caller, path, body) in whole.into_iter().chain(stepwise) {
            let first = post_as(&world, &caller, &path, "k", &body).await;
            let again = post_as(&world, &caller, &path, "k", &body).await;
            assert!(
                matches!(first.status, 200..=202),
                "{path}: {}",
                first.text()
            );
            assert_eq!((first.status, first.text()), (again.status, again.text()));
            assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
        }
    })
    .await;
}

/// How many rows each table has, the answers aside.
fn rows(db: &rusqlite::Connection) -> Vec<(String, i64)> {
    let mut tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search%' AND name <> 'idempotency'")
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let count = |name: String| {
        let sql = format!("SELECT count(*) FROM {name}");
        let count = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        (name, count)
    };
    names.map(|name| count(name.unwrap())).collect()
}

#[tokio::test]
async fn what_cannot_keep_its_answer_is_not_done() {
    let world = World::open(None).await;
    let (whole, _) = requests(&world).await;
    let db = rusqlite::Connection::open(world.folder.path().join("httpsms.db")).unwrap();
    for (caller, path, body) in whole {
        db.execute_batch(
            "CREATE TRIGGER no_answers BEFORE UPDATE ON idempotency
              BEGIN SELECT RAISE(ABORT, 'no answers'); END",
        )
        .unwrap();
        let before = (rows(&db), world.everything().await);
        let lost = post_as(&world, &caller, &path, "k", &body).await;
        assert_eq!(lost.status, 500, "{path}: {}", lost.text());
        assert_eq!((rows(&db), world.everything().await), before, "{path}");
        db.execute_batch("DROP TRIGGER no_answers").unwrap();
        let done = post_as(&world, &caller, &path, "k", &body).await;
        assert!(matches!(done.status, 200..=202), "{path}: {}", done.text());
        assert_eq!(done.header("idempotent-replayed"), "", "{path}");
    }
}

#[tokio::test]
async fn public_routes_do_not_look_at_a_key() {
    let world = World::open(None).await;
    let nobody = json!({"email": "nobody@example.org", "password": "correct horse"});
    for key in ["", "k"] {
        let refused = post(&world, "/v1/sessions", key, &nobody).await;
        assert_eq!(refused.status, 401);
    }
}

#[tokio::test]
async fn a_file_is_accepted_once_and_its_place_told_again() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let file = format!("FromPhoneNumber,ToPhoneNumber,Content\n{OWNER},+18005550100,hi");
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--x--\r\n"
        );
        let upload = async || {
            let request = Request::builder()
                .method(Method::POST)
                .uri("/v1/bulk-messages")
                .header("x-api-key", USER_KEY)
                .header("content-type", "multipart/form-data; boundary=x")
                .header("idempotency-key", "k");
            world.call(request.body(form.clone().into()).unwrap()).await
        };
        let (first, again) = (upload().await, upload().await);
        assert_eq!((first.status, first.text()), (202, again.text()));
        assert_eq!(again.header("idempotent-replayed"), "true");
        let place = first.header("location");
        assert!(place.starts_with("/v1/bulk-messages/bulk%2D"), "{place}");
        assert_eq!(again.header("location"), place);
        let all = world.user().get("/v1/messages/search").await.ok();
        assert_eq!(all.as_array().unwrap().len(), 1);
    })
    .await;
}

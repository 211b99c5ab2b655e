//! Threads: lists of conversations, what was read, the archive.

use serde_json::{Value, json};

use crate::support::{AT, CONTACT, Client, NOBODY, OWNER, SECOND, World, e164, on_each_engine};

const LIST: &str = "/v1/message-threads?owner=%2B18005550199";

async fn receive(phone: &Client<'_>, to: &str, from: &str, content: &str) -> String {
    let at = phone.world.gateway.now().to_string();
    let body = json!({"to": to, "from": from, "content": content, "timestamp": at});
    let data = phone.post("/v1/messages/receive", body).await.ok();
    data["id"].as_str().unwrap().to_owned()
}

fn contacts(data: &Value) -> Vec<&str> {
    let threads = data.as_array().unwrap().iter();
    threads
        .map(|thread| thread["contact"].as_str().unwrap())
        .collect()
}

async fn listed(world: &World, query: &str) -> Value {
    world.user().get(&format!("{LIST}{query}")).await.ok()
}

#[tokio::test]
async fn threads_are_listed_newest_first() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        for (from, content) in [("BANK", "Your code"), ("SHOP", "Sale"), (CONTACT, "hello")] {
            receive(&phone, OWNER, from, content).await;
        }
        let answer = world.user().get(LIST).await;
        let data = answer.says(200, "fetched 3 message threads").ok();
        assert_eq!(contacts(&data), [CONTACT, "SHOP", "BANK"]);
        let first = &data[0];
        let expected = json!({
            "id": first["id"], "owner": OWNER, "contact": CONTACT, "is_archived": false,
            "is_read": false, "user_id": "ann-ID", "color": first["color"], "status": "received",
            "last_message_content": "hello", "last_message_id": first["last_message_id"],
            "created_at": first["created_at"], "updated_at": first["updated_at"],
            "order_timestamp": first["order_timestamp"],
        });
        assert_eq!(*first, expected);
        for (query, expected) in [
            ("&limit=1", vec![CONTACT]),
            ("&skip=1&limit=1", vec!["SHOP"]),
            ("&limit=100&skip=-1", vec![CONTACT, "SHOP", "BANK"]),
            ("&limit=-1", vec![CONTACT, "SHOP", "BANK"]),
            ("&limit=0", vec![]),
            ("&query=CODE", vec!["BANK"]),
            ("&query=shop", vec!["SHOP"]),
            ("&is_archived=TRUE", vec![]),
            ("&is_archived=0", vec![CONTACT, "SHOP", "BANK"]),
        ] {
            assert_eq!(contacts(&listed(&world, query).await), expected, "{query}");
        }
        // A `+` that was not escaped is no trouble here: the number is formatted anyway.
        let raw = "/v1/message-threads?owner=+18005550199&limit=1";
        let one = world.user().get(raw).await;
        one.says(200, "fetched 1 message thread");
    })
    .await;
}

#[tokio::test]
async fn reading_on_from_a_place_misses_nothing() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER, SECOND]).await;
        for number in 0..7 {
            let to = if number % 2 == 0 { OWNER } else { SECOND };
            receive(&phone, to, &format!("N{number}"), "x").await;
        }
        // Two of the same time: the clock stands still between them.
        let body = json!({"to": OWNER, "from": "S1", "content": "x", "timestamp": AT});
        phone.post("/v1/messages/receive", body).await.ok();
        let body = json!({"to": SECOND, "from": "S2", "content": "x", "timestamp": AT});
        phone.post("/v1/messages/receive", body).await.ok();
        let all = world
            .user()
            .get("/v1/message-threads?all=true&limit=-1")
            .await
            .ok();
        assert_eq!(
            contacts(&all)[..7],
            ["N6", "N5", "N4", "N3", "N2", "N1", "N0"]
        );
        assert_eq!(all.as_array().unwrap().len(), 9);
        let (mut seen, mut place) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/message-threads?all=1&limit=2{place}");
            let part = world.user().get(&path).await.ok();
            let Some(last) = part.as_array().unwrap().last().cloned() else {
                break;
            };
            place = format!(
                "&before={}&before_id={}",
                last["order_timestamp"].as_str().unwrap(),
                last["id"].as_str().unwrap()
            );
            seen.extend(part.as_array().unwrap().clone());
        }
        assert_eq!(json!(seen), all);
        let window = "/v1/message-threads?all=1&limit=3&skip=2";
        let window = world.user().get(window).await.ok();
        assert_eq!(contacts(&window), ["N4", "N3", "N2"]);
        let messages = format!(
            "/v1/messages?owner=%2B18005550199&contact=N6&before={}",
            all[0]["order_timestamp"].as_str().unwrap()
        );
        let older = world.user().get(&messages).await.ok();
        assert_eq!(older, json!([]), "before means before");
    })
    .await;
}

#[tokio::test]
async fn threads_are_read_and_archived() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER, SECOND]).await;
        receive(&phone, OWNER, CONTACT, "hello").await;
        receive(&phone, SECOND, "BANK", "code").await;
        let counts = async || {
            let answer = world.user().get("/v1/message-threads/counts").await;
            answer
                .says(200, "message threads counted successfully")
                .ok()
        };
        let by = |owner: i64, second: i64| {
            json!([{"owner": SECOND, "unread": second}, {"owner": OWNER, "unread": owner}])
        };
        assert_eq!(
            counts().await,
            json!({"unread": 2, "archived": 0, "by_owner": by(1, 1)})
        );
        let id = listed(&world, "").await[0]["id"].clone();
        let path = format!("/v1/message-threads/{}", id.as_str().unwrap());
        let read = world.user().put(&path, json!({"is_read": true})).await;
        let read = read.says(200, "message thread updated successfully").ok();
        assert_eq!(read["is_read"], true);
        assert_eq!(contacts(&listed(&world, "&unread=true").await), [""; 0]);
        let archived = world.user().put(&path, json!({"is_archived": true})).await;
        assert_eq!(archived.ok()["is_archived"], true);
        assert_eq!(contacts(&listed(&world, "&is_archived=1").await), [CONTACT]);
        assert_eq!(contacts(&listed(&world, "").await), [""; 0]);
        assert_eq!(
            counts().await,
            json!({"unread": 1, "archived": 1, "by_owner": by(0, 1)})
        );
        let shown = world.user().get(&path).await;
        let shown = shown
            .says(200, "message thread fetched successfully")
            .ok();
        assert_eq!(shown["contact"], CONTACT);
        // What comes in is unread, but stays in the archive unless its phone wants otherwise.
        receive(&phone, OWNER, CONTACT, "again").await;
        let found = listed(&world, "&is_archived=true&unread=true").await;
        assert_eq!(found[0]["last_message_content"], "again");
        let unarchive = json!({"phone_number": OWNER, "unarchive_thread": true});
        world.user().put("/v1/phones", unarchive).await.ok();
        receive(&phone, OWNER, CONTACT, "and again").await;
        assert_eq!(contacts(&listed(&world, "&unread=1").await), [CONTACT]);
    })
    .await;
}

#[tokio::test]
async fn deleting_a_thread_cancels_what_waits() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        receive(&phone, OWNER, CONTACT, "hello").await;
        let body = json!({"from": OWNER, "to": CONTACT, "content": "hi"});
        let sent = world.user().post("/v1/messages/send", body).await.ok();
        let id = listed(&world, "").await[0]["id"].clone();
        let path = format!("/v1/message-threads/{}", id.as_str().unwrap());
        world.user().delete(&path).await.empty();
        let message = format!("/v1/messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(world.user().get(&message).await.status, 404);
        let claim = sent["id"].as_str().unwrap();
        let claim = format!("/v1/messages/outstanding?message_id={claim}");
        assert_eq!(phone.get(&claim).await.status, 404);
        let gone = format!(
            "cannot find thread thread with ID [{}]",
            id.as_str().unwrap()
        );
        world.user().delete(&path).await.missing(&gone);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    on_each_engine(async |world: World| {
        let fetching = "validation errors while fetching message threads";
        let list = "/v1/message-threads?is_archived=maybe&limit=x&before=now&before_id=1&unread=2";
        world.user().get(list).await.invalid(
            fetching,
            json!({
                "owner": ["The owner field is required", e164("owner")],
                "is_archived": ["The is_archived field must be one of true, false"],
                "unread": ["The unread field must be one of true, false"],
                "limit": ["The limit field must be numeric"],
                "before": ["The before field must be a time such as 2026-01-02T03:04:05Z"],
                "before_id": ["The before_id field must contain valid UUID"],
            }),
        );
        let updating = "validation errors while updating message thread";
        let path = format!("/v1/message-threads/{NOBODY}");
        let nothing = json!({"payload": ["at least one of is_archived or is_read is required"]});
        world
            .user()
            .put(&path, json!({}))
            .await
            .invalid(updating, nothing);
        let wrong =
            json!({"messageThreadID": ["The messageThreadID field must contain valid UUID"]});
        let read = json!({"is_read": true});
        let put = world
            .user()
            .put("/v1/message-threads/X", read.clone())
            .await;
        put.invalid(updating, wrong.clone());
        let deleting = "validation errors while deleting a thread thread";
        let delete = world.user().delete("/v1/message-threads/X").await;
        delete.invalid(deleting, wrong.clone());
        let showing = "validation errors while fetching message thread";
        let show = world.user().get("/v1/message-threads/X").await;
        show.invalid(showing, wrong);
        let unknown = format!("cannot find message thread with ID [{NOBODY}]");
        world.user().put(&path, read).await.missing(&unknown);
        world.user().get(&path).await.missing(&unknown);
        let gone = format!("cannot find thread thread with ID [{NOBODY}]");
        world.user().delete(&path).await.missing(&gone);
        world
            .user()
            .put(&path, json!({"is_read": "yes"}))
            .await
            .malformed("is_read");
        world.anonymous().get(LIST).await.unauthorized();
    })
    .await;
}

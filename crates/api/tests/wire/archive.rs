//! How long the account keeps what it has, and everything of it as one archive.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gateway::attachment::{Later, NewFile, Opened, Store};
use serde_json::{Value, json};

use crate::support::{OWNER, USER_KEY, World, on_each_engine};

#[tokio::test]
async fn retention_is_set_member_by_member() {
    on_each_engine(async |world: World| {
        let (user, path) = (world.user(), "/v1/users/me/retention");
        let none = json!({
            "messages_days": 0, "events_days": 0, "deliveries_days": 0, "heartbeats_days": 0,
        });
        let shown = user.get(path).await;
        assert_eq!(shown.says(200, "retention fetched successfully").ok(), none);
        user.put(path, json!({"messages_days": 30, "events_days": 7}))
            .await
            .ok();
        let set = user
            .put(path, json!({"messages_days": null, "events_days": 0}))
            .await;
        let set = set.says(200, "retention updated successfully").ok();
        let mut expected = none;
        expected["messages_days"] = json!(30);
        assert_eq!(set, expected);
        assert_eq!(user.get(path).await.ok(), expected);
        let why = "The events_days field value can not be greater than 36500";
        user.put(path, json!({"messages_days": 1, "events_days": 36501}))
            .await
            .invalid(
                "validation errors while updating retention",
                json!({"events_days": [why]}),
            );
        user.put(path, json!({"events_days": -1}))
            .await
            .malformed("a whole number that is not negative");
        assert_eq!(user.get(path).await.ok(), expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_has_everything_but_keys() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let file = json!({"name": "a.png", "content_type": "image/png", "content": "cGljdHVyZQ=="});
        let sms = json!({"from": "24273", "to": OWNER, "content": "look", "attachments": [file]});
        let received = phone.post("/v1/messages/receive", sms).await.ok();
        for nth in 0..600 {
            let sms = json!({"from": OWNER, "to": "24273", "content": format!("text {nth}")});
            world.user().post("/v1/messages/send", sms).await.ok();
        }
        let answer = world.user().get("/v1/users/me/export").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/zip");
        let mut archive = zip::ZipArchive::new(Cursor::new(answer.body.to_vec())).unwrap();
        let mut read = |name: &str| {
            let mut text = String::new();
            archive
                .by_name(name)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        };
        let messages = read("messages.jsonl");
        assert_eq!(messages.lines().count(), 601);
        assert!(messages.contains("text 599"));
        let account: Value = serde_json::from_str(&read("account.jsonl")).unwrap();
        assert_eq!(
            (&account["id"], &account["api_key"]),
            (&json!("ann-ID"), &Value::Null)
        );
        assert!(read("phone-api-keys.jsonl").contains("desk"));
        let picture = format!("attachments/{}/0/a.png", received["id"].as_str().unwrap());
        assert_eq!(read(&picture), "picture");
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            for secret in [USER_KEY, phone.key.as_deref().unwrap()] {
                assert!(!text.contains(secret), "{index}");
            }
        }
    })
    .await;
}

/// Keeps files elsewhere, as a bucket does, and tells of one at a time. Sometimes it is away.
#[derive(Debug, Default)]
struct Shelf {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    away: AtomicBool,
}

impl Shelf {
    fn reach(&self) -> io::Result<std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>>> {
        if self.away.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::NetworkDown.into());
        }
        Ok(self.files.lock().unwrap())
    }
}

impl Store for Shelf {
    fn keep<'a>(&'a self, folder: &'a str, files: Vec<NewFile>) -> Later<'a, ()> {
        Box::pin(async move {
            let named = |file: NewFile| (format!("{folder}/{}", file.path), file.content);
            self.reach()?.extend(files.into_iter().map(named));
            Ok(())
        })
    }

    fn open<'a>(&'a self, path: &'a str) -> Later<'a, Option<Opened>> {
        Box::pin(async move {
            let content = self.reach()?.get(path).cloned();
            Ok(content.map(|content| Opened {
                length: content.len() as u64,
                content: Box::new(Cursor::new(content)),
            }))
        })
    }

    fn list<'a>(&'a self, folder: &'a str, after: &'a str) -> Later<'a, Vec<String>> {
        Box::pin(async move {
            let files = self.reach()?;
            let places = files
                .keys()
                .filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
            let mut later = places.filter(|place| *place > after);
            Ok(later.next().map(str::to_owned).into_iter().collect())
        })
    }

    fn remove<'a>(&'a self, folder: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            self.reach()?.retain(|path, _| !path.starts_with(folder));
            Ok(())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_elsewhere_are_in_the_archive_and_may_be_away() {
    let shelf = Arc::new(Shelf::default());
    let shared = Arc::clone(&shelf);
    let world = World::set_up(None, |settings| settings.files = Some(shared)).await;
    let phone = world.phone(&[OWNER]).await;
    let discord = json!({"name": "ops", "server_id": "11", "incoming_channel_id": "22"});
    world
        .user()
        .post("/v1/discord-integrations", discord)
        .await
        .ok();
    let file =
        |name: &str| json!({"name": name, "content_type": "image/png", "content": "cGljdHVyZQ=="});
    let files = json!([file("a.png"), file("b.png")]);
    let sms = json!({"from": "24273", "to": OWNER, "content": "look", "attachments": files});
    let received = phone.post("/v1/messages/receive", sms.clone()).await.ok();
    let answer = world.user().get("/v1/users/me/export").await;
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.body.to_vec())).unwrap();
    let id = received["id"].as_str().unwrap();
    for (name, inside) in [
        (format!("attachments/{id}/0/a.png"), "picture"),
        (format!("attachments/{id}/1/b.png"), "picture"),
        (
            "discord-integrations.jsonl".to_owned(),
            "\"server_id\":\"11\"",
        ),
    ] {
        let mut text = String::new();
        archive
            .by_name(&name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains(inside), "{name}: {text}");
    }

    shelf.away.store(true, Ordering::Relaxed);
    let words = "The storage of files is not available at the moment. Please try again.";
    let path = received["attachments"][0].as_str().unwrap();
    let path = path.strip_prefix("http://sms.example:8000").unwrap();
    for answer in [
        world.anonymous().get(path).await,
        phone.post("/v1/messages/receive", sms).await,
    ] {
        assert_eq!(answer.header("retry-after"), "1");
        answer.says(503, words);
    }
}

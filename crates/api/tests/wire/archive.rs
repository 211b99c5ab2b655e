//! How long the account keeps what it has, and everything of it as one archive.

use std::io::{Cursor, Read as _};

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

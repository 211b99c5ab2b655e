//! Finding messages, and saving them as a file.

use serde_json::{Value, json};

use crate::support::{CONTACT, OWNER, World, on_each_engine};

const INVALID: &str = "validation errors while searching messages";

/// A received, a sent and a missed one.
async fn three(world: &World) {
    let phone = world.phone(&[OWNER]).await;
    let at = world.gateway.now().to_string();
    let body =
        json!({"to": OWNER, "from": "BANK", "content": "Your code, \"123\"", "timestamp": at});
    phone.post("/v1/messages/receive", body).await.ok();
    let body =
        json!({"from": OWNER, "to": CONTACT, "content": "=code(1)", "request_id": "order-7"});
    world.user().post("/v1/messages/send", body).await.ok();
    let body = json!({"to": OWNER, "from": CONTACT, "timestamp": at});
    phone.post("/v1/messages/calls/missed", body).await.ok();
}

fn types(data: &Value) -> Vec<&str> {
    let messages = data.as_array().unwrap().iter();
    messages
        .map(|message| message["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn messages_are_found() {
    on_each_engine(async |world: World| {
        three(&world).await;
        let (received, sent, missed) = ("mobile-originated", "mobile-terminated", "call/missed");
        for (query, expected) in [
            ("", vec![received, sent, missed]),
            ("?sort_descending=true", vec![missed, sent, received]),
            ("?sort_descending=on&limit=1", vec![missed]),
            ("?skip=1&limit=1", vec![sent]),
            ("?limit=0", vec![]),
            ("?query=CODE", vec![received, sent]),
            ("?query=order-7", vec![sent]),
            ("?query=bank", vec![received]),
            (
                "?types=call/missed&types=mobile-originated",
                vec![received, missed],
            ),
            ("?types[]=call/missed", vec![missed]),
            ("?statuses=received&sort_by=contact", vec![missed, received]),
            ("?statuses=scheduled", vec![sent]),
            ("?owners=%2B18005550199&query=code", vec![received, sent]),
            ("?owners=18005550199", vec![]),
            ("?until=2020-01-01T00:00:00Z", vec![]),
            (
                "?since=2020-01-01T00:00:00%2B01:00&sort_by=type",
                vec![missed, received, sent],
            ),
        ] {
            let path = format!("/v1/messages/search{query}");
            let answer = world.user().get(&path).await;
            assert_eq!(types(&answer.ok()), expected, "{query}");
            assert_eq!(answer.header("x-total-count"), "");
        }
        let one = world
            .user()
            .get("/v1/messages/search?query=bank&count=1")
            .await;
        let one = one.says(200, "found 1 message");
        assert_eq!(one.header("x-total-count"), "1");
        let some = world
            .user()
            .get("/v1/messages/search?limit=2&count=true")
            .await;
        assert_eq!(some.header("x-total-count"), "3");
        some.says(200, "found 2 messages");
        let all = world.user().get("/v1/messages/search").await.ok();
        let by_id = format!(
            "/v1/messages/search?query={}",
            all[2]["id"].as_str().unwrap()
        );
        assert_eq!(types(&world.user().get(&by_id).await.ok()), [missed]);
    })
    .await;
}

#[tokio::test]
async fn texts_are_shown_with_their_segments() {
    on_each_engine(async |world: World| {
        three(&world).await;
        let body = json!({"from": OWNER, "to": CONTACT, "content": "ж".repeat(71)});
        let data = world.user().post("/v1/messages/send", body).await.ok();
        assert_eq!(
            (&data["encoding"], &data["segment_count"]),
            (&json!("UCS-2"), &json!(2))
        );
        let body = json!({"from": OWNER, "to": CONTACT, "content": "c2VjcmV0", "encrypted": true});
        let data = world.user().post("/v1/messages/send", body).await.ok();
        assert_eq!(
            (&data["encoding"], &data["segment_count"]),
            (&json!(null), &json!(null))
        );
        let all = world.user().get("/v1/messages/search").await.ok();
        assert_eq!(
            (&all[0]["encoding"], &all[0]["segment_count"]),
            (&json!("GSM-7"), &json!(1))
        );
        assert_eq!(all[2]["encoding"], json!(null), "a call has no text");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_told() {
    let world = World::open(None).await;
    let path = format!(
        "/v1/messages/search?owners=%2B18005550199&owners=BANK&types=sms&statuses=sent&statuses=gone\
         &sort_by=size&limit=-1&skip=x&since=now&query={}",
        "x".repeat(51)
    );
    world.user().get(&path).await.invalid(INVALID, json!({
        "owners": ["The owners field in index [1] must contain only digits and must be less than 14 characters"],
        "types": ["the types field in contains an invalid value [sms] at index [0]"],
        "statuses": ["the statuses field in contains an invalid value [gone] at index [1]"],
        "sort_by": ["The sort_by field must be one of created_at, owner, contact, type, status"],
        "limit": ["The limit field value can not be less than 0"],
        "skip": ["The skip field must be numeric"],
        "since": ["The since field must be a time such as 2026-01-02T03:04:05Z"],
        "query": ["The query field must be maximum 50 char"],
    }));
    let absurd = "/v1/messages/search?limit=99999999999999999999";
    let too_many = json!({"limit": ["The limit field value can not be greater than 10000"]});
    world.user().get(absurd).await.invalid(INVALID, too_many);
    let odd = "/v1/messages/search?sort_descending=perhaps";
    world.user().get(odd).await.malformed("sort_descending");
    world
        .anonymous()
        .get("/v1/messages/search")
        .await
        .unauthorized();
}

#[tokio::test]
async fn messages_are_saved_as_a_file() {
    on_each_engine(async |world: World| {
        three(&world).await;
        let file = world
            .user()
            .get("/v1/messages/export?types=mobile-terminated&types=mobile-originated")
            .await;
        assert_eq!(file.status, 200);
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        let text = file.text();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert!(
            lines[0].starts_with("id,type,status,owner,contact,content,"),
            "{text}"
        );
        assert_eq!(lines.len(), 3, "{text}");
        assert!(
            lines[1].contains(
                ",mobile-originated,received,+18005550199,BANK,\"Your code, \"\"123\"\"\","
            )
        );
        assert!(
            lines[2].contains(",scheduled,+18005550199,+18005550100,'=code(1),"),
            "{text}"
        );
        // More than are read at once, in the order they were made, none twice.
        let to: Vec<String> = (0..700).map(|n| format!("+1800555{n:04}")).collect();
        let body = json!({"from": OWNER, "to": to, "content": "many"});
        world.user().post("/v1/messages/bulk-send", body).await.ok();
        let many = world
            .user()
            .get("/v1/messages/export?query=many")
            .await
            .text();
        let mut ids: Vec<&str> = many.lines().skip(1).map(|line| &line[..36]).collect();
        assert_eq!(ids.len(), 700);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 700);
        let all = world.user().get("/v1/messages/export").await.text();
        assert_eq!(all.lines().count(), 704);
        let wrong = world.user().get("/v1/messages/export?types=x").await;
        assert_eq!(wrong.status, 422);
    })
    .await;
}

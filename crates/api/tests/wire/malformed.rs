//! Every route that takes a body, hammered with what is no request: each answer is 4xx, and nothing
//! is written.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{AT, CONTACT, NOBODY, OWNER, World, on_each_engine};

/// Routes with a body that is well-formed, though not all name something that is there.
fn routes() -> Vec<(Method, String, Value)> {
    let sms = json!({"from": OWNER, "to": CONTACT, "content": "hi", "attachments": ["https://h/"], "encrypted": false, "request_id": "r", "send_at": AT});
    let bulk = json!({"from": OWNER, "to": [CONTACT], "content": "hi", "attachments": ["https://h/"], "encrypted": false, "request_id": "r"});
    let file = json!({"name": "a", "content_type": "image/png", "content": "aGk="});
    let received = json!({"from": CONTACT, "to": OWNER, "content": "hi", "encrypted": true, "sim": "SIM1", "timestamp": AT, "attachments": [file]});
    let settings = json!({
        "phone_number": OWNER, "fcm_token": "t", "messages_per_minute": 1, "max_send_attempts": 1,
        "message_expiration_seconds": 60, "missed_call_auto_reply": "x", "unarchive_thread": true, "sim": "SIM1",
        "message_send_schedule_id": "",
    });
    let webhook = json!({"url": "https://h.example/", "signing_key": "k", "events": ["message.phone.sent"], "phone_numbers": [OWNER]});
    vec![
        (Method::POST, "/v1/messages/send".to_owned(), sms),
        (Method::POST, "/v1/messages/bulk-send".to_owned(), bulk),
        (Method::POST, "/v1/messages/receive".to_owned(), received),
        (
            Method::POST,
            "/v1/messages/calls/missed".to_owned(),
            json!({"from": CONTACT, "to": OWNER, "sim": "SIM1", "timestamp": AT}),
        ),
        (
            Method::POST,
            format!("/v1/messages/{NOBODY}/events"),
            json!({"event_name": "SENT", "reason": "x", "timestamp": AT}),
        ),
        (
            Method::POST,
            "/v1/heartbeats".to_owned(),
            json!({"phone_numbers": [OWNER], "charging": true, "owner": OWNER}),
        ),
        (Method::PUT, "/v1/phones".to_owned(), settings),
        (
            Method::PUT,
            "/v1/phones/fcm-token".to_owned(),
            json!({"phone_number": OWNER, "fcm_token": "t", "sim": "SIM1"}),
        ),
        (
            Method::POST,
            "/v1/phone-api-keys".to_owned(),
            json!({"name": "x"}),
        ),
        (Method::POST, "/v1/webhooks".to_owned(), webhook.clone()),
        (Method::PUT, format!("/v1/webhooks/{NOBODY}"), webhook),
    ]
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The body with each of its fields in turn made something that it cannot be.
fn wrong_types(body: &Value) -> Vec<String> {
    let others = [
        json!(7),
        json!(-1.5),
        json!("text"),
        json!(true),
        json!({"a": 1}),
        json!([[1]]),
        json!([{"content": 5}]),
    ];
    let mut bodies = Vec::new();
    for (name, value) in body.as_object().unwrap() {
        // Read only for want of others.
        if name == "owner" {
            continue;
        }
        for other in others
            .iter()
            .filter(|other| kind(other) != kind(value) || kind(other) == "array")
        {
            let mut wrong = body.clone();
            wrong[name] = other.clone();
            bodies.push(wrong.to_string());
        }
        if kind(value) == "number" {
            for huge in ["1e400", "99999999999999999999", "-1", "0.5", "1e2"] {
                bodies.push(body.to_string().replace(
                    &format!("\"{name}\":{value}"),
                    &format!("\"{name}\":{huge}"),
                ));
            }
        }
    }
    bodies
}

fn no_json(body: &str) -> Vec<Vec<u8>> {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    let mut bodies: Vec<Vec<u8>> = [
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "\"text\"".to_owned(),
        "17".to_owned(),
        "\u{feff}{}".to_owned(),
        "{\"\0\": 1}".to_owned(),
        "<xml/>".to_owned(),
        "from=1&to=2".to_owned(),
        format!("{body}{body}"),
        format!("{body}\0"),
        nested("[", "]", 100_000),
        nested("{\"a\":", "}", 100_000),
        "[".repeat(1_000_000),
        format!("{{\"x\":{}", "{\"y\":[".repeat(500_000)),
        format!("{{\"x\":{},{}", nested("[", "]", 10_000), &body[1..]),
        "{\"a\": \"\\u12\"}".to_owned(),
    ]
    .map(String::into_bytes)
    .into();
    bodies.push(b"{\"\xff\xfe\": 1}".to_vec());
    bodies.push([&body.as_bytes()[..body.len() - 1], b",\"z\":\"\xc3(\"}"].concat());
    bodies.push(vec![0; 1000]);
    bodies
}

#[tokio::test]
async fn nothing_wrong_is_written() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let before = world.everything().await;
        for (method, path, body) in routes() {
            let mut wrong: Vec<Vec<u8>> = wrong_types(&body)
                .into_iter()
                .map(String::into_bytes)
                .collect();
            let body = body.to_string();
            // A report that is cut or garbled may still be understood.
            if !path.ends_with("/events") {
                wrong.extend((1..body.len()).map(|cut| body.as_bytes()[..cut].to_vec()));
            }
            wrong.extend(no_json(&body));
            for bytes in wrong {
                let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
                let answer = world.user().raw(method.clone(), &path, bytes).await;
                assert!(
                    matches!(answer.status, 400 | 404 | 422),
                    "{method} {path} {shown}: {answer:?}"
                );
                if answer.status == 400 {
                    assert!(
                        answer.json()["data"]
                            .as_str()
                            .is_some_and(|why| why.len() < 300)
                    );
                }
            }
        }
        assert_eq!(world.everything().await, before);
    })
    .await;
}

#[tokio::test]
async fn ten_million_bytes_are_too_many() {
    let world = World::open(None).await;
    let huge = vec![b' '; 10_000_000];
    for (method, path, _) in routes() {
        let answer = world.user().raw(method.clone(), &path, huge.clone()).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (413, "Request Entity Too Large"),
            "{path}"
        );
        let answer = world.anonymous().raw(method, &path, huge.clone()).await;
        assert!(matches!(answer.status, 401 | 413));
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let world = World::open(None).await;
    for (method, path, body) in routes() {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("\""),
        ] {
            let answer = world
                .user()
                .send(method.clone(), &path, content_type, body.to_string())
                .await;
            answer.malformed("the Content-Type must be application/json");
        }
    }
    let name = json!({"name": "x"}).to_string();
    for content_type in [
        "application/json;charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.api+json",
    ] {
        let content_type = Some(content_type);
        world
            .user()
            .send(
                Method::POST,
                "/v1/phone-api-keys",
                content_type,
                name.clone(),
            )
            .await
            .ok();
    }
}

#[tokio::test]
async fn odd_ids_and_queries_are_told() {
    let world = World::open(None).await;
    let long = "x".repeat(10_000);
    for odd in [
        "%00",
        "%FF",
        "%F0%9F%98%80",
        "..%2F..",
        "%7B%7D",
        "'%20OR%201=1",
        long.as_str(),
    ] {
        for (method, path) in [
            (Method::GET, format!("/v1/messages/{odd}")),
            (Method::DELETE, format!("/v1/messages/{odd}")),
            (Method::DELETE, format!("/v1/phones/{odd}")),
            (Method::DELETE, format!("/v1/phone-api-keys/{odd}")),
            (
                Method::DELETE,
                format!("/v1/phone-api-keys/{odd}/phones/{odd}"),
            ),
            (Method::DELETE, format!("/v1/webhooks/{odd}")),
            (Method::GET, format!("/v1/webhooks/{odd}/deliveries/{odd}")),
            (
                Method::GET,
                format!("/v1/webhooks/{NOBODY}/deliveries?since={odd}&state={odd}"),
            ),
            (Method::DELETE, format!("/v1/users/{odd}/api-keys")),
            (
                Method::GET,
                format!("/v1/messages/outstanding?message_id={odd}"),
            ),
            (
                Method::GET,
                format!(
                    "/v1/messages?owner={odd}&contact={odd}&skip={odd}&limit={odd}&query={odd}"
                ),
            ),
            (Method::GET, format!("/v1/phones?limit={odd}")),
            (Method::GET, format!("/v1/heartbeats?owner={odd}")),
            (
                Method::GET,
                format!("/v1/attachments/{odd}/{NOBODY}/0/a.png"),
            ),
        ] {
            let answer = world.user().send(method.clone(), &path, None, "").await;
            assert!(
                (400..500).contains(&answer.status),
                "{method} {path}: {}",
                answer.text()
            );
        }
        let searched = world.user().get(&format!("/v1/phones?query={odd}")).await;
        assert!(
            matches!(searched.status, 200 | 400 | 422),
            "{odd}: {}",
            searched.text()
        );
    }
}

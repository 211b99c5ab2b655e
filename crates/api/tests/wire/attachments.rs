//! Files of MMS: taken with their message, served to who knows the URL, gone with the message.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{AT, Answer, CONTACT, Client, OWNER, SECOND, World, on_each_engine};

const RECEIVE: &str = "/v1/messages/receive";

fn mms(content: &str, attachments: &Value) -> Value {
    json!({"from": CONTACT, "to": OWNER, "content": content, "timestamp": AT, "attachments": attachments})
}

/// So many bytes as base64.
fn base64(bytes: usize) -> String {
    let mut text = "A".repeat(bytes.div_ceil(3) * 4);
    match bytes % 3 {
        1 => text.replace_range(text.len() - 2.., "=="),
        2 => text.replace_range(text.len() - 1.., "="),
        _ => {}
    }
    text
}

fn png(name: &str, bytes: usize) -> Value {
    json!({"name": name, "content_type": "image/png", "content": base64(bytes)})
}

fn files(world: &World) -> usize {
    let folder = world.folder.path().join("attachments/ann-ID");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

fn path_of(url: &Value) -> String {
    url.as_str()
        .unwrap()
        .strip_prefix("http://sms.example:8000")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn files_are_stored_and_served_without_a_key() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let attachments = json!([
            {"name": "My photo.png", "content_type": "image/png", "content": "aGVsbG8="},
            {"name": "", "content_type": "text/x-vcard", "content": "aGVs\nbG8="},
        ]);
        let data = phone.post(RECEIVE, mms("", &attachments)).await.ok();
        let id = data["id"].as_str().unwrap();
        let base = format!("http://sms.example:8000/v1/attachments/ann-ID/{id}");
        let urls = json!([
            format!("{base}/0/My-photo.png"),
            format!("{base}/1/attachment-1.vcf")
        ]);
        assert_eq!(data["attachments"], urls);
        for (index, content_type) in [(0, "image/png"), (1, "text/vcard")] {
            let path = path_of(&data["attachments"][index]);
            let file = world.anonymous().get(&path).await;
            assert_eq!((file.status, &file.body[..]), (200, &b"hello"[..]));
            assert_eq!(file.header("content-type"), content_type);
            assert_eq!(file.header("content-disposition"), "attachment");
            assert_eq!(file.header("x-content-type-options"), "nosniff");
            assert_eq!(file.header("content-length"), "5");
            let head = world.anonymous().send(Method::HEAD, &path, None, "").await;
            assert_eq!(
                (head.status, head.header("content-length"), head.body.len()),
                (200, "5", 0)
            );
        }
        let shown = world.user().get(&format!("/v1/messages/{id}")).await.ok();
        assert_eq!(shown["attachments"], urls);
        world
            .user()
            .delete(&format!("/v1/messages/{id}"))
            .await
            .empty();
        world
            .anonymous()
            .get(&path_of(&urls[0]))
            .await
            .missing("attachment not found");
        assert_eq!(files(&world), 0);
    })
    .await;
}

#[tokio::test]
async fn only_stored_files_are_served() {
    let world = World::open(None).await;
    let data = world
        .user()
        .post(RECEIVE, mms("", &json!([png("a.png", 3)])))
        .await
        .ok();
    let good = path_of(&data["attachments"][0]);
    world.anonymous().get(&good).await;
    let (folder, _) = good.rsplit_once("/0/").unwrap();
    let (user, message) = folder.rsplit_once('/').unwrap();
    for wrong in [
        format!("{folder}/0/b.png"),
        format!("{folder}/1/a.png"),
        format!("{folder}/00/a.png"),
        format!("{folder}/0/a.exe"),
        format!("{folder}/0/%2e%2e"),
        format!("{folder}/0/..%2F0%2Fa.png"),
        format!("{folder}/%2e%2e/a.png"),
        format!("{user}/{}/0/a.png", message.to_uppercase()),
        format!("/v1/attachments/..%2Fann-ID/{message}/0/a.png"),
        format!("/v1/attachments/ANN-ID/{message}/0/a.png"),
        "/v1/attachments/%2e%2e/%2e%2e/%2e%2e/secret.key".to_owned(),
        format!("{folder}/0/a%00.png"),
    ] {
        world
            .anonymous()
            .get(&wrong)
            .await
            .missing("attachment not found");
    }
}

#[tokio::test]
async fn the_documented_totals_fit() {
    let world = World::open(None).await;
    let half = json!([png("a.png", 1_572_864), png("b.png", 1_572_864)]);
    let data = world.user().post(RECEIVE, mms("", &half)).await.ok();
    let file = world
        .anonymous()
        .get(&path_of(&data["attachments"][1]))
        .await;
    assert_eq!(file.body.len(), 1_572_864);
}

#[tokio::test]
async fn what_is_wrong_with_files_is_told_and_nothing_stored() {
    let world = World::open(None).await;
    let phone = world.phone(&[OWNER]).await;
    for (attachments, messages) in [
        (
            json!(vec![png("a.png", 1); 11]),
            json!(["attachment count [11] exceeds maximum of [10]"]),
        ),
        (
            json!([png("a.png", 1), {"name": "a.zip", "content_type": "application/zip", "content": "!"}]),
            json!([
                "attachment [1] has unsupported content type [application/zip]",
                "attachment [1] has invalid base64 content"
            ]),
        ),
        (
            json!([png("a.png", 1_572_865)]),
            json!(["attachment [0] size [1572865] exceeds maximum of [1572864] bytes"]),
        ),
        (
            json!([png("a", 1_572_864), png("b", 1_572_864), png("c", 1)]),
            json!(["total attachment size [3145729] exceeds maximum of [3145728] bytes"]),
        ),
        (
            json!([null]),
            json!(["attachment [0] has unsupported content type []"]),
        ),
    ] {
        let answer = phone.post(RECEIVE, mms("", &attachments)).await;
        answer.invalid(
            "validation errors while receiving message",
            json!({"attachments": messages}),
        );
    }
    let long = mms(&"x".repeat(2049), &json!([png("a.png", 1)]));
    phone.post(RECEIVE, long).await.invalid(
        "validation errors while receiving message",
        json!({"content": ["The content field must be maximum 2048 char"]}),
    );
    phone
        .post(RECEIVE, mms("", &json!(["x"])))
        .await
        .malformed("attachments: expected a list of objects");
    let mut foreign = mms("", &json!([png("a.png", 1)]));
    foreign["to"] = json!(SECOND);
    phone.post(RECEIVE, foreign).await.not_bound(SECOND, OWNER);
    assert_eq!(files(&world), 0);
}

#[tokio::test]
async fn files_go_when_their_message_cannot_be_stored() {
    on_each_engine(async |world: World| {
        let caller = world
            .gateway
            .user(crate::support::USER_KEY)
            .await
            .unwrap()
            .unwrap();
        let sms = gateway::message::ReceivedSms {
            id: gateway::id::new(world.gateway.now()),
            to: gateway::PhoneNumber::parse(OWNER).unwrap(),
            from: CONTACT.to_owned(),
            content: String::new(),
            encrypted: false,
            sim: gateway::phone::Sim::Sim1,
            timestamp: world.gateway.now(),
            attachments: Vec::new(),
        };
        let file = gateway::attachment::NewAttachment {
            name: "a.png".to_owned(),
            media: gateway::attachment::Media::named("image/png").unwrap(),
            content: vec![1],
        };
        world.gateway.close().await;
        let stored = world
            .gateway
            .receive_with_files(&caller, sms, vec![file], "http://h")
            .await;
        stored.unwrap_err();
        assert_eq!(files(&world), 0);
    })
    .await;
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let world = World::open(None).await;
    let huge = |bytes: usize| mms(&"x".repeat(bytes), &Value::Null).to_string();
    assert_eq!(
        world
            .user()
            .raw(Method::POST, RECEIVE, huge(8_000_000))
            .await
            .status,
        422
    );
    for (path, bytes) in [
        (RECEIVE, 8 << 20),
        ("/v1/messages/send", 4 << 20),
        ("/v1/webhooks", 10_000_000),
    ] {
        let answer = world.user().raw(Method::POST, path, huge(bytes)).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (413, "Request Entity Too Large")
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    // Without a length announced; and for a key in the body.
    let chunks = tokio_util::io::ReaderStream::new(tokio::io::AsyncReadExt::take(
        tokio::io::repeat(b' '),
        5 << 20,
    ));
    let body = axum::body::Body::from_stream(chunks);
    assert_eq!(
        world
            .user()
            .raw(Method::PUT, "/v1/phones", body)
            .await
            .status,
        413
    );
    assert_eq!(
        world
            .anonymous()
            .raw(Method::POST, RECEIVE, huge(8 << 20))
            .await
            .status,
        413
    );
}

async fn upload(client: &Client<'_>, path: &str, kind: &str, bytes: &[u8]) -> Answer {
    client
        .send(Method::POST, path, Some(kind), bytes.to_vec())
        .await
}

#[tokio::test]
async fn an_uploaded_file_is_sent_along_and_kept_as_long_as_its_message() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let kind = "image/PNG; charset=x";
        let path = "/v1/attachments?name=My%20photo.jpeg";
        let data = upload(&user, path, kind, b"hello")
            .await
            .says(201, "attachment uploaded successfully")
            .json()["data"]
            .take();
        assert_eq!(
            (&data["name"], &data["size"]),
            (&json!("My-photo.png"), &json!(5))
        );
        assert_eq!(data["content_type"], "image/png");
        let place = path_of(&data["url"]);
        let file = world.anonymous().get(&place).await;
        assert_eq!((file.status, &file.body[..]), (200, &b"hello"[..]));
        let unused = upload(&user, "/v1/attachments", "image/png", b"x").await;
        let unused = path_of(&unused.json()["data"]["url"]);
        let sms =
            json!({"from": OWNER, "to": CONTACT, "content": "look", "attachments": [data["url"]]});
        let message = user.post("/v1/messages/send", sms).await.ok();
        assert_eq!(message["attachments"], json!([data["url"]]));
        world.gateway.purge_uploads().await.unwrap();
        assert_eq!(world.anonymous().get(&unused).await.status, 200);
        world.clock.advance(std::time::Duration::from_hours(25));
        assert_eq!(world.gateway.purge_uploads().await.unwrap(), 1);
        world
            .anonymous()
            .get(&unused)
            .await
            .missing("attachment not found");
        assert_eq!(world.anonymous().get(&place).await.status, 200);
        let id = message["id"].as_str().unwrap();
        user.delete(&format!("/v1/messages/{id}")).await.empty();
        assert_eq!(world.gateway.purge_uploads().await.unwrap(), 1);
        world
            .anonymous()
            .get(&place)
            .await
            .missing("attachment not found");
        assert_eq!(files(&world), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_an_uploaded_file_is_told() {
    let world = World::open(None).await;
    let user = world.user();
    let path = "/v1/attachments";
    let invalid = "validation errors while uploading attachment";
    upload(&user, path, "text/html", b"").await.invalid(
        invalid,
        json!({
            "content_type": ["attachment has unsupported content type [text/html]"],
            "content": ["The content field is required"],
        }),
    );
    let large = vec![0; 1_572_865];
    upload(&user, path, "image/png", &large).await.invalid(
        invalid,
        json!({"content": ["attachment size [1572865] exceeds maximum of [1572864] bytes"]}),
    );
    let huge = vec![0; (4 << 20) + 1];
    assert_eq!(upload(&user, path, "image/png", &huge).await.status, 413);
    upload(&world.anonymous(), path, "image/png", b"x")
        .await
        .unauthorized();
    let phone = world.phone(&[OWNER]).await;
    upload(&phone, path, "image/png", b"x").await.unauthorized();
    assert_eq!(files(&world), 0);
}

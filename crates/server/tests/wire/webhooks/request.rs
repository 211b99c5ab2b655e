//! One request to the letter: method, headers, token, and a body that other libraries understand.

use cloudevents::event::{Data, SpecVersion};
use cloudevents::{AttributesReader as _, Event};
use serde_json::json;
use testkit::{Received, Receiver};

use crate::scenes::{Scenes, on_each_engine};
use crate::stage::{CONTACT, Engine, OWNER, SIGNING_KEY, SOON, Stage, USER_ID, number, text, time};
use crate::token::Token;

#[tokio::test]
async fn a_request_is_as_documented() {
    on_each_engine(told).await;
}

async fn told(engine: Engine) {
    let stage = Stage::on(engine).await;
    let receiver = Receiver::start().await;
    let webhook = stage
        .subscribe(&receiver, &["message.phone.received"], &[OWNER])
        .await;
    let url = text(&webhook["url"]);
    let message = stage
        .phone
        .receive(CONTACT, OWNER, "grüße <b> & \u{1f600}")
        .await;

    let seen = receiver.wait_for(1, SOON).await;
    let request = &seen[0];
    headers(request);
    Token::verified(request, SIGNING_KEY).expect(request, USER_ID, &url);
    cloud_event(request, &text(&message["id"]));
    order(request);
}

fn headers(request: &Received) {
    assert_eq!(
        (request.method.as_str(), request.uri.to_string().as_str()),
        ("POST", "/hook")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.header("x-event-type"),
        Some("message.phone.received")
    );
    for name in [
        "content-type",
        "x-event-type",
        "authorization",
        "content-length",
        "host",
    ] {
        assert_eq!(request.headers.get_all(name).iter().count(), 1, "{name}");
    }
}

fn cloud_event(request: &Received, message: &str) {
    let event: Event = serde_json::from_slice(&request.body).expect("a CloudEvent");
    assert_eq!(event.specversion(), SpecVersion::V10);
    assert_eq!(event.ty(), "message.phone.received");
    assert_eq!(event.source().as_str(), "/v1/messages/receive");
    assert_eq!(event.datacontenttype(), Some("application/json"));
    assert_eq!((event.subject(), event.dataschema()), (None, None));
    assert_eq!(event.iter_extensions().count(), 0);
    uuid::Uuid::parse_str(event.id()).expect("the id is a UUID");
    assert_eq!(event.id(), event.id().to_lowercase());
    let created = event.time().expect("a time").timestamp();
    assert!((super::seconds(request.time) - created).abs() <= 5);
    let Some(Data::Json(data)) = event.data() else {
        panic!("no JSON: {:?}", event.data());
    };
    assert_eq!(data["message_id"], message);
    assert_eq!(data["content"], "grüße <b> & \u{1f600}");
}

/// Members come in the order of the reference, and times are UTC.
fn order(request: &Received) {
    let body = std::str::from_utf8(&request.body).unwrap();
    let members = [
        "specversion",
        "id",
        "source",
        "type",
        "datacontenttype",
        "time",
        "data",
    ];
    let places = members.map(|name| body.find(&format!("\"{name}\":")).expect(name));
    assert!(places.is_sorted(), "{body}");
    let created = request.json()["time"].clone();
    time(&created);
    assert!(text(&created).ends_with('Z'), "{created}");
    assert_eq!(request.json().as_object().unwrap().len(), members.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_what() {
    let stage = std::sync::Arc::new(Stage::on(Engine::Sqlite).await);
    let scene = || std::sync::Arc::clone(&stage);
    Scenes::default()
        .and("without a key", without_a_key(scene(), number(1)))
        .and("a generated key", a_generated_key(scene(), number(2)))
        .and(
            "chosen numbers and events",
            chosen(scene(), number(3), number(4)),
        )
        .and("the URL", as_typed(scene(), number(6)))
        .and("another account", another_account(scene(), number(5)))
        .play()
        .await;
}

type Shared = std::sync::Arc<Stage>;

/// The wire allows an empty key; then there is no token.
async fn without_a_key(stage: Shared, number: String) {
    stage.sign_in(&number).await;
    let receiver = Receiver::start().await;
    let events = ["message.phone.received"];
    let webhook = stage
        .user
        .create_webhook(&receiver.url("/"), "", &events, &[&number])
        .await;
    assert_eq!(webhook["signing_key"], "");
    stage.phone.receive(CONTACT, &number, "unsigned").await;
    let seen = receiver.wait_for(1, SOON).await;
    assert_eq!(seen[0].header("authorization"), None);
}

/// Without a word about the key one is made, shown, and used.
async fn a_generated_key(stage: Shared, number: String) {
    stage.sign_in(&number).await;
    let receiver = Receiver::start().await;
    let draft = json!({
        "url": receiver.url("/made"),
        "events": ["message.phone.received"],
        "phone_numbers": [number],
    });
    let made = stage.user.post("/v1/webhooks", &draft).await.expect(201);
    let key = text(&made.data()["signing_key"]);
    assert!(key.len() >= 32, "some JWT libraries refuse shorter keys");
    stage.phone.receive(CONTACT, &number, "signed").await;
    let seen = receiver.wait_for(1, SOON).await;
    Token::verified(&seen[0], &key).expect(&seen[0], USER_ID, &receiver.url("/made"));
}

/// Only the numbers and the events that were asked for, once for each webhook.
async fn chosen(stage: Shared, mine: String, other: String) {
    for number in [&mine, &other] {
        stage.sign_in(number).await;
    }
    let (one, both) = (Receiver::start().await, Receiver::start().await);
    stage
        .subscribe(&one, &["message.phone.sent"], &[&mine])
        .await;
    let twice = [
        "message.phone.sent",
        "message.phone.received",
        "message.phone.sent",
    ];
    stage.subscribe(&both, &twice, &[&mine, &other]).await;

    stage.phone.receive(CONTACT, &mine, "1").await;
    stage.phone.receive(CONTACT, &other, "2").await;
    for number in [&mine, &other] {
        let id = stage.claimed(number, "3").await;
        stage.phone.report(&id, "SENT").await.expect(200);
        stage.phone.report(&id, "DELIVERED").await.expect(200);
    }
    both.wait_for(4, SOON).await;
    one.wait_for(1, SOON).await;
    tokio::time::sleep(super::QUIET).await;
    assert_eq!((one.count(), both.count()), (1, 4));
    assert_eq!(one.requests()[0].json()["data"]["owner"], mine.as_str());
}

/// The URL is called as it was typed, but for its fragment; the token names it as it was typed.
async fn as_typed(stage: Shared, number: String) {
    stage.sign_in(&number).await;
    let receiver = Receiver::start().await;
    let url = receiver.url("/a%20b/%C3%BC?tag=x%2By&tag=&q=1#part");
    let events = ["message.phone.received"];
    let numbers = [number.as_str()];
    let webhook = stage
        .user
        .create_webhook(&url, SIGNING_KEY, &events, &numbers)
        .await;
    assert_eq!(webhook["url"], url.as_str());
    stage.phone.receive(CONTACT, &number, "there").await;
    let seen = receiver.wait_for(1, SOON).await;
    assert_eq!(seen[0].uri.to_string(), "/a%20b/%C3%BC?tag=x%2By&tag=&q=1");
    Token::verified(&seen[0], SIGNING_KEY).expect(&seen[0], USER_ID, &url);
}

/// Somebody else's phone with the same number is somebody else's.
async fn another_account(stage: Shared, number: String) {
    stage.sign_in(&number).await;
    let other = stage
        .add_user("bob@example.org", "user-2", "bobs-key")
        .await;
    let phone = other.create_phone_key("bob").await;
    phone.register(&number, "SIM1", "stream:bob").await;
    let (mine, bobs) = (Receiver::start().await, Receiver::start().await);
    let events = ["message.phone.received"];
    stage.subscribe(&mine, &events, &[&number]).await;
    other
        .create_webhook(&bobs.url("/"), "", &events, &[&number])
        .await;
    phone.receive(CONTACT, &number, "for bob").await;
    let seen = bobs.wait_for(1, SOON).await;
    assert_eq!(seen[0].json()["data"]["user_id"], "user-2");
    tokio::time::sleep(super::QUIET).await;
    assert_eq!(mine.count(), 0);
}

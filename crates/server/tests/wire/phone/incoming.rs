//! What a phone hands in: texts, files and missed calls (contract: phone, §16, rows 33 to 40).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use testkit::{Anonymous, PhoneClient, Receiver, until};

use super::{AT, Listening};
use crate::stage::{CONTACT, OWNER, SECOND, SOON, Stage, incoming, of_type, text};

const RECEIVE: &str = "/v1/messages/receive";
const MISSED: &str = "/v1/messages/calls/missed";
/// The most that a file may have, and all of a message together twice that.
const FILE: usize = 1_572_864;

/// Rows 33 to 40, by a phone that holds both numbers.
pub async fn rows(stage: &Stage, phone: &PhoneClient) {
    texts(stage, phone).await;
    files(stage, phone).await;
    refused_files(phone).await;
    missed_calls(stage, phone).await;
}

async fn receive(phone: &PhoneClient, sms: &Value, status: u16) -> Value {
    phone.post(RECEIVE, sms).await.expect(status).into_data()
}

/// Rows 33 to 35, and the texts of 37 and 38.
async fn texts(stage: &Stage, phone: &PhoneClient) {
    let receiver = Receiver::start().await;
    let events = ["message.phone.received", "message.call.missed"];
    stage.subscribe(&receiver, &events, &[OWNER]).await;
    let message = receive(phone, &incoming(CONTACT, OWNER, "yo"), 200).await;
    assert_eq!(
        (message["type"].as_str(), message["status"].as_str()),
        (Some("mobile-originated"), Some("received"))
    );
    assert_eq!(message["attachments"], json!([]));
    let seen = receiver.wait_for(1, SOON).await;
    assert_eq!(of_type(&seen, events[0]), 1);

    for sender in ["TIKTOK", "24273"] {
        let message = receive(phone, &incoming(sender, OWNER, "code 1234"), 200).await;
        assert_eq!(message["contact"], sender);
    }
    let mut encrypted = incoming(CONTACT, OWNER, "qCb0Ycyc2k8=");
    encrypted["encrypted"] = true.into();
    let message = receive(phone, &encrypted, 200).await;
    assert_eq!(message["content"], encrypted["content"]);
    assert_eq!(message["encrypted"], true);

    let most = "x".repeat(2_048);
    receive(phone, &incoming(CONTACT, OWNER, &most), 200).await;
    receive(phone, &incoming(CONTACT, OWNER, &(most + "x")), 422).await;
    receive(phone, &incoming(CONTACT, OWNER, ""), 422).await;
    receive(phone, &incoming(CONTACT, "+18005550111", "whose?"), 401).await;
}

fn file(name: &str, content_type: &str, content: &[u8]) -> Value {
    let content = BASE64_STANDARD.encode(content);
    json!({"name": name, "content_type": content_type, "content": content})
}

fn with_files(files: &[Value]) -> Value {
    let mut sms = incoming(CONTACT, OWNER, "");
    sms["attachments"] = files.into();
    sms
}

/// Row 36: the files are served to whoever knows their URL, also the largest allowed.
async fn files(stage: &Stage, phone: &PhoneClient) {
    let png = b"\x89PNG\r\n\x1a\n and so on";
    let large = vec![b'g'; FILE];
    let files = [
        file("my photo.jpeg", "image/png", png),
        file("../../etc/passwd", "video/mp4", &large),
    ];
    let message = receive(phone, &with_files(&files), 200).await;
    let urls: Vec<_> = message["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert_eq!(urls.len(), 2);
    let id = text(&message["id"]);
    for ((url, kind), content) in urls
        .iter()
        .zip(["image/png", "video/mp4"])
        .zip([&png[..], &large])
    {
        assert!(url.starts_with(stage.url()) && url.contains(&id), "{url}");
        let path = url.strip_prefix(stage.url()).unwrap();
        let served = Anonymous::new(stage.url()).get(path).await.expect(200);
        assert_eq!(served.bytes, content);
        assert_eq!(served.header("content-type"), Some(kind));
        assert_eq!(served.header("content-disposition"), Some("attachment"));
        assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    }
    assert!(urls[0].ends_with("/my-photo.png"), "{}", urls[0]);
    let stored = stage.user.message(&id).await;
    assert_eq!(stored["attachments"], message["attachments"]);

    let other = urls[0]
        .strip_prefix(stage.url())
        .unwrap()
        .replace(&id, CONTACT);
    for path in [other.as_str(), "/v1/attachments/a/b/0/..%2f..%2fsecret.key"] {
        stage.anonymous().get(path).await.expect(404);
    }
}

/// Row 37: and nothing of a refused message is kept.
async fn refused_files(phone: &PhoneClient) {
    let small = file("a", "image/png", b"a");
    let half = file("h", "image/png", &vec![b'h'; FILE]);
    let broken = json!({"name": "b", "content_type": "image/png", "content": "%%%"});
    let wrong = [
        vec![file("z", "application/zip", b"PK")],
        vec![broken],
        vec![small.clone(); 11],
        vec![file("l", "image/png", &vec![b'l'; FILE + 1])],
        vec![half.clone(), half, small],
    ];
    for files in wrong {
        let refused = phone.post(RECEIVE, &with_files(&files)).await.expect(422);
        assert!(
            !refused.field_errors("attachments").is_empty(),
            "{}",
            refused.text()
        );
    }
}

/// Rows 39 and 40.
async fn missed_calls(stage: &Stage, phone: &PhoneClient) {
    let receiver = Receiver::start().await;
    stage
        .subscribe(&receiver, &["message.call.missed"], &[SECOND])
        .await;
    let call = json!({"sim": "SIM1", "from": CONTACT, "timestamp": AT, "to": SECOND});
    let missed = phone.post(MISSED, &call).await.expect(200).into_data();
    assert_eq!(
        (missed["type"].as_str(), missed["content"].as_str()),
        (Some("call/missed"), Some(""))
    );
    receiver.wait_for(1, SOON).await;

    let settings = json!({"missed_call_auto_reply": "I am out", "messages_per_minute": 60});
    stage.tune(SECOND, settings).await;
    let missed = phone.post(MISSED, &call).await.expect(200);
    let name = format!("missed-call-{}", text(&missed.data()["id"]));
    let mut listening = Listening::new(phone);
    let reply = until("the reply can be claimed", SOON, async || {
        let id = listening.message().await;
        let claimed = phone.claim(&id).await;
        (claimed.data()["request_id"] == name.as_str()).then(|| claimed.into_data())
    })
    .await;
    assert_eq!(reply["content"], "I am out");
    assert_eq!(reply["contact"], CONTACT);
}

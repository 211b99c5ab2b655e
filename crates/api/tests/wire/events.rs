//! The log of events: read in parts, and followed as it grows.

use std::time::Duration;

use api::Options;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::support::{AT, CONTACT, Client, OWNER, USER_KEY, World, add_user, on_each_engine};

const PATIENCE: Duration = Duration::from_secs(20);
const STREAM: &str = "/v1/events/stream";
const INVALID: &str = "validation errors while fetching events";

async fn receive(phone: &Client<'_>, content: &str) {
    let body = json!({"from": CONTACT, "to": OWNER, "content": content, "timestamp": AT});
    phone.post("/v1/messages/receive", body).await.ok();
}

/// All parts one after the other, until the log has these many events of the account or more:
/// on PostgreSQL transactions of others may hold some back for a moment.
async fn read(user: &Client<'_>, query: &str, count: usize) -> Vec<Value> {
    let (mut events, mut next) = (Vec::new(), json!(0));
    let reading = async {
        while events.len() < count {
            let path = format!("/v1/events?after={next}{query}");
            let mut data = user.get(&path).await.ok();
            events.append(data["events"].as_array_mut().unwrap());
            next = data["next"].take();
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    events
}

/// An open stream.
struct Stream {
    body: Body,
    rest: String,
}

impl Stream {
    async fn open(world: &World, key: &str, query: &str, last: Option<i64>) -> Self {
        let response = ask(world, key, query, last).await;
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        let body = response.into_body();
        let rest = String::new();
        Self { body, rest }
    }

    /// The next block of lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.find("\n\n") {
                let rest = self.rest.split_off(end + 2);
                let block = std::mem::replace(&mut self.rest, rest);
                return Some(block.trim_end().to_owned());
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.rest.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next event: its `id`, `event` and `data`.
    async fn event(&mut self) -> (i64, String, Value) {
        loop {
            let block = self.block().await.expect("the stream goes on");
            if !block.starts_with(':') {
                let line = |at: usize, name: &str| {
                    let line = block.lines().nth(at).unwrap();
                    line.strip_prefix(name).unwrap().to_owned()
                };
                let data = serde_json::from_str(&line(2, "data: ")).unwrap();
                return (line(0, "id: ").parse().unwrap(), line(1, "event: "), data);
            }
        }
    }
}

async fn ask(world: &World, key: &str, query: &str, last: Option<i64>) -> Response<Body> {
    let mut request = Request::get(format!("{STREAM}{query}")).header("x-api-key", key);
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    let options = Options {
        beat: Duration::from_millis(50),
        stop: world.stop.clone(),
        ..Options::new("http://sms.example")
    };
    let front = api::front(world.gateway.clone(), options);
    let request = request.body(Body::empty()).unwrap();
    front.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_log_is_read_in_parts() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        for n in 0..3 {
            receive(&phone, &format!("<{n}>")).await;
        }
        let user = world.user();
        let received = read(&user, "&types=message.phone.received&limit=2", 3).await;
        let contents: Vec<_> = received
            .iter()
            .map(|event| &event["data"]["content"])
            .collect();
        assert_eq!(contents, ["<0>", "<1>", "<2>"]);
        assert_eq!(received[0]["type"], "message.phone.received");
        assert_eq!(received[0]["specversion"], "1.0");
        assert!(received[0]["seq"].as_i64() < received[1]["seq"].as_i64());
        let types = "&types=message.phone.received,phone.updated&types=message.phone.received";
        let both = read(&user, types, 4).await;
        assert_eq!(both.len(), 4, "{both:#?}");
        assert_eq!(both[0]["type"], "phone.updated");
        let all = read(&user, "", 4).await;
        assert_eq!(all[all.len() - 3..], received);

        let end = all.last().unwrap()["seq"].as_i64().unwrap();
        let none = user.get(&format!("/v1/events?after={end}")).await;
        let none = none.says(200, "fetched 0 events").ok();
        assert_eq!(none, json!({"events": [], "next": end}));
        let one = user.get(&format!("/v1/events?after={}", end - 1)).await;
        one.says(200, "fetched 1 event");
        add_user(&world.gateway, "bob", "key-of-bob").await;
        let others = read(&world.client("key-of-bob"), "", 1).await;
        assert_eq!(others.len(), 1);
        assert_eq!(others[0]["type"], "user.account.created");
        world.client("pk_x").get("/v1/events").await.unauthorized();
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let world = World::open(None).await;
    for (query, wrong) in [
        (
            "after=-1",
            json!({"after": ["The after field must be numeric"]}),
        ),
        (
            "after=x",
            json!({"after": ["The after field must be numeric"]}),
        ),
        (
            "limit=0",
            json!({"limit": ["The limit field must be between 1 and 500"]}),
        ),
        (
            "limit=501",
            json!({"limit": ["The limit field must be between 1 and 500"]}),
        ),
        (
            "types=message.phone.sent,x&types=y",
            json!({"types": ["The types field has an invalid event with name [x]",
                             "The types field has an invalid event with name [y]"]}),
        ),
    ] {
        let answer = world.user().get(&format!("/v1/events?{query}")).await;
        answer.invalid(INVALID, wrong);
    }
    let user = world.user();
    for wrong in [
        "after=99999999999999999999",
        "types=message.phone.send.failed",
    ] {
        assert_eq!(user.get(&format!("{STREAM}?{wrong}")).await.status, 422);
    }
    world.anonymous().get(STREAM).await.unauthorized();
}

#[tokio::test]
async fn a_stream_begins_now_and_goes_on_where_it_was() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        receive(&phone, "before").await;
        read(&world.user(), "&types=message.phone.received", 1).await;
        let mut stream =
            Stream::open(&world, USER_KEY, "?types=message.phone.received", None).await;
        let first = stream.block().await.unwrap();
        assert!(first.starts_with(": beat\nretry: 1000\nid: "), "{first}");
        receive(&phone, "one\ntwo").await;
        let (seq, kind, data) = stream.event().await;
        assert_eq!(kind, "message.phone.received");
        assert_eq!(data["data"]["content"], "one\ntwo");
        drop(stream);

        receive(&phone, "missed").await;
        let mut again = Stream::open(&world, USER_KEY, "?after=0", Some(seq)).await;
        let (next, _, data) = again.event().await;
        assert_eq!(data["data"]["content"], "missed");
        assert!(next > seq);
        let mut all = Stream::open(&world, USER_KEY, "?after=0", None).await;
        assert_eq!(all.event().await.1, "user.account.created");
    })
    .await;
}

#[tokio::test]
async fn a_beat_tells_how_far_unwanted_events_went() {
    let world = World::open(None).await;
    let phone = world.phone(&[OWNER]).await;
    let mut stream = Stream::open(&world, USER_KEY, "?types=message.call.missed", None).await;
    stream.block().await.unwrap();
    receive(&phone, "unwanted").await;
    let end = read(&world.user(), "", 1).await.last().unwrap()["seq"].clone();
    let reached = async {
        while !stream
            .block()
            .await
            .unwrap()
            .ends_with(&format!("\nid: {end}"))
        {}
    };
    timeout(PATIENCE, reached).await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_with_the_server() {
    on_each_engine(async |world: World| {
        let end = async |mut stream: Stream| while stream.block().await.is_some() {};
        let stream = Stream::open(&world, USER_KEY, "", None).await;
        let rotated = world.user().delete("/v1/users/ann-ID/api-keys").await.ok();
        timeout(PATIENCE, end(stream)).await.unwrap();
        let key = rotated["api_key"].as_str().unwrap();
        let stream = Stream::open(&world, key, "", None).await;
        world.stop.cancel();
        timeout(PATIENCE, end(stream)).await.unwrap();
    })
    .await;
}

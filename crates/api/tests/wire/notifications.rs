//! Wake-ups that phones fetch themselves.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{CONTACT, OWNER, SECOND, USER_KEY, World, on_each_engine};

const POLL: &str = "/v1/phones/notifications";

async fn send(world: &World, from: &str) -> String {
    let body = json!({"from": from, "to": CONTACT, "content": "hi"});
    let data = world.user().post("/v1/messages/send", body).await.ok();
    data["id"].as_str().unwrap().to_owned()
}

/// Lets the other branch of a `join!` come to its wait; should it be later, it hears all the same.
async fn soon() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wake_up_is_offered_until_it_is_taken() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let other = world.phone(&[SECOND]).await;
        phone.get(POLL).await.empty();
        let id = send(&world, OWNER).await;
        world.wake().await;
        let answer = phone.get(POLL).await.says(200, "fetched 1 notification");
        let data = answer.ok();
        assert_eq!(
            data,
            json!([{"id": data[0]["id"], "data": {"KEY_MESSAGE_ID": id}}])
        );
        assert_eq!(world.user().get(&format!("{POLL}?wait=")).await.ok(), data);
        other.get(POLL).await.empty();

        let name = data[0]["id"].as_str().unwrap();
        let unknown = format!("{POLL}?ack=nonsense,,5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11");
        phone
            .get(&unknown)
            .await
            .says(200, "fetched 1 notification");
        phone
            .get(&format!("{POLL}?ack=x,{name}&wait=0"))
            .await
            .empty();
        phone.get(&format!("{POLL}?ack={name}")).await.empty();

        // A claim takes it as well.
        world.clock.advance(Duration::from_mins(1));
        let id = send(&world, OWNER).await;
        world.wake().await;
        assert_eq!(phone.get(POLL).await.status, 200);
        phone
            .get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await
            .ok();
        phone.get(POLL).await.empty();
    })
    .await;
}

#[tokio::test]
async fn an_open_poll_hears_at_once() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = send(&world, OWNER).await;
        let path = format!("{POLL}?wait=60");
        let (heard, ()) = tokio::join!(phone.get(&path), async {
            soon().await;
            world.wake().await;
        });
        assert_eq!(heard.ok()[0]["data"]["KEY_MESSAGE_ID"], id);
    })
    .await;
}

#[tokio::test]
async fn a_newer_poll_ends_the_older() {
    let world = World::open(None).await;
    let phone = world.phone(&[OWNER]).await;
    let path = format!("{POLL}?wait=60");
    let (older, newer) = tokio::join!(phone.get(&path), async {
        soon().await;
        phone.get(&format!("{POLL}?wait=0")).await
    });
    older.empty();
    newer.empty();
}

#[tokio::test]
async fn a_revoked_key_ends_its_poll() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let keys = world.user().get("/v1/phone-api-keys").await.ok();
        let path = format!("/v1/phone-api-keys/{}", keys[0]["id"].as_str().unwrap());
        let wait = format!("{POLL}?wait=60");
        let (poll, ()) = tokio::join!(phone.get(&wait), async {
            soon().await;
            world.user().delete(&path).await.empty();
        });
        poll.unauthorized();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_ends_its_polls() {
    let world = World::open(None).await;
    let path = format!("{POLL}?wait=60");
    let user = world.user();
    let (poll, ()) = tokio::join!(user.get(&path), async {
        soon().await;
        world.stop.cancel();
    });
    poll.empty();
}

#[tokio::test]
async fn a_phone_that_hangs_up_leaves_nothing() {
    let world = World::open(None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(axum::serve(listener, world.router.clone()).into_future());
    let poll = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {POLL}?wait=60 HTTP/1.1\r\nhost: h\r\nx-api-key: {USER_KEY}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    };
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let idle = tasks();
    let (mut one, mut other) = (poll().await, poll().await);
    let (mut byte, mut same) = ([0], [0]);
    // One of them has ended the other, so it is open.
    tokio::select! {
        read = one.read_exact(&mut byte) => read,
        read = other.read_exact(&mut same) => read,
    }
    .unwrap();
    drop((one, other));
    testkit::until("both are forgotten", Duration::from_secs(10), async || {
        (tasks() <= idle).then_some(())
    })
    .await;
    serving.abort();
}

#[tokio::test]
async fn a_wait_is_a_number_of_seconds() {
    let world = World::open(None).await;
    for wrong in ["x", "-1", "1.5"] {
        world
            .user()
            .get(&format!("{POLL}?wait={wrong}"))
            .await
            .invalid(
                "validation errors while fetching notifications",
                json!({"wait": ["The wait field must be numeric"]}),
            );
    }
}

#[tokio::test]
async fn a_nudge_asks_for_a_heartbeat() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        phone
            .post("/v1/heartbeats", json!({"phone_numbers": [OWNER]}))
            .await
            .ok();
        world.pass(Duration::from_mins(16)).await;
        world.wake().await;
        let data = phone.get(POLL).await.ok();
        assert_eq!(
            data[0]["data"],
            json!({"KEY_HEARTBEAT_ID": "2026-03-02T09:16:00Z"})
        );
        phone
            .post("/v1/heartbeats", json!({"phone_numbers": [OWNER]}))
            .await
            .ok();
        phone.get(POLL).await.empty();
    })
    .await;
}

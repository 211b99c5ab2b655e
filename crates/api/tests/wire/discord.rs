//! Discord: what it is told of the bot, and its signed commands.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::body::Body;
use axum::http::{Method, Request};
use gateway::discord::{Asking, PublicKey};
use serde_json::{Value, json};

use crate::support::{Answer, CONTACT, OWNER, World, on_each_engine};

const EVENT: &str = "/discord/event";
const DISCORDS: &str = "/v1/discord-integrations";

/// Sees what does not begin with 9; notes where it offered its command.
#[derive(Debug, Default)]
pub struct Bot {
    offered: Mutex<Vec<String>>,
    refused: bool,
}

impl gateway::discord::Bot for Bot {
    fn sees_channel<'a>(&'a self, id: &'a str) -> Asking<'a> {
        Box::pin(async move { !id.starts_with('9') })
    }

    fn sees_server<'a>(&'a self, id: &'a str) -> Asking<'a> {
        Box::pin(async move { !id.starts_with('9') })
    }

    fn offer_command<'a>(&'a self, server_id: &'a str) -> Asking<'a> {
        self.offered.lock().unwrap().push(server_id.to_owned());
        Box::pin(async move { !self.refused })
    }
}

fn key_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// What Discord signs with in these tests.
pub fn public_key() -> PublicKey {
    PublicKey::parse(&hex(key_pair().public_key().as_ref())).unwrap()
}

async fn told(world: &World, signature: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(EVENT)
        .header("x-signature-ed25519", signature)
        .header("x-signature-timestamp", "1772442000")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()));
    world.call(request.unwrap()).await
}

async fn signed(world: &World, body: &str) -> Answer {
    let signature = key_pair().sign(format!("1772442000{body}").as_bytes());
    told(world, &hex(signature.as_ref()), body).await
}

fn draft(server: &str) -> Value {
    json!({"name": "ops", "server_id": server, "incoming_channel_id": "22"})
}

/// Of the next interaction.
static NUMBER: AtomicU64 = AtomicU64::new(1);

fn command(server: &str, from: &str, to: &str, message: &str) -> String {
    let option = |name: &str, value: &str| json!({"type": 3, "name": name, "value": value});
    let options = [
        option("from", from),
        option("to", to),
        option("message", message),
    ];
    let id = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    json!({
        "type": 2, "id": id, "token": "x", "guild_id": server,
        "data": {"id": "2", "name": "httpsms", "type": 1, "options": options},
    })
    .to_string()
}

#[tokio::test]
async fn only_what_discord_signed_is_heard() {
    let world = World::open(None).await;
    let ping = r#"{"type": 1}"#;
    let answer = signed(&world, ping).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"type": 1})));
    let refused = |answer: Answer| {
        assert_eq!(answer.status, 401, "{}", answer.text());
        let hint = "Make sure your API key is set in the [X-API-Key] header in the request";
        assert_eq!(answer.json()["data"], hint);
    };
    let signature = key_pair().sign(format!("1772442001{ping}").as_bytes());
    refused(told(&world, &hex(signature.as_ref()), ping).await);
    refused(told(&world, "", ping).await);
    refused(told(&world, "zz", ping).await);
    for other in [r#"{"type": 3}"#, "{}", r#"{"type": "2"}"#, "[", "null"] {
        assert_eq!(signed(&world, other).await.status, 400, "{other}");
    }
    let deaf = World::with(None, |options| options.discord_key = None).await;
    refused(signed(&deaf, ping).await);
}

#[tokio::test]
async fn a_command_sends_an_sms() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        world.user().post(DISCORDS, draft("11")).await.ok();
        let answer = signed(&world, &command("11", OWNER, CONTACT, "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let reply = answer.json();
        assert_eq!(
            (&reply["type"], &reply["data"]["content"]),
            (&json!(4), &json!("✔ sending sms"))
        );
        let fields = reply["data"]["embeds"][0]["fields"].as_array().unwrap();
        let names: Vec<&str> = fields
            .iter()
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["From:", "To:", "Content:", "MessageID:"]);
        let id = fields[3]["value"].as_str().unwrap();
        let message = world.user().get(&format!("/v1/messages/{id}")).await.ok();
        assert_eq!(
            (
                &message["owner"],
                &message["contact"],
                &message["content"],
                &message["status"]
            ),
            (
                &json!(OWNER),
                &json!(CONTACT),
                &json!("hi"),
                &json!("scheduled")
            )
        );
    })
    .await;
}

#[tokio::test]
async fn a_command_that_was_overheard_sends_nothing_more() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        world.user().post(DISCORDS, draft("11")).await.ok();
        let body = command("11", OWNER, CONTACT, "hi");
        let first = signed(&world, &body).await;
        let again = signed(&world, &body).await;
        assert_eq!((first.status, first.text()), (200, again.text()));
        let sent = async || {
            let list = "/v1/messages/search?query=hi";
            world.user().get(list).await.ok().as_array().unwrap().len()
        };
        assert_eq!(sent().await, 1);
        world.clock.advance(std::time::Duration::from_secs(301));
        assert_eq!(signed(&world, &body).await.status, 401);
        let late = signed(&world, &command("11", OWNER, CONTACT, "hi")).await;
        assert_eq!(late.status, 401);
        assert_eq!(sent().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_command_is_told_in_red() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        world.user().post(DISCORDS, draft("11")).await.ok();
        let reasons = async |body: String| {
            let answer = signed(&world, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let embeds = answer.json()["data"]["embeds"].take();
            let embeds = embeds.as_array().unwrap().clone();
            assert!(embeds.iter().all(|embed| embed["color"] == 14_681_092));
            let titles = embeds.iter().map(|embed| embed["title"].to_string());
            titles.collect::<Vec<_>>().join(" ")
        };
        let wrong = reasons(command("11", "x", "y", "")).await;
        for words in [
            "The from field must be a valid E.164",
            "The to field must contain only digits",
            "The message field is required",
        ] {
            assert!(wrong.contains(words), "{wrong}");
        }
        let foreign = reasons(command("11", "+18005550177", CONTACT, "hi")).await;
        assert!(foreign.contains("+18005550177"), "{foreign}");
        let stranger = reasons(command("12", OWNER, CONTACT, "hi")).await;
        assert!(stranger.contains("[12] is not connected"), "{stranger}");
        let mut nameless: Value =
            serde_json::from_str(&command("11", OWNER, CONTACT, "hi")).unwrap();
        nameless.as_object_mut().unwrap().remove("id");
        let refused = signed(&world, &nameless.to_string()).await;
        refused.malformed("an interaction has an id");
        let empty = reasons(r#"{"type": 2, "guild_id": "11", "data": {}}"#.to_owned()).await;
        assert!(empty.contains("The from field is required"), "{empty}");
        let list = format!(
            "/v1/messages?owner=%2B18005550199&contact=%2B{}",
            &CONTACT[1..]
        );
        assert_eq!(world.user().get(&list).await.ok(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn without_a_bot_nothing_is_connected() {
    let world = World::with(None, |options| options.discord = None).await;
    world.user().post(DISCORDS, draft("11")).await.invalid(
        "validation errors while storing discord integration",
        json!({"server_id": ["this server has no Discord bot configured"]}),
    );
    assert_eq!(world.user().get(DISCORDS).await.ok(), json!([]));
}

#[tokio::test]
async fn the_command_is_offered_only_where_something_is_stored() {
    let bot = Arc::new(Bot::default());
    let shared = Arc::clone(&bot);
    let world = World::with(None, |options| options.discord = Some(shared)).await;
    let user = world.user();
    let id = user.post(DISCORDS, draft("11")).await.ok()["id"].clone();
    assert_eq!(user.post(DISCORDS, draft("12")).await.status, 402);
    assert_eq!(user.post(DISCORDS, draft("911")).await.status, 422);
    let path = format!("{DISCORDS}/{}", id.as_str().unwrap());
    user.put(&path, draft("13")).await.ok();
    assert_eq!(*bot.offered.lock().unwrap(), ["11", "13"]);

    let refused = Bot {
        refused: true,
        ..Bot::default()
    };
    let world = World::with(None, |options| options.discord = Some(Arc::new(refused))).await;
    let answer = world.user().post(DISCORDS, draft("11")).await;
    answer.invalid(
        "validation errors while storing discord integration",
        json!({"server_id": ["cannot register the command /httpsms on the discord server with ID [11]"]}),
    );
    assert_eq!(world.user().get(DISCORDS).await.ok(), json!([]));
}

#[tokio::test]
async fn what_is_received_waits_for_the_channel_until_the_connection_ends() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let id = world.user().post(DISCORDS, draft("11")).await.ok()["id"].clone();
        let sms = json!({
            "from": CONTACT, "to": OWNER, "content": "hi", "sim": "SIM1",
            "timestamp": crate::support::AT,
        });
        phone.post("/v1/messages/receive", sms).await.ok();
        assert_eq!(world.gateway.waiting(-1, None, 10).await.unwrap().len(), 1);
        let path = format!("{DISCORDS}/{}", id.as_str().unwrap());
        world.user().delete(&path).await.ok();
        assert!(
            world
                .gateway
                .waiting(-1, None, 10)
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

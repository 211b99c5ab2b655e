//! Received messages on their way to a Discord channel.

use std::sync::Arc;

use courier::{DiscordBot, Options};
use gateway::discord::{Bot as _, Draft};
use gateway::event::Kind;
use serde_json::json;
use testkit::{Received, Receiver, Respond};

use crate::support::{OWNER, SOON, World, on_each_engine};

fn bot(receiver: &Receiver, application: Option<&str>) -> Arc<DiscordBot> {
    let application = application.map(str::to_owned);
    Arc::new(DiscordBot::new(&receiver.url("/api/"), "sesame", application).unwrap())
}

fn carried_by(bot: Option<Arc<DiscordBot>>) -> Options {
    Options {
        discord: bot,
        ..Options::default()
    }
}

async fn connect(world: &World) -> String {
    let draft = Draft {
        name: "ops".to_owned(),
        server_id: "11".to_owned(),
        incoming_channel_id: "22".to_owned(),
    };
    let made = world.gateway.add_discord(&world.user, draft).await;
    made.unwrap().id.to_string()
}

#[tokio::test]
async fn a_received_message_is_posted_to_the_channel() {
    on_each_engine(async |world: World| {
        // What passes is tried again.
        let busy = Respond::text(503, "busy");
        let receiver = Receiver::answering(vec![busy, Respond::text(200, "{}")]).await;
        let mut world = world.carrying(carried_by(Some(bot(&receiver, None))));
        world.phone("").await;
        connect(&world).await;
        world.receive("on my way").await;
        let request = receiver.wait_for(2, SOON).await.remove(1);
        assert_eq!(request.path(), "/api/channels/22/messages");
        assert_eq!(request.header("authorization"), Some("Bot sesame"));
        let message = request.json();
        assert_eq!(message["content"], "✉ new message received");
        let fields = &message["embeds"][0]["fields"];
        assert_eq!(
            (&fields[1]["value"], &fields[2]["value"]),
            (&json!("+372 5000 1111"), &json!("on my way"))
        );
        assert!(message.get("username").is_none());
        world.nothing_left().await;
        assert!(world.events(Kind::DiscordSendFailed).await.is_empty());
        world.stop().await;
        assert_eq!(receiver.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_discord_refuses_is_told() {
    on_each_engine(async |world: World| {
        let refusal = r#"{"code":50001}"#;
        let receiver = Receiver::answering(vec![Respond::text(403, refusal)]).await;
        let mut world = world.carrying(carried_by(Some(bot(&receiver, None))));
        world.phone("").await;
        let id = connect(&world).await;
        world.receive("on my way").await;
        let failed = world.payload(Kind::DiscordSendFailed).await;
        let message_id = failed["message_id"].clone();
        assert!(message_id.is_string());
        let expected = json!({
            "discord_id": id, "user_id": world.user.user_id, "message_id": message_id,
            "event_type": "message.phone.received", "owner": OWNER,
            "http_response_status_code": 403, "error_message": refusal,
            "discord_channel_id": "22",
        });
        assert_eq!(failed, expected);
        world.nothing_left().await;
        world.stop().await;
        assert_eq!(receiver.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn without_a_bot_it_is_told_too() {
    on_each_engine(async |world: World| {
        let mut world = world.carrying(carried_by(None));
        world.phone("").await;
        connect(&world).await;
        world.receive("on my way").await;
        let failed = world.payload(Kind::DiscordSendFailed).await;
        assert_eq!(
            failed["error_message"],
            "this server has no Discord bot configured"
        );
        assert!(failed["http_response_status_code"].is_null());
        world.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_bot_asks_discord_and_offers_its_command() {
    let receiver = Receiver::answering(vec![
        Respond::text(200, "{}"),
        Respond::text(404, "{}"),
        Respond::text(201, "{}"),
    ])
    .await;
    let bot = bot(&receiver, Some("33"));
    assert!(bot.sees_channel("22").await);
    assert!(!bot.sees_server("11").await);
    assert!(bot.offer_command("11").await);
    let requests = receiver.wait_for(3, SOON).await;
    let paths = requests.iter().map(Received::path);
    assert_eq!(
        paths.collect::<Vec<_>>(),
        [
            "/api/channels/22",
            "/api/guilds/11",
            "/api/applications/33/guilds/11/commands"
        ]
    );
    let command = requests[2].json();
    assert_eq!(
        (&command["name"], &command["type"]),
        (&json!("httpsms"), &json!(1))
    );
    assert_eq!(command["options"].as_array().unwrap().len(), 4);
    assert!(!format!("{bot:?}").contains("sesame"));
}

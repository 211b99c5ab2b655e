//! The product's own simulated phone on the running server: as a library, and as a command.

use std::process::Stdio;
use std::time::Duration;

use modem::Transport;
use modem::simulate::{Options, Phone};
use serde_json::json;
use testkit::{Receiver, until};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_util::sync::CancellationToken;

use crate::stage::{CONTACT, Engine, OWNER, SECOND, SOON, Stage, of_type, program, text};

const EVENTS: [&str; 4] = [
    "message.phone.sent",
    "message.phone.delivered",
    "message.send.failed",
    "message.phone.received",
];

/// A key that the stage's own phone does not use, so that the polls do not meet.
async fn phone_key(stage: &Stage) -> String {
    let named = json!({"name": "simulated"});
    let key = stage.user.post("/v1/phone-api-keys", &named).await;
    text(&key.expect(200).data()["api_key"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_phone_lives_through_a_whole_day() {
    let mut stage = Stage::on(Engine::Sqlite).await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver, &EVENTS, &[OWNER]).await;
    stage.tune(OWNER, json!({"messages_per_minute": 60})).await;

    let server = stage.url().parse().unwrap();
    let options = Options {
        duplicate_rate: 0.5,
        incoming_every: Some(Duration::from_millis(400)),
        seed: Some(7),
        ..Options::new(server, phone_key(&stage).await.as_str(), [OWNER, SECOND])
    };
    let phone = Phone::new(&Transport::new().unwrap(), options).unwrap();
    let (stats, stop) = (phone.stats(), CancellationToken::new());
    let running = tokio::spawn(phone.run(stop.clone()));

    let mut ids = Vec::new();
    for turn in 0..4 {
        let sent = stage
            .user
            .send(OWNER, CONTACT, &format!("message {turn}"))
            .await;
        ids.push(text(&sent["id"]));
        if turn == 1 {
            // In good order: a claim whose answer is lost waits for its expiry.
            stage.server.stop().await;
            stage.server.restart().await;
        }
    }
    for id in &ids {
        let message = stage.user.wait_for_status(id, "delivered", SOON).await;
        assert!(message["sent_at"].is_string() && message["send_time"].is_i64());
    }
    let enough = async || (stats.received.get() > 3).then_some(());
    until("somebody has written", SOON, enough).await;
    stop.cancel();
    let summary = running.await.unwrap().unwrap();
    assert_eq!(
        (summary.registered, summary.failed, summary.unreported),
        (2, 0, 0),
        "{summary}"
    );
    assert!(
        summary.heartbeats >= 2 && summary.delivered >= 4,
        "{summary}"
    );

    let told =
        |seen: &[testkit::Received]| [of_type(seen, EVENTS[0]), of_type(seen, EVENTS[1])] == [4, 4];
    let seen = receiver.wait_until(told, SOON).await;
    assert_eq!(
        of_type(&seen, EVENTS[2]),
        0,
        "reports that come twice are told once"
    );
}

#[tokio::test]
async fn the_command_is_a_phone_until_it_is_stopped() {
    let stage = Stage::on(Engine::Sqlite).await;
    let mut child = tokio::process::Command::new(program())
        .args([
            "phone",
            "simulate",
            "--latency=10ms",
            "--number",
            SECOND,
            "--server",
            stage.url(),
        ])
        .env("HTTPSMS_PHONE_API_KEY", phone_key(&stage).await)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(SOON, lines.next_line())
        .await
        .unwrap()
        .unwrap();
    let first = first.expect("it says something");
    assert!(first.contains(SECOND), "{first}");

    let id = text(
        &stage
            .user
            .send(SECOND, CONTACT, "through the command")
            .await["id"],
    );
    stage.user.wait_for_status(&id, "delivered", SOON).await;
    let pid = child.id().unwrap().to_string();
    let kill = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await;
    assert!(kill.unwrap().success());
    let mut said = vec![first];
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push(line);
    }
    assert!(child.wait().await.unwrap().success(), "{said:#?}");
    let said = said.join("\n");
    assert!(said.contains(&id), "{said}");
    assert!(!said.contains("pk_"), "keys are never shown: {said}");
}

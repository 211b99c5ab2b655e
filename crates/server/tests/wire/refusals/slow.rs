//! Callers that dribble their requests are cut off, and others are served meanwhile.

use std::time::{Duration, Instant};

use super::raw::Raw;
use crate::stage::{CONTACT, Engine, OWNER, Stage, USER_KEY};

/// After this a request has to be complete, head and body.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two bytes of a slow caller.
const DRIBBLE: Duration = Duration::from_millis(500);
/// How many there are of each kind.
const SLOW: usize = 50;

/// Takes as long as the server's patience.
pub async fn slow_callers_are_cut_off_while_others_are_served() {
    let stage = Stage::on(Engine::Sqlite).await;
    let before = stage.row_counts().await;
    let head = format!("POST /v1/messages/send HTTP/1.1\r\nhost: x\r\nx-api-key: {USER_KEY}\r\n");
    let body = format!("{head}content-type: application/json\r\ncontent-length: 4096\r\n\r\n{{");

    let begun = Instant::now();
    let mut slow = tokio::task::JoinSet::new();
    for start in [String::new(), head, body] {
        for _ in 0..SLOW {
            let raw = Raw::connect(&stage).await;
            slow.spawn(dribble(raw, start.clone()));
        }
    }
    while !slow.is_empty() {
        let asked = Instant::now();
        stage.user.get("/v1/phones").await.expect(200);
        let took = asked.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "somebody else waited {took:?}"
        );
        tokio::time::sleep(DRIBBLE).await;
        while let Some(cut) = slow.try_join_next() {
            cut.unwrap();
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{} are still served",
            slow.len()
        );
    }
    assert_eq!(stage.row_counts().await, before);
    stage.user.send(OWNER, CONTACT, "still here").await;
}

/// Sends a byte now and then until the server has had enough.
async fn dribble(mut raw: Raw, start: String) {
    raw.write(start.as_bytes()).await;
    let byte = if start.is_empty() { b'G' } else { b'x' };
    while raw.write(&[byte]).await {
        tokio::time::sleep(DRIBBLE).await;
    }
    let answer = raw.read_to_end(DRIBBLE * 4).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 503"),
        "{answer}"
    );
}

//! Thousands of connections that say nothing do not keep out those that do.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::stage::{CONTACT, Engine, OWNER, Stage};

const CROWD: usize = 4_000;

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_connections_are_held() {
    let files = rlimit::increase_nofile_limit(3 * CROWD as u64).unwrap_or(1_024);
    let crowd = CROWD.min(usize::try_from(files).unwrap().saturating_sub(500));
    let stage = Stage::on(Engine::Sqlite).await;
    let before = stage.usage().rss;
    let address = stage.url().trim_start_matches("http://").to_owned();
    let mut held = Vec::with_capacity(crowd);
    for _ in 0..crowd {
        held.push(TcpStream::connect(&address).await.unwrap());
    }
    for turn in 0..20 {
        let begun = Instant::now();
        stage.user.send(OWNER, CONTACT, &turn.to_string()).await;
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
    }
    let each = stage.usage().rss.saturating_sub(before) / crowd as u64;
    assert!(each < 64 << 10, "{each} bytes for each connection");
    drop(held);
    stage.user.send(OWNER, CONTACT, "afterwards").await;
}

//! `serve --demo`: something to see at once, and again after a restart.

use serde_json::Value;
use testkit::{UserClient, until};

use super::{SOON, setup};

const KEY: &str = "key-of-ann";

async fn list(user: &UserClient, path: &str) -> Vec<Value> {
    let listed = user.get_with(path, &[("limit", "20")]).await.expect(200);
    listed.into_data().as_array().unwrap().clone()
}

#[tokio::test]
async fn the_demo_plays_and_plays_again() {
    let setup = setup().user("ann@example.com", "ann", KEY).arg("--demo");
    let mut server = setup.start().await;
    let user = server.user(KEY);
    server.wait_for_log("missed a call", SOON).await;
    until("a message of the demo is delivered", SOON, async || {
        let query = [("owner", "+14155550111"), ("contact", "+13035550142")];
        let messages = user.get_with("/v1/messages", &query).await.expect(200);
        let all = messages.data().as_array()?;
        all.iter()
            .any(|message| message["status"] == "delivered")
            .then_some(())
    })
    .await;
    assert_eq!(list(&user, "/v1/phones").await.len(), 2);

    assert!(server.stop().await.success());
    server.restart().await;
    server.wait_for_log("is registered", SOON).await;
    assert_eq!(list(&user, "/v1/phones").await.len(), 2);
    let keys = list(&user, "/v1/phone-api-keys").await;
    assert_eq!(keys.len(), 2, "the phones have kept their keys");
    assert!(!server.log().contains("demo has ended"));
}

//! Replays of many events to a webhook.

use std::time::Duration;

use serde_json::json;

use crate::deliveries::{receive, webhook};
use crate::support::{OWNER, World, on_each_engine};

const SINCE: &str = "2026-03-02T00:00:00Z";

#[tokio::test]
async fn a_replay_is_started_followed_and_cancelled() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let webhook = webhook(&world).await;
        receive(&world, "fails").await;
        world.attempt(false).await;
        receive(&world, "arrives").await;
        world.attempt(true).await;

        let start = format!("{webhook}/replays");
        let body = json!({"since": SINCE, "failed_only": true});
        let failed = world.user().post(&start, body).await;
        let failed = failed.says(202, "replay started successfully").ok();
        assert_eq!(
            (&failed["stage"], &failed["total"]),
            (&json!("running"), &json!(1))
        );

        let types = ["message.phone.received", "message.phone.sent"];
        let body =
            json!({"since": SINCE, "until": "2026-03-03T00:00:00+00:00", "event_types": types});
        let all = world.user().post(&start, body).await.ok();
        assert_eq!(all["total"], 2);
        world.pass(Duration::from_secs(1)).await;
        let path = format!("{start}/{}", all["id"].as_str().unwrap());
        let progress = world.user().get(&path).await;
        let progress = progress.says(200, "replay fetched successfully").ok();
        assert_eq!(
            (&progress["stage"], &progress["queued"]),
            (&json!("queued"), &json!(2))
        );
        let cancelled = world.user().delete(&path).await;
        let cancelled = cancelled.says(200, "replay cancelled successfully").ok();
        assert_eq!(cancelled["stage"], "cancelled");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_replay_is_told() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let start = format!("{}/replays", webhook(&world).await);
    let time = |name: &str| format!("The {name} field must be a time such as 2026-01-02T03:04:05Z");
    for (body, expected) in [
        (json!({}), json!({"since": ["The since field is required"]})),
        (
            json!({"since": "noon", "until": 5, "failed_only": "yes", "event_types": "all"}),
            json!({
                "since": [time("since")], "until": [time("until")],
                "failed_only": ["The failed_only field must be true or false"],
                "event_types": ["The event_types field must be a list of strings"],
            }),
        ),
        (
            json!({"since": SINCE, "until": SINCE, "event_types": ["message.api.sent"]}),
            json!({
                "until": ["The until field must be later than the since field"],
                "event_types": ["The event_types field has an invalid event with name [message.api.sent]"],
            }),
        ),
    ] {
        let answer = world.user().post(&start, body).await;
        answer.invalid("validation errors while starting replay", expected);
    }
    world.user().get(&format!("{start}/x")).await.invalid(
        "validation errors while fetching replay",
        json!({"replayID": ["The replayID field must contain valid UUID"]}),
    );
}

//! What mostly waits, played together and first: it takes a minute instead of four.

use testkit::postgres::fresh_database;

use crate::nodes;
use crate::phone::{expiry, heartbeats, push};
use crate::refusals::slow;
use crate::restart;
use crate::scenes::Scenes;
use crate::stage::Engine;
use crate::webhooks::{refused, retries};

#[tokio::test(flavor = "multi_thread")]
async fn what_mostly_waits() {
    // Its server is started now: that would keep the scenes from being on time.
    drop(fresh_database().await);
    Scenes::default()
        .and("a minute is a minute", expiry::a_minute_is_a_minute())
        .and(
            "slow callers are cut off while others are served",
            slow::slow_callers_are_cut_off_while_others_are_served(),
        )
        .and(
            "failures are tried again, on SQLite",
            retries::failures_are_tried_again_on_sqlite(),
        )
        .and(
            "failures are tried again, on PostgreSQL",
            retries::failures_are_tried_again_on_postgresql(),
        )
        .and(
            "timers run on, on SQLite",
            restart::timers_run_on(Engine::Sqlite),
        )
        .and(
            "timers run on, on PostgreSQL",
            restart::timers_run_on(Engine::Postgres),
        )
        .and("two servers are one", nodes::two_servers_are_one())
        .and(
            "phones are woken through the push service",
            push::phones_are_woken_through_the_push_service(),
        )
        .and(
            "a silent phone, on SQLite",
            heartbeats::a_silent_phone(Engine::Sqlite),
        )
        .and(
            "a silent phone, on PostgreSQL",
            heartbeats::a_silent_phone(Engine::Postgres),
        )
        .and(
            "what is final is not tried again",
            refused::what_is_final_is_not_tried_again(),
        )
        .play()
        .await;
}

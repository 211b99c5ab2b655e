//! The list of the schema's steps, and how one text serves both engines. The texts are in `migrations/`; they
//! are applied by `db`. A step that was released is never changed.

use std::sync::LazyLock;

/// The schema's steps, in their order.
const STEPS: &[(&str, &str)] = &[
    ("0001_init", include_str!("../migrations/0001_init.sql")),
    (
        "0002_threads",
        include_str!("../migrations/0002_threads.sql"),
    ),
    (
        "0003_schedules",
        include_str!("../migrations/0003_schedules.sql"),
    ),
    (
        "0004_sessions",
        include_str!("../migrations/0004_sessions.sql"),
    ),
    (
        "0005_api_keys",
        include_str!("../migrations/0005_api_keys.sql"),
    ),
    (
        "0006_idempotency",
        include_str!("../migrations/0006_idempotency.sql"),
    ),
    ("0007_feed", include_str!("../migrations/0007_feed.sql")),
    ("0008_usage", include_str!("../migrations/0008_usage.sql")),
    ("0009_search", include_str!("../migrations/0009_search.sql")),
    ("0015_phones", include_str!("../migrations/0015_phones.sql")),
    (
        "0016_usage_days",
        include_str!("../migrations/0016_usage_days.sql"),
    ),
    (
        "0017_lost_messages",
        include_str!("../migrations/0017_lost_messages.sql"),
    ),
    (
        "0020_session_agent",
        include_str!("../migrations/0020_session_agent.sql"),
    ),
    (
        "0021_api_key_expiry",
        include_str!("../migrations/0021_api_key_expiry.sql"),
    ),
    (
        "0022_retention",
        include_str!("../migrations/0022_retention.sql"),
    ),
    (
        "0025_bulk_control",
        include_str!("../migrations/0025_bulk_control.sql"),
    ),
    (
        "0026_uploads",
        include_str!("../migrations/0026_uploads.sql"),
    ),
    (
        "0027_discord",
        include_str!("../migrations/0027_discord.sql"),
    ),
    ("0030_purge", include_str!("../migrations/0030_purge.sql")),
    (
        "0031_timeline",
        include_str!("../migrations/0031_timeline.sql"),
    ),
    (
        "0032_answer_location",
        include_str!("../migrations/0032_answer_location.sql"),
    ),
    ("0035_admins", include_str!("../migrations/0035_admins.sql")),
    (
        "0036_search_merges",
        include_str!("../migrations/0036_search_merges.sql"),
    ),
    (
        "0037_trouble_index",
        include_str!("../migrations/0037_trouble_index.sql"),
    ),
    (
        "0038_thread_numbers",
        include_str!("../migrations/0038_thread_numbers.sql"),
    ),
];

/// One text serves both engines, but for growing keys and what only one of them has.
static MIGRATIONS: LazyLock<Vec<(&str, String, String)>> = LazyLock::new(|| {
    let both = |(name, sql): &(&'static str, &str)| {
        let sqlite = without("postgres", sql)
            .replace("IDENTITY,", "INTEGER PRIMARY KEY AUTOINCREMENT,")
            .replace("GROWING,", "INTEGER PRIMARY KEY,")
            .replace(" OWNED,", " REFERENCES account (id) ON DELETE CASCADE,");
        let identity = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,";
        let postgres = without("sqlite", sql)
            .replace("IDENTITY,", identity)
            .replace("GROWING,", identity)
            .replace(" OWNED,", ",");
        (*name, sqlite, postgres)
    };
    STEPS.iter().map(both).collect()
});

/// The text without the blocks from `-- only ENGINE` to `-- end` of this engine.
fn without(engine: &str, sql: &str) -> String {
    let begin = format!("-- only {engine}");
    let mut skipping = false;
    let mut kept = String::with_capacity(sql.len());
    for line in sql.split_inclusive('\n') {
        skipping |= line.trim_end() == begin;
        if !skipping {
            kept.push_str(line);
        }
        skipping &= line.trim_end() != "-- end";
    }
    kept
}

/// All of them, in their order.
pub(crate) fn all() -> Vec<db::Migration> {
    MIGRATIONS
        .iter()
        .map(|(name, sqlite, postgres)| db::Migration {
            name,
            sqlite,
            postgres,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use db::{Db, Scalar};

    use super::all;
    use crate::message::between;

    /// A conversation as it was stored before threads had numbers.
    const BEFORE: [&str; 3] = [
        "INSERT INTO account (id, email, key_hash, key_sealed, timezone, created_at, updated_at)
         VALUES ('ann', 'ann@example.org', '', '', 'UTC', 1, 1)",
        "INSERT INTO thread VALUES ('00000000-0000-4000-8000-000000000001', 'ann', '+18005550199',
             '+18005550100', FALSE, TRUE, 1, 'red', 'received',
             '00000000-0000-4000-8000-000000000002', 'hi', 1, 1, 1, 1)",
        "INSERT INTO message (id, owner, user_id, contact, content, encrypted, kind, status, sim,
             request_received_at, created_at, updated_at, order_timestamp, send_attempt_count,
             max_send_attempts, source)
         VALUES ('00000000-0000-4000-8000-000000000002', '+18005550199', 'ann', '+18005550100',
             'hi', FALSE, 'mobile-originated', 'received', 'SIM1', 1, 1, 1, 1, 0, 0, '/')",
    ];

    async fn a_conversation_of_before_is_found(db: Db) {
        let (steps, engine) = (all(), db.engine());
        let numbers = steps
            .iter()
            .position(|step| step.name == "0038_thread_numbers");
        db.migrate(&steps[..numbers.unwrap()]).await.unwrap();
        for statement in BEFORE {
            let stored: db::Result<u64> = db.write(move |tx| tx.execute(statement, &[])).await;
            stored.unwrap();
        }
        db.migrate(&steps).await.unwrap();
        let found: db::Result<(i64, i64)> = db
            .read(move |tx| {
                let Scalar(threads) = tx.one("SELECT COUNT(*) FROM thread", &[])?;
                let ids = between(engine, "TRUE", "");
                let count = format!("SELECT COUNT(*) FROM ({ids}) AS found");
                let Scalar(messages) =
                    tx.one(&count, &[&"ann", &"+18005550199", &"+18005550100"])?;
                Ok((threads, messages))
            })
            .await;
        assert_eq!(found.unwrap(), (1, 1));
        db.close().await;
    }

    #[tokio::test]
    async fn threads_get_numbers_and_what_was_stored_before_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Db::open_sqlite(&folder.path().join("test.db")).unwrap();
        a_conversation_of_before_is_found(sqlite).await;
        let database = testkit::postgres::fresh_database().await;
        a_conversation_of_before_is_found(Db::open_postgres(database.url(), 4).unwrap()).await;
    }
}

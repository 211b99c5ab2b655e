//! What the product may rely on, on both engines: each test runs on SQLite and on PostgreSQL.
//! What only one of them has is in `postgres.rs` here, and in `tests/sqlite`.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod closing;
mod commits;
mod later;
mod migrations;
mod postgres;
mod queue;
mod scans;
mod unique;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use db::{Db, Engine, Error, Result, Scalar};
use testkit::postgres::fresh_database;

/// Runs `test` on an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(Db)) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Db::open_sqlite(&folder.path().join("test.db")).unwrap();
    eprintln!("on SQLite");
    test(sqlite.clone()).await;
    sqlite.close().await;

    let database = fresh_database().await;
    let postgres = Db::open_postgres(database.url(), 16).unwrap();
    eprintln!("on PostgreSQL");
    test(postgres.clone()).await;
    postgres.close().await;
}

/// Runs statements, each in a transaction of its own; `{bytes}` is the type for bytes.
async fn run(db: &Db, statements: &[&str]) {
    for sql in statements {
        let bytes = match db.engine() {
            Engine::Sqlite => "BLOB",
            Engine::Postgres => "BYTEA",
        };
        let sql = sql.replace("{bytes}", bytes);
        let done: Result<u64> = db.write(move |tx| tx.execute(&sql, &[])).await;
        done.unwrap();
    }
}

async fn count(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let Scalar(count) = db
        .read(move |tx| tx.one(&sql, &[]))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    count
}

/// Counts what happens on other threads.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

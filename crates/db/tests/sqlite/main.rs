//! What only a file does: no room left, other processes, silent listeners, the log and its end.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

use std::path::PathBuf;

use db::{Db, Error, Result, Scalar};
use tempfile::TempDir;

const INSERT: &str = "INSERT INTO item (data) VALUES ($1) RETURNING id";

struct Fixture {
    db: Db,
    folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("test.db")).unwrap();
        execute(&db, "CREATE TABLE item (id INTEGER PRIMARY KEY, data TEXT)").await;
        Self { db, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

async fn execute(db: &Db, sql: &'static str) {
    let done: Result<u64> = db.write(move |tx| tx.execute(sql, &[])).await;
    done.unwrap();
}

async fn insert(db: &Db, data: String) -> Result<i64> {
    let id: Result<Scalar<i64>> = db.write(move |tx| tx.one(INSERT, &[&data])).await;
    id.map(|Scalar(id)| id)
}

async fn ids(db: &Db) -> Vec<i64> {
    let ids: Result<Vec<Scalar<i64>>> = db
        .read(|tx| tx.all("SELECT id FROM item ORDER BY id", &[]))
        .await;
    ids.unwrap().into_iter().map(|Scalar(id)| id).collect()
}

/// The pages the writer's file may have.
async fn limit(db: &Db, pages: u32) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    let now: Result<Scalar<i64>> = db.write(move |tx| tx.one(&sql, &[])).await;
    now.unwrap();
}

fn is_full(result: &Result<i64>) -> bool {
    matches!(result, Err(Error::Full(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_the_caller_is_told_and_later_it_goes_on() {
    let Fixture { db, folder } = Fixture::new().await;
    let mut acknowledged = Vec::new();
    for round in 0..3_u32 {
        limit(&db, 60 * (round + 1)).await;
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { insert(&db, "x".repeat(2000)).await })
            })
            .collect();
        let mut full = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(id) => acknowledged.push(id),
                Err(Error::Full(_)) => full += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(full > 0);
        acknowledged.sort_unstable();
        assert_eq!(ids(&db).await, acknowledged);
    }
    assert!(acknowledged.len() > 30);
    limit(&db, 1_000_000).await;
    acknowledged.push(insert(&db, "y".repeat(100_000)).await.unwrap());
    db.close().await;
    let db = Db::open_sqlite(&folder.path().join("test.db")).unwrap();
    assert_eq!(ids(&db).await, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_without_room_takes_no_other_down() {
    let Fixture { db, .. } = &Fixture::new().await;
    limit(db, 40).await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let (db, size) = (db.clone(), if number % 5 == 0 { 1_000_000 } else { 10 });
            tokio::spawn(async move { (size, insert(&db, "x".repeat(size)).await) })
        })
        .collect();
    let mut acknowledged = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (10, Ok(id)) => acknowledged.push(id),
            (size, result) => assert!(size > 10 && is_full(&result), "{size}: {result:?}"),
        }
    }
    acknowledged.sort_unstable();
    assert_eq!(ids(db).await, acknowledged);
}

#[tokio::test]
async fn reads_cannot_write() {
    let Fixture { db, .. } = &Fixture::new().await;
    let sql = "INSERT INTO item (data) VALUES ('x')";
    let read: Result<u64> = db.read(move |tx| tx.execute(sql, &[])).await;
    let looked_up: Result<u64> = db.lookup(move |tx| tx.execute(sql, &[])).await;
    assert!(matches!(
        (read, looked_up),
        (Err(Error::Other(_)), Err(Error::Other(_)))
    ));
    assert_eq!(ids(db).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_write() {
    let fixture = Fixture::new().await;
    let other = Db::open_sqlite(&fixture.path("test.db")).unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let db = if number % 2 == 0 { &fixture.db } else { &other }.clone();
            tokio::spawn(async move { insert(&db, String::new()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(ids(&other).await.len(), 100);
    other.close().await;
    assert_eq!(ids(&fixture.db).await.len(), 100);
}

/// `NORMAL`: a commit is in the log, and another thread waits for the disk before it is answered.
#[tokio::test]
async fn the_writer_s_settings() {
    let Fixture { db, .. } = &Fixture::new().await;
    for (setting, wanted) in [("synchronous", 1), ("foreign_keys", 1)] {
        let sql = format!("PRAGMA {setting}");
        let found: Result<Scalar<i64>> = db.write(move |tx| tx.one(&sql, &[])).await;
        assert_eq!(found, Ok(Scalar(wanted)));
    }
}

#[tokio::test]
async fn closing_moves_the_log_into_the_file() {
    let fixture = Fixture::new().await;
    insert(&fixture.db, "kept".into()).await.unwrap();
    assert!(fixture.path("test.db-wal").metadata().unwrap().len() > 0);
    fixture.db.close().await;
    assert!(!fixture.path("test.db-wal").exists());
    let again = Db::open_sqlite(&fixture.path("test.db")).unwrap();
    assert_eq!(ids(&again).await.len(), 1);
}

#[tokio::test]
async fn a_listener_stays_silent_until_the_end() {
    let Fixture { db, .. } = &Fixture::new().await;
    let mut heard = db.listen("wake");
    let told: Result<()> = db.write(|tx| tx.notify("wake", "anybody")).await;
    told.unwrap();
    assert_eq!(
        heard.try_recv(),
        Err(tokio::sync::mpsc::error::TryRecvError::Empty)
    );
    db.close().await;
    assert_eq!(heard.recv().await, None);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Db::open_sqlite(&folder.path().join("no/such/test.db"));
    assert!(opened.err().unwrap().is_unavailable());
}

//! Migrations are applied once, all or none, and must not change.

use db::{Error, Migration, Result, Scalar};

use crate::{count, on_each_engine};

const fn migration(name: &'static str, sql: &'static str) -> Migration {
    Migration {
        name,
        sqlite: sql,
        postgres: sql,
    }
}

const FIRST: Migration = migration(
    "0001_first",
    "CREATE TABLE a (id BIGINT); INSERT INTO a VALUES (1); -- a comment; with more",
);
const SECOND: Migration = migration("0002_second", "INSERT INTO a VALUES (2)");
const BROKEN: Migration = migration("0003_broken", "INSERT INTO a VALUES (3); SELECT nonsense");

#[tokio::test]
async fn they_are_applied_once_and_in_order() {
    on_each_engine(async |db| {
        db.migrate(&[FIRST]).await.unwrap();
        db.migrate(&[FIRST]).await.unwrap();
        assert_eq!(count(&db, "a").await, 1);
        db.migrate(&[FIRST, SECOND]).await.unwrap();
        db.migrate(&[FIRST, SECOND]).await.unwrap();
        assert_eq!(count(&db, "a").await, 2);
        let names: Result<Vec<Scalar<String>>> = db
            .read(|tx| {
                tx.all(
                    "SELECT name FROM migration WHERE applied_at > 1600000000000000 ORDER BY name",
                    &[],
                )
            })
            .await;
        let wanted = ["0001_first", "0002_second"].map(|name| Scalar(name.to_owned()));
        assert_eq!(names.unwrap(), wanted);
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_leaves_nothing() {
    on_each_engine(async |db| {
        let error = db.migrate(&[FIRST, SECOND, BROKEN]).await.unwrap_err();
        assert!(error.to_string().contains("nonsense"), "{error}");
        let none: Result<Scalar<i64>> = db.read(|tx| tx.one("SELECT count(*) FROM a", &[])).await;
        assert!(none.is_err());
        db.migrate(&[FIRST]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_changed_or_unknown_one_is_refused() {
    on_each_engine(async |db| {
        db.migrate(&[FIRST, SECOND]).await.unwrap();
        let changed = migration("0002_second", "INSERT INTO a VALUES (22)");
        let error = db.migrate(&[FIRST, changed]).await.unwrap_err();
        let wanted = "migration 0002_second has changed since it was applied to this database";
        assert_eq!(error, Error::Other(wanted.into()));
        let error = db.migrate(&[FIRST]).await.unwrap_err();
        assert!(
            error.to_string().contains("newer than this program"),
            "{error}"
        );
        assert_eq!(count(&db, "a").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_may_start_at_once() {
    on_each_engine(async |db| {
        let nodes: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.migrate(&[FIRST, SECOND]).await })
            })
            .collect();
        for node in nodes {
            node.await.unwrap().unwrap();
        }
        assert_eq!(count(&db, "a").await, 2);
    })
    .await;
}

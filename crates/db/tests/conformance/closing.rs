//! An orderly end.

use db::{Error, Result};

use crate::{count, on_each_engine, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_finished_and_nothing_begins() {
    on_each_engine(async |db| {
        run(&db, &["CREATE TABLE item (id BIGINT PRIMARY KEY)"]).await;
        let tasks: Vec<_> = (0..200_i64)
            .map(|id| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(move |tx| tx.execute("INSERT INTO item VALUES ($1)", &[&id]))
                        .await
                })
            })
            .collect();
        let before = count(&db, "item").await;
        db.close().await;
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => done += 1,
                Err(Error::Closed) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(done >= before);
        let read: Result<()> = db.read(|_| Ok(())).await;
        let lookup: Result<()> = db.lookup(|_| Ok(())).await;
        let write: Result<()> = db.write(|_| Ok(())).await;
        assert_eq!([read, lookup, write], [const { Err(Error::Closed) }; 3]);
        db.close().await;
    })
    .await;
}

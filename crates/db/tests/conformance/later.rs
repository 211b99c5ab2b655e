//! Statements that are not waited for.

use db::{Error, Result, Scalar};

use crate::{Counter, count, on_each_engine, run};

const TABLE: &str = "CREATE TABLE item (id BIGINT PRIMARY KEY)";
const INSERT: &str = "INSERT INTO item (id) VALUES ($1)";

#[tokio::test]
async fn their_answers_are_there_after_a_wait_and_at_the_commit() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let seen: Result<Vec<Scalar<i64>>> = db
            .write(move |tx| {
                tx.send(INSERT, &[&1_i64])?;
                let all = tx.later::<Scalar<i64>>("SELECT id FROM item ORDER BY id", &[])?;
                tx.wait()?;
                let last = tx.later::<Scalar<i64>>(
                    "INSERT INTO item (id) VALUES ($1) RETURNING id",
                    &[&2_i64],
                )?;
                let tell = tell.clone();
                tx.on_commit(move || tell.send(last.take()).unwrap());
                Ok(all.take())
            })
            .await;
        assert_eq!(seen, Ok(vec![Scalar(1)]));
        assert_eq!(told.try_recv(), Ok(vec![Scalar(2)]));
        assert_eq!(count(&db, "item").await, 2);
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_takes_its_transaction_along() {
    on_each_engine(async |db| {
        run(&db, &[TABLE, "INSERT INTO item VALUES (1)"]).await;
        let hooked = Counter::default();
        let counter = hooked.clone();
        let done: Result<()> = db
            .write(move |tx| {
                let counter = counter.clone();
                tx.on_commit(move || counter.add());
                tx.send(INSERT, &[&2_i64])?;
                tx.send(INSERT, &[&1_i64])
            })
            .await;
        assert!(done.unwrap_err().is_unique("item(id)"));
        assert_eq!((count(&db, "item").await, hooked.get()), (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_takes_no_other_transaction_along() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let tasks: Vec<_> = (0..60_i64)
            .map(|number| {
                let db = db.clone();
                // The first three of four, and of the rest only the first.
                let id = if number % 4 == 3 { 1_000 } else { number };
                tokio::spawn(async move {
                    let done: Result<()> = db.write(move |tx| tx.send(INSERT, &[&id])).await;
                    done
                })
            })
            .collect();
        let (mut done, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => done += 1,
                Err(Error::Unique(_)) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!((done, refused), (46, 14));
        assert_eq!(count(&db, "item").await, 46);
    })
    .await;
}

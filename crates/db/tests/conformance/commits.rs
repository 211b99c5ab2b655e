//! What is kept, what is undone, and what follows a commit.

use db::{Db, Error, Result, Scalar};
use std::time::Duration;
use testkit::{until, within};

use crate::{Counter, count, on_each_engine, run};

const TABLE: &str = "CREATE TABLE item (id BIGINT PRIMARY KEY, note TEXT)";
const INSERT: &str = "INSERT INTO item (id) VALUES ($1)";

/// An error of the caller's own, as the product has one.
#[derive(Debug, PartialEq)]
enum Refused {
    ByRule,
    Db(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Db(error)
    }
}

/// Runs one closure for each number, all at once.
async fn all_at_once<T: Send + 'static, E: Send + From<Error> + 'static>(
    db: &Db,
    numbers: std::ops::Range<i64>,
    work: impl Fn(&mut db::Tx<'_>, i64) -> Result<T, E> + Clone + Send + 'static,
) -> Vec<Result<T, E>> {
    let tasks: Vec<_> = numbers
        .map(|number| {
            let (db, work) = (db.clone(), work.clone());
            tokio::spawn(async move { db.write(move |tx| work(tx, number)).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_want_the_same_of_sixty_four() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let results: Vec<Result<u64>> = all_at_once(&db, 0..64, |tx, number| {
            tx.execute(INSERT, &[&number.max(15)])
        })
        .await;
        let (done, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), refused.len()), (49, 15));
        let unique = |result: &Result<u64>| result.as_ref().is_err_and(|e| e.is_unique("item(id)"));
        assert!(refused.iter().all(unique), "{refused:?}");
        assert_eq!(count(&db, "item").await, 49);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_fail_are_undone_alone() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let results: Vec<Result<(), Refused>> = all_at_once(&db, 0..60, |tx, number| {
            tx.execute(INSERT, &[&number])?;
            match number % 3 {
                0 => Ok(()),
                1 => Err(Refused::ByRule),
                _ => panic!("as the test wants it"),
            }
        })
        .await;
        for (number, result) in results.into_iter().enumerate() {
            let wanted = match number % 3 {
                0 => Ok(()),
                1 => Err(Refused::ByRule),
                _ => Err(Refused::Db(Error::Panicked)),
            };
            assert_eq!(result, wanted);
        }
        let ids: Result<Vec<Scalar<i64>>> = db
            .read(|tx| tx.all("SELECT id FROM item ORDER BY id", &[]))
            .await;
        let wanted: Vec<_> = (0..60).step_by(3).map(Scalar).collect();
        assert_eq!(ids, Ok(wanted));
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_failed_dooms_its_transaction() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let hooked = Counter::default();
        let counter = hooked.clone();
        let swallowed: Result<()> = db
            .write(move |tx| {
                let counter = counter.clone();
                tx.on_commit(move || counter.add());
                tx.execute(INSERT, &[&1_i64])?;
                assert!(tx.execute(INSERT, &[&1_i64]).is_err());
                let next: Result<Scalar<i64>> = tx.one("SELECT count(*) FROM item", &[]);
                assert!(next.is_err());
                Ok(())
            })
            .await;
        assert!(swallowed.unwrap_err().is_unique("item(id)"));
        assert_eq!((count(&db, "item").await, hooked.get()), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_follow_the_commit_and_only_a_commit() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let hooked = Counter::default();
        let counter = hooked.clone();
        let results: Vec<Result<(), Refused>> = all_at_once(&db, 0..30, move |tx, number| {
            let counter = counter.clone();
            tx.execute(INSERT, &[&number])?;
            tx.on_commit(move || counter.add());
            tx.on_commit(|| panic!("a bad hook harms nobody"));
            if number % 2 == 0 {
                Ok(())
            } else {
                Err(Refused::ByRule)
            }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 15);
        // Before the callers were answered.
        assert_eq!(hooked.get(), 15);
        assert_eq!(count(&db, "item").await, 15);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_sees_what_was_committed() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let (found, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let (reader, rt) = (db.clone(), tokio::runtime::Handle::current());
        let done: Result<u64> = db
            .write(move |tx| {
                let (found, reader, rt) = (found.clone(), reader.clone(), rt.clone());
                tx.on_commit(move || found.send(rt.block_on(count(&reader, "item"))).unwrap());
                tx.execute(INSERT, &[&1_i64])
            })
            .await;
        assert_eq!(done, Ok(1));
        assert_eq!(seen.try_recv(), Ok(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_when_the_caller_has_gone() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let hooked = Counter::default();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let (writer, counter) = (db.clone(), hooked.clone());
        let caller = tokio::spawn(async move {
            let done: Result<u64> = writer
                .write(move |tx| {
                    let counter = counter.clone();
                    tx.on_commit(move || counter.add());
                    begun.send(()).unwrap();
                    may_go.recv().unwrap();
                    tx.execute(INSERT, &[&1_i64])
                })
                .await;
            done
        });
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
            .await
            .unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        until("the hook has run", Duration::from_secs(10), async || {
            (hooked.get() == 1).then_some(())
        })
        .await;
        assert_eq!(count(&db, "item").await, 1);
    })
    .await;
}

#[tokio::test]
async fn reads_see_what_was_acknowledged_and_have_no_commit() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let hooked = Counter::default();
        for number in 1..50_i64 {
            let done: Result<u64> = db.write(move |tx| tx.execute(INSERT, &[&number])).await;
            assert_eq!(done, Ok(1));
            let counter = hooked.clone();
            let sql = "SELECT max(id) FROM item";
            let read: Result<Scalar<i64>> = db
                .read(move |tx| {
                    let counter = counter.clone();
                    tx.on_commit(move || counter.add());
                    tx.one(sql, &[])
                })
                .await;
            let looked_up: Result<Scalar<i64>> = db.lookup(move |tx| tx.one(sql, &[])).await;
            assert_eq!((read, looked_up), (Ok(Scalar(number)), Ok(Scalar(number))));
        }
        let never = within(Duration::ZERO, async || (hooked.get() > 0).then_some(())).await;
        assert_eq!(never, None);
    })
    .await;
}

#[tokio::test]
async fn a_read_that_panics_is_told_to_its_caller_alone() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        for _ in 0..20 {
            let read: Result<()> = db.read(|_| panic!("as the test wants it")).await;
            assert_eq!(read, Err(Error::Panicked));
            let looked_up: Result<()> = db.lookup(|_| panic!("as the test wants it")).await;
            assert_eq!(looked_up, Err(Error::Panicked));
        }
        assert_eq!(count(&db, "item").await, 0);
    })
    .await;
}

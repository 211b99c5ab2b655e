//! Long reads: nobody waits for them who reads little, and none goes on for ever.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::{Db, Error, Result, Scalar};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{Counter, on_each_engine};

const ENDLESS: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number)
    SELECT count(*) FROM number";
/// On each engine, with the connections that the tests have.
const LANES: usize = 2;
const WAITING: usize = 64;

fn endless(db: &Db, time: Duration, begun: &Counter) -> JoinHandle<Result<Scalar<i64>>> {
    let (db, begun) = (db.clone(), begun.clone());
    let work = async move {
        db.scan(time, move |tx| {
            begun.add();
            tx.one(ENDLESS, &[])
        })
        .await
    };
    tokio::spawn(work)
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let waited = timeout(Duration::from_secs(20), wait).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn short_reads_pass_long_ones_which_end_in_time() {
    on_each_engine(async |db| {
        let begun = Counter::default();
        let long: Vec<_> = (0..LANES)
            .map(|_| endless(&db, Duration::from_secs(3), &begun))
            .collect();
        until("all lanes are busy", || begun.get() == LANES).await;
        let short: Result<Scalar<i64>> = db.read(|tx| tx.one("SELECT count(*)", &[])).await;
        assert_eq!(short, Ok(Scalar(1)));
        let short: Result<Scalar<i64>> = db.lookup(|tx| tx.one("SELECT count(*)", &[])).await;
        assert_eq!(short, Ok(Scalar(1)));
        assert!(long.iter().all(|task| !task.is_finished()));
        for task in long {
            assert_eq!(task.await.unwrap(), Err(Error::TooLong));
        }
        let minute = Duration::from_mins(1);
        let next: Result<Scalar<i64>> = db.scan(minute, |tx| tx.one("SELECT count(*)", &[])).await;
        assert_eq!(next, Ok(Scalar(1)), "the next has time of its own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_read_ends_when_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&folder.path().join("test.db")).unwrap();
    let begun = Counter::default();
    let minutes = Duration::from_mins(10);
    for round in 1..=LANES + 1 {
        let task = endless(&db, minutes, &begun);
        until("the read begins", || begun.get() == round).await;
        task.abort();
    }
    let closed = timeout(Duration::from_secs(20), db.close()).await;
    assert_eq!(closed, Ok(()));
}

/// Waits for a word inside of a long read.
fn held(db: &Db, go: &Arc<Mutex<Receiver<()>>>, begun: &Counter) -> JoinHandle<Result<()>> {
    let (db, go, begun) = (db.clone(), Arc::clone(go), begun.clone());
    let work = async move {
        db.scan(Duration::from_mins(1), move |_| {
            begun.add();
            go.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .await
    };
    tokio::spawn(work)
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_long_reads_are_refused() {
    on_each_engine(async |db| {
        let (speak, go) = channel();
        let (go, begun) = (Arc::new(Mutex::new(go)), Counter::default());
        let mut tasks: Vec<_> = (0..LANES).map(|_| held(&db, &go, &begun)).collect();
        until("all lanes are busy", || begun.get() == LANES).await;
        tasks.extend((0..WAITING + 3).map(|_| held(&db, &go, &begun)));
        let ended = || tasks.iter().filter(|task| task.is_finished()).count();
        until("some are refused", || ended() == 3).await;
        for _ in 0..LANES + WAITING {
            speak.send(()).unwrap();
        }
        let mut refused = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error, Error::Busy);
                    refused += 1;
                }
            }
        }
        assert_eq!((refused, begun.get()), (3, LANES + WAITING));
    })
    .await;
}

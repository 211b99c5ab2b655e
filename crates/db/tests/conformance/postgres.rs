//! What only a server does: deadlocks, lost connections, messages between nodes.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use db::{Db, Error, Result, Scalar};
use testkit::postgres::{Database, fresh_database};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Counter, count, run};

async fn open() -> (Database, Db) {
    let database = fresh_database().await;
    let db = Db::open_postgres(database.url(), 4).unwrap();
    (database, db)
}

async fn next(receiver: &mut mpsc::Receiver<String>) -> String {
    let heard = timeout(Duration::from_secs(20), receiver.recv()).await;
    heard.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_broken_and_both_go_on() {
    let (database, db) = open().await;
    let other = Db::open_postgres(database.url(), 4).unwrap();
    run(
        &db,
        &[
            "CREATE TABLE item (id BIGINT, n BIGINT)",
            "INSERT INTO item VALUES (1, 0), (2, 0)",
        ],
    )
    .await;
    let (both_hold_one, tries, hooked) = (
        Arc::new(Barrier::new(2)),
        Counter::default(),
        Counter::default(),
    );
    let tasks = [(&db, [1_i64, 2]), (&other, [2, 1])].map(|(db, order)| {
        let (db, both, tries, hooked) = (
            db.clone(),
            both_hold_one.clone(),
            tries.clone(),
            hooked.clone(),
        );
        let mut first = true;
        tokio::spawn(async move {
            let done: Result<()> = db
                .write(move |tx| {
                    let hooked = hooked.clone();
                    tx.on_commit(move || hooked.add());
                    tries.add();
                    let sql = "UPDATE item SET n = n + 1 WHERE id = $1";
                    tx.execute(sql, &[&order[0]])?;
                    if std::mem::take(&mut first) {
                        both.wait();
                    }
                    tx.execute(sql, &[&order[1]])?;
                    Ok(())
                })
                .await;
            done
        })
    });
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    let sum: Result<Vec<Scalar<i64>>> = db.read(|tx| tx.all("SELECT n FROM item", &[])).await;
    assert_eq!(sum, Ok(vec![Scalar(2), Scalar(2)]));
    assert_eq!((tries.get(), hooked.get()), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_what_was_committed_and_when_it_missed_something() {
    let (_database, db) = open().await;
    let mut heard = db.listen("wake \"me\"");
    assert_eq!(next(&mut heard).await, "");
    let refused: Result<()> = db
        .write(|tx| {
            tx.notify("wake \"me\"", "never")?;
            Err(Error::NoRow)
        })
        .await;
    assert_eq!(refused, Err(Error::NoRow));
    for payload in ["one", "two"] {
        let told: Result<()> = db.write(move |tx| tx.notify("wake \"me\"", payload)).await;
        told.unwrap();
        assert_eq!(next(&mut heard).await, payload);
    }

    let cut: Result<Vec<Scalar<bool>>> = db
        .read(|tx| {
            tx.all(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE query LIKE 'LISTEN%' AND datname = current_database()",
                &[],
            )
        })
        .await;
    assert_eq!(cut, Ok(vec![Scalar(true)]));
    assert_eq!(next(&mut heard).await, "");
    let told: Result<()> = db.write(|tx| tx.notify("wake \"me\"", "three")).await;
    told.unwrap();
    assert_eq!(next(&mut heard).await, "three");

    db.close().await;
    assert_eq!(heard.recv().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_still_tells_the_other_nodes() {
    let (database, db) = open().await;
    let other = Db::open_postgres(database.url(), 1).unwrap();
    let mut heard = other.listen("wake");
    assert_eq!(next(&mut heard).await, "");
    let told: Result<()> = db.write(|tx| tx.notify("wake", r"it's \n")).await;
    told.unwrap();
    db.close().await;
    assert_eq!(next(&mut heard).await, r"it's \n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_at_the_commit_leaves_it_unknown() {
    let (_database, db) = open().await;
    run(
        &db,
        &[
            "CREATE TABLE item (id BIGINT)",
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION cut()",
        ],
    )
    .await;
    let hooked = Counter::default();
    let counter = hooked.clone();
    let done: Result<u64> = db
        .write(move |tx| {
            let counter = counter.clone();
            tx.on_commit(move || counter.add());
            tx.execute("INSERT INTO item VALUES (1)", &[])
        })
        .await;
    assert_eq!(done, Err(Error::CommitUnknown));
    assert!(done.unwrap_err().is_unavailable());
    assert_eq!((hooked.get(), count(&db, "item").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_cut_are_replaced() {
    let (_database, db) = open().await;
    run(&db, &["CREATE TABLE item (id BIGINT)"]).await;
    let own: Result<()> = db
        .write(|tx| {
            tx.one("SELECT pg_terminate_backend(pg_backend_pid())", &[])
                .map(|Scalar::<bool>(_)| ())
        })
        .await;
    assert!(own.unwrap_err().is_unavailable());
    run(&db, &["INSERT INTO item VALUES (1)"]).await;
    assert_eq!(count(&db, "item").await, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_soon() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    let url = format!("postgres://u:secret@127.0.0.1:{port}/d?connect_timeout=1");

    // It takes connections and says nothing, then it refuses them.
    for listener in [Some(nobody), None] {
        let db = Db::open_postgres(&url, 2).unwrap();
        let begun = Instant::now();
        let read: Result<()> = db.read(|_| Ok(())).await;
        let error = read.unwrap_err();
        assert!(
            error.is_unavailable() && begun.elapsed() < Duration::from_secs(8),
            "{error}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
        drop(listener);
    }
    let wrong = Db::open_postgres("postgres://u:secret@h:port/d", 2);
    assert!(!wrong.err().unwrap().to_string().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_taken_is_unavailable_soon() {
    let database = fresh_database().await;
    let db = Db::open_postgres(database.url(), 1).unwrap();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let (holder, mut begun) = (db.clone(), Some(begun));
    let holding = tokio::spawn(async move {
        let held: Result<()> = holder
            .read(move |_| {
                begun.take().unwrap().send(()).unwrap();
                may_go.recv().unwrap();
                Ok(())
            })
            .await;
        held
    });
    has_begun.await.unwrap();
    let begun = Instant::now();
    let read: Result<()> = db.read(|_| Ok(())).await;
    assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
    assert!(begun.elapsed() < Duration::from_secs(8));
    go.send(()).unwrap();
    assert_eq!(holding.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn sessions_do_not_wait_for_ever() {
    let (_database, db) = open().await;
    for (setting, wanted) in [
        ("statement_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("application_name", "httpsms"),
    ] {
        let found: Result<Scalar<String>> = db
            .read(move |tx| tx.one("SELECT current_setting($1)", &[&setting]))
            .await;
        assert_eq!(found, Ok(Scalar(wanted.into())));
    }
}

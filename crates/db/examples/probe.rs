#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes, clippy::unwrap_used)]
use db::{Db, Error, Result, Scalar};
use std::collections::BTreeSet;
#[tokio::main]
async fn main() {
    let dir = std::path::Path::new("/tmp/tiny");
    std::fs::write(dir.join("ballast"), vec![1u8; 2_200_000]).unwrap();
    let db = Db::open_sqlite(&dir.join("t.db")).unwrap();
    let _: u64 = db.write(|tx| -> Result<u64> { tx.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, b TEXT)", &[]) }).await.unwrap();
    let mut acked = BTreeSet::new();
    for round in 0..6 {
        if round == 3 { std::fs::remove_file(dir.join("ballast")).unwrap(); println!("room again"); }
        let tasks: Vec<_> = (0..200).map(|n: usize| { let db = db.clone(); tokio::spawn(async move {
            let size = if n % 20 == 0 {30000} else {300};
            db.write(move |tx| -> Result<Scalar<i64>> { tx.one("INSERT INTO item (b) VALUES ($1) RETURNING id", &[&"x".repeat(size)]) }).await
        })}).collect();
        let (mut ok, mut full, mut other) = (0, 0, 0);
        for t in tasks { match t.await.unwrap() { Ok(Scalar(id)) => { ok += 1; assert!(acked.insert(id)); } Err(Error::Full(_)) => full += 1, Err(e) => { other += 1; println!("{e:?}") } } }
        let Scalar(n): Scalar<i64> = db.read(|tx| -> Result<Scalar<i64>> { tx.one("SELECT count(*) FROM item", &[]) }).await.unwrap();
        println!("round {round}: ok {ok} full {full} other {other}; acked {} stored {n}", acked.len());
    }
    if std::env::args().nth(1).is_some() { std::process::exit(0) }
    db.close().await;
    let db = Db::open_sqlite(&dir.join("t.db")).unwrap();
    let ids: Vec<Scalar<i64>> = db.read(|tx| -> Result<_> { tx.all("SELECT id FROM item", &[]) }).await.unwrap();
    println!("after: {} acked {}", ids.len(), acked.len());
    assert_eq!(ids.into_iter().map(|s| s.0).collect::<BTreeSet<_>>(), acked);
    let Scalar(ok): Scalar<String> = db.read(|tx| -> Result<_> { tx.one("PRAGMA integrity_check", &[]) }).await.unwrap();
    println!("{ok}");
}

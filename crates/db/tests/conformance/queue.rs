//! Rows as a queue: claims that many workers make at once.

use db::{Db, Engine, Result, Scalar};

use crate::{on_each_engine, run};

const ROWS: i64 = 200;
const LIMIT: i64 = 7;

/// Pushes the due time of up to [`LIMIT`] rows forward. `IN (SELECT … LIMIT … FOR UPDATE)` without
/// the materialized CTE may take more than its limit on PostgreSQL.
async fn claim(db: &Db) -> Result<Vec<Scalar<i64>>> {
    db.write(|tx| {
        let lock = match tx.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => "FOR UPDATE SKIP LOCKED",
        };
        let sql = format!(
            "WITH due AS MATERIALIZED (
                 SELECT id FROM task WHERE due_at <= $1 ORDER BY due_at LIMIT $3 {lock})
             UPDATE task SET due_at = $2, attempt = attempt + 1
              WHERE id IN (SELECT id FROM due) RETURNING id"
        );
        tx.all(&sql, &[&1_000_i64, &2_000_i64, &LIMIT])
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_claimed_once_and_no_claim_exceeds_its_limit() {
    on_each_engine(async |db| {
        run(
            &db,
            &["CREATE TABLE task (id BIGINT PRIMARY KEY, due_at BIGINT NOT NULL, attempt BIGINT NOT NULL)"],
        )
        .await;
        let filled: Result<()> = db
            .write(|tx| {
                for id in 0..ROWS {
                    tx.execute("INSERT INTO task VALUES ($1, $2, 0)", &[&id, &(id % 13)])?;
                }
                Ok(())
            })
            .await;
        filled.unwrap();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let claimed = claim(&db).await.unwrap();
                        assert!(claimed.len() as i64 <= LIMIT);
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.into_iter().map(|Scalar(id)| id));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..ROWS).collect::<Vec<_>>());
    })
    .await;
}

//! Keys that are taken have one name on both engines.

use db::{Error, Result};

use crate::{on_each_engine, run};

const SCHEMA: [&str; 3] = [
    "CREATE TABLE phone (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, number TEXT NOT NULL,
         \"user\" TEXT UNIQUE, closed BOOLEAN NOT NULL, UNIQUE (user_id, number))",
    "CREATE UNIQUE INDEX phone_lower ON phone (lower(number)) WHERE NOT closed",
    "CREATE UNIQUE INDEX phone_open ON phone (user_id) WHERE NOT closed",
];

#[tokio::test]
async fn a_taken_key_is_named_by_table_and_columns() {
    on_each_engine(async |db| {
        run(&db, &SCHEMA).await;
        run(&db, &["INSERT INTO phone VALUES (1, 1, 'a', 'u', FALSE)"]).await;
        let conflicts = [
            ("(1, 2, 'b', NULL, FALSE)", "phone(id)"),
            ("(2, 1, 'a', NULL, TRUE)", "phone(user_id, number)"),
            ("(2, 2, 'b', 'u', FALSE)", "phone(user)"),
            ("(2, 2, 'A', NULL, FALSE)", "phone_lower"),
            ("(2, 1, 'b', NULL, FALSE)", "phone(user_id)"),
        ];
        for (values, key) in conflicts {
            let sql = format!("INSERT INTO phone VALUES {values}");
            let done: Result<u64> = db.write(move |tx| tx.execute(&sql, &[])).await;
            assert_eq!(done, Err(Error::Unique(key.into())));
            let error = done.unwrap_err();
            assert!(error.is_unique(key) && !error.is_unique("phone(other)"));
            assert!(!error.is_unavailable());
        }
    })
    .await;
}

#[tokio::test]
async fn other_constraints_name_the_statement_and_no_values() {
    on_each_engine(async |db| {
        run(&db, &SCHEMA).await;
        run(
            &db,
            &["CREATE TABLE call (phone_id BIGINT NOT NULL REFERENCES phone (id))"],
        )
        .await;
        for value in [Some(4711_i64), None] {
            let sql = "INSERT INTO call (phone_id) VALUES ($1)";
            let done: Result<u64> = db.write(move |tx| tx.execute(sql, &[&value])).await;
            let Err(Error::Other(text)) = done else {
                panic!("{done:?}");
            };
            assert!(
                text.contains("INSERT INTO call") && !text.contains("4711"),
                "{text}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_conflict_can_be_foreseen() {
    on_each_engine(async |db| {
        run(&db, &SCHEMA).await;
        let sql = "INSERT INTO phone VALUES (1, 1, 'a', NULL, FALSE)
                   ON CONFLICT (user_id, number) DO NOTHING RETURNING id";
        for wanted in [1, 0] {
            let found: Result<Vec<(i64, i64)>> = db
                .write(move |tx| {
                    let new = tx.all::<db::Scalar<i64>>(sql, &[])?;
                    // The transaction goes on.
                    tx.all("SELECT id, $1 + 0 FROM phone", &[&(new.len() as i64)])
                })
                .await;
            assert_eq!(found, Ok(vec![(1, wanted)]));
        }
    })
    .await;
}

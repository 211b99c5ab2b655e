//! Values, rows and parameters.

use std::str::FromStr;

use db::{Error, Result, Scalar, column, row};
use uuid::Uuid;

use crate::{on_each_engine, run};

#[derive(Clone, Copy, Debug, PartialEq)]
struct UserId(Uuid);
column!(UserId as Uuid);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Status {
    Pending,
    Sent,
}
column!(Status as text);

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
        }
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Pending, Self::Sent]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(())
    }
}

row! {
    /// One of everything.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Thing {
        /// Its key.
        pub id: i64,
        flag: bool,
        small: i32,
        ratio: f64,
        r#type: String,
        data: Vec<u8>,
        hash: [u8; 4],
        user_id: UserId,
        status: Status,
        note: Option<String>,
        seen: Option<bool>,
        parent: Option<Uuid>,
    }

    struct Named { r#type: String, id: i64 }
}

const TABLE: &str = "CREATE TABLE thing (
    id BIGINT PRIMARY KEY, flag BOOLEAN NOT NULL, small INTEGER NOT NULL,
    ratio DOUBLE PRECISION NOT NULL, type TEXT NOT NULL, data {bytes} NOT NULL, hash {bytes} NOT NULL,
    user_id UUID NOT NULL, status TEXT NOT NULL, note TEXT, seen BOOLEAN, parent UUID)";
const INSERT: &str = "INSERT INTO thing (id, flag, small, ratio, type, data, hash, user_id, status, \
                      note, seen, parent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

fn thing(id: i64) -> Thing {
    Thing {
        id,
        flag: id % 2 == 0,
        small: -7,
        ratio: 2.0,
        r#type: "näm€ 🎉 'quoted'".into(),
        data: vec![0, 1, 255],
        hash: [0, 7, 7, 255],
        user_id: UserId(Uuid::from_u128(1 << 100)),
        status: Status::Sent,
        note: None,
        seen: Some(true),
        parent: Some(Uuid::max()),
    }
}

fn insert(tx: &mut db::Tx<'_>, thing: &Thing) -> Result<u64> {
    tx.execute(
        INSERT,
        &[
            &thing.id,
            &thing.flag,
            &thing.small,
            &thing.ratio,
            &thing.r#type,
            &thing.data,
            &thing.hash,
            &thing.user_id,
            &thing.status,
            &thing.note,
            &thing.seen,
            &thing.parent,
        ],
    )
}

#[tokio::test]
async fn what_goes_in_comes_out() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let mut things = vec![thing(i64::MIN), thing(1)];
        things[1].note = Some(String::new());
        (things[1].seen, things[1].parent) = (None, None);
        let wanted = things.clone();
        let changed: Result<u64> = db
            .write(move |tx| Ok(insert(tx, &things[0])? + insert(tx, &things[1])?))
            .await;
        assert_eq!(changed, Ok(2));
        let found: Result<Vec<Thing>> = db
            .read(|tx| tx.all("SELECT * FROM thing ORDER BY id", &[]))
            .await;
        assert_eq!(found, Ok(wanted));
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_value_can_be_asked_for() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let found: Result<Option<Scalar<i64>>> = db
            .write(|tx| {
                let wanted = thing(8);
                insert(tx, &wanted)?;
                tx.optional(
                    "SELECT id FROM thing WHERE flag = $1 AND small = $2 AND ratio = $3
                        AND type = $4 AND data = $5 AND user_id = $6 AND status = $7
                        AND note IS NULL AND seen = $8 AND parent = $9",
                    &[
                        &true,
                        &wanted.small,
                        &wanted.ratio,
                        &wanted.r#type.as_str(),
                        &wanted.data.as_slice(),
                        &wanted.user_id,
                        &Status::Sent,
                        &wanted.seen,
                        &wanted.parent,
                    ],
                )
            })
            .await;
        assert_eq!(found, Ok(Some(Scalar(8))));
    })
    .await;
}

#[tokio::test]
async fn a_parameter_goes_where_its_number_stands() {
    on_each_engine(async |db| {
        let sql = "SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT), CAST($3 AS BIGINT),
                          CAST($1 AS BIGINT) + $2";
        let found: Result<(i64, i64, i64, i64)> = db
            .read(move |tx| tx.one(sql, &[&10_i64, &20_i64, &30_i64]))
            .await;
        assert_eq!(found, Ok((20, 10, 30, 30)));

        let sql = "SELECT CAST($11 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT)
                    WHERE CAST($3 AS BIGINT) + $4 + $5 + $6 + $7 + $8 + $9 + $10 = 52";
        let numbers = [1_i64, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let found: Result<(i64, i64, i64)> = db
            .lookup(move |tx| {
                let args: Vec<&dyn db::Arg> = numbers.iter().map(|n| n as _).collect();
                tx.one(sql, &args)
            })
            .await;
        assert_eq!(found, Ok((11, 1, 2)));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_number_of_parameters_is_an_error() {
    on_each_engine(async |db| {
        for args in [&[] as &[i64], &[1, 2]] {
            let found: Result<Scalar<i64>> = db
                .read(move |tx| {
                    let args: Vec<&dyn db::Arg> = args.iter().map(|n| n as _).collect();
                    tx.one("SELECT CAST($1 AS BIGINT)", &args)
                })
                .await;
            assert!(matches!(found, Err(Error::Other(_))), "{found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn fields_are_found_by_name_and_errors_name_the_column() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let found: Result<()> = db
            .write(|tx| {
                insert(tx, &thing(3))?;
                // In another order than the fields, and with more between.
                let named: Named = tx.one("SELECT id, small, type FROM thing", &[])?;
                assert_eq!((named.id, named.r#type), (3, thing(3).r#type));
                let none: Scalar<Option<String>> = tx.one("SELECT note FROM thing", &[])?;
                assert_eq!(none, Scalar(None));
                Ok(())
            })
            .await;
        assert_eq!(found, Ok(()));

        let errors = [
            ("SELECT id FROM thing", "no column type"),
            (
                "SELECT note AS type, id FROM thing",
                "column type: expected text, found null",
            ),
        ];
        for (sql, wanted) in errors {
            let found: Result<Vec<Named>> = db.read(move |tx| tx.all(sql, &[])).await;
            let error = found.err().unwrap().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
        let found: Result<Scalar<Status>> =
            db.read(|tx| tx.one("SELECT type FROM thing", &[])).await;
        let error = found.unwrap_err().to_string();
        assert!(
            error.contains("expected a Status") && !error.contains("quoted"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn no_row_is_none_or_an_error() {
    on_each_engine(async |db| {
        run(&db, &[TABLE]).await;
        let sql = "SELECT id FROM thing";
        let none: Result<Option<Scalar<i64>>> = db.lookup(move |tx| tx.optional(sql, &[])).await;
        assert_eq!(none, Ok(None));
        let none: Result<Scalar<i64>> = db.read(move |tx| tx.one(sql, &[])).await;
        assert_eq!(none, Err(Error::NoRow));
    })
    .await;
}

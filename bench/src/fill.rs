//! Stores many messages at once, past the server: those that are there are copied again and again, with
//! ids of their own and further and further in the past. Columns are asked of the database, so that this
//! knows no more of the product than the names of two tables.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::Connection;
use tokio_postgres::{Client, NoTls};

/// What is copied: a message, and its event.
const TABLES: [&str; 2] = ["message", "event"];

/// Copied at once.
const BATCH: u64 = 250_000;

/// Copies on an SQLite database that no server uses, until there are so many messages.
pub fn sqlite(data_dir: &Path, messages: u64) -> Result<()> {
    let database = Connection::open(data_dir.join("httpsms.db"))?;
    // Nothing is lost that could not be made again.
    database.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY",
    )?;
    let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    loop {
        let missing = messages.saturating_sub(u64::try_from(number(COUNT)?)?);
        if missing == 0 {
            break;
        }
        let span = number(SPAN)?;
        for table in TABLES {
            let mut names = database.prepare("SELECT name FROM pragma_table_info($1)")?;
            let names = names.query_map([table], |row| row.get(0))?;
            let columns = names.collect::<Result<Vec<String>, _>>()?;
            database.execute_batch(&copy(table, &columns, SQLITE_ID, span, missing))?;
        }
        eprintln!("  {} more to store", missing.saturating_sub(BATCH));
    }
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE")?;
    Ok(())
}

/// The same on PostgreSQL.
pub async fn postgres(url: &str, messages: u64) -> Result<()> {
    let (database, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    database
        .batch_execute("SET synchronous_commit = off")
        .await?;
    loop {
        let missing = messages.saturating_sub(u64::try_from(number(&database, COUNT).await?)?);
        if missing == 0 {
            break;
        }
        let span = number(&database, SPAN).await?;
        for table in TABLES {
            let names = "SELECT column_name::text FROM information_schema.columns
                          WHERE table_name = $1 AND table_schema = current_schema()";
            let rows = database.query(names, &[&table]).await?;
            let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let copy = copy(table, &columns, POSTGRES_ID, span, missing);
            database.batch_execute(&copy).await?;
        }
        eprintln!("  {} more to store", missing.saturating_sub(BATCH));
    }
    database.batch_execute("VACUUM ANALYZE").await?;
    drop(database);
    connection.await?.context("the connection to the database")
}

async fn number(database: &Client, sql: &str) -> Result<i64> {
    Ok(database.query_one(sql, &[]).await?.get(0))
}

const COUNT: &str = "SELECT COUNT(*) FROM message";

/// How long the history is, in whatever unit times have.
const SPAN: &str = "SELECT MAX(created_at) - MIN(created_at) + 1 FROM message";

/// An id like those of the product: its beginning, the time, is the original's; the rest is random.
const SQLITE_ID: &str = "unhex(substr(hex(id), 1, 12) || '4' || substr(hex(randomblob(2)), 1, 3) \
     || '8' || substr(hex(randomblob(8)), 1, 15))";
const POSTGRES_ID: &str = "(substr(replace(id::text, '-', ''), 1, 12) || '4' \
     || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid";

/// Copies up to as many rows of a table as there are, or as are missing.
fn copy(table: &str, columns: &[String], id: &str, span: i64, missing: u64) -> String {
    // The database gives these out itself.
    let given = ["seq", "xact"];
    let columns = columns.iter().map(String::as_str);
    let columns: Vec<&str> = columns.filter(|name| !given.contains(name)).collect();
    let mut values = String::new();
    for name in &columns {
        let comma = if values.is_empty() { "" } else { ", " };
        let _ = match *name {
            "id" => write!(values, "{comma}{id}"),
            time if is_time(time) => write!(values, "{comma}{time} - {span}"),
            other => write!(values, "{comma}{other}"),
        };
    }
    let (columns, rows) = (columns.join(", "), missing.min(BATCH));
    format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT {rows};")
}

/// Whether a column says when something happened.
fn is_time(column: &str) -> bool {
    column == "time" || column == "order_timestamp" || column.ends_with("_at")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_their_own_ids_and_lie_further_back() {
        let columns = ["seq", "id", "owner", "sent_at"].map(str::to_owned);
        assert_eq!(
            copy("event", &columns, "NEW", 7, 3),
            "INSERT INTO event (id, owner, sent_at) SELECT NEW, owner, sent_at - 7 FROM event LIMIT 3;"
        );
    }

    #[test]
    fn an_sqlite_file_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let database = Connection::open(folder.path().join("httpsms.db")).unwrap();
        database
            .execute_batch(
                "CREATE TABLE message (id BLOB PRIMARY KEY, created_at INT, content TEXT);
                 CREATE TABLE event (seq INTEGER PRIMARY KEY, id BLOB UNIQUE, time INT);
                 INSERT INTO message VALUES (randomblob(16), 10, 'a'), (randomblob(16), 20, 'b');
                 INSERT INTO event (id, time) VALUES (randomblob(16), 10);",
            )
            .unwrap();
        sqlite(folder.path(), 25).unwrap();
        let count = |sql: &str| {
            database
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(count(COUNT), 25);
        assert_eq!(
            count("SELECT COUNT(*) FROM message WHERE length(id) = 16"),
            25
        );
        assert_eq!(count("SELECT COUNT(DISTINCT id) FROM message"), 25);
        assert!(count("SELECT MIN(created_at) FROM message") < 0);
        assert!(count("SELECT COUNT(*) FROM event") > 10);
    }
}

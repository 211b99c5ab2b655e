//! The rows behind the server's back: what it has recorded that no route shows, and time that passes at once.
//! The SQL is the same on both engines.

use serde_json::Value;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::stage::Stage;

impl Stage {
    /// The first column of each row, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        match self.database_url() {
            Some(url) => postgres(url, sql).await,
            None => sqlite(&self.data_dir().join("httpsms.db"), sql),
        }
    }

    /// Recorded events of this type, oldest first, as CloudEvents.
    pub async fn recorded(&self, kind: &str) -> Vec<Value> {
        let sql = format!("SELECT body FROM event WHERE kind = '{kind}' ORDER BY seq");
        let events = self.texts(&sql).await;
        events
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }

    /// How many rows of what requests write: messages, events, phones, keys, webhooks, heartbeats.
    pub async fn row_counts(&self) -> Vec<String> {
        let tables = [
            "message",
            "event",
            "phone",
            "phone_key",
            "webhook",
            "heartbeat",
        ];
        let counts = tables.map(|table| {
            format!("SELECT '{table} ' || CAST(count(*) AS TEXT) AS line FROM {table}")
        });
        self.texts(&format!("{} ORDER BY 1", counts.join(" UNION ALL ")))
            .await
    }

    /// The message with this content has waited so much longer. The API's shortest expiry is a minute;
    /// this is how a test need not wait for it.
    pub async fn age(&self, content: &str, seconds: u32) {
        let micros = i64::from(seconds) * 1_000_000;
        let sql = format!(
            "UPDATE message SET due_at = due_at - {micros}
              WHERE content = '{content}' AND due_at IS NOT NULL RETURNING content"
        );
        let aged = self.texts(&sql).await;
        assert_eq!(aged.len(), 1, "one message {content:?} with a timer");
    }
}

fn sqlite(file: &std::path::Path, sql: &str) -> Vec<String> {
    let rows = || -> rusqlite::Result<Vec<String>> {
        let conn = rusqlite::Connection::open(file)?;
        conn.busy_timeout(crate::stage::SOON)?;
        let mut statement = conn.prepare(sql)?;
        let texts = statement.query_map([], |row| row.get(0))?;
        texts.collect()
    };
    rows().unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The first column of each row of a statement, asked at this database.
pub async fn postgres(url: &str, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await;
    let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error}"));
    drop(client);
    connection.await.unwrap().unwrap();
    let texts = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    texts.collect()
}

//! SQLite's index of texts, filled beside everything else: indexing a text takes longer than
//! storing its message.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest;
use db::{Engine, Scalar};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{Gateway, Result, Work};

/// Messages that are indexed in one transaction, which all other writers wait for: when somebody
/// else writes, and when nobody does, as after an import.
const FEW: i64 = 32;
const MANY: i64 = 512;

/// How often it is looked for new ones.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The pause after a transaction, as a multiple of its time: when nobody else writes, and when
/// somebody does.
const QUIET: u32 = 1;
const BUSY: u32 = 20;

/// The columns of [`Doc`].
const DOC: &str = "message.seq AS docid, user_id, content, contact, failure_reason, request_id";

db::row! {
    struct Doc {
        docid: i64,
        user_id: String,
        content: String,
        contact: String,
        failure_reason: Option<String>,
        request_id: Option<String>,
    }
}

impl Gateway {
    /// Keeps the index until cancelled.
    pub(crate) async fn run_indexer(&self, stop: &CancellationToken) {
        if self.0.db.engine() == Engine::Postgres {
            return;
        }
        let (mut newest, mut most) = (0, FEW);
        loop {
            let began = Instant::now();
            let pause = match self.index_messages(most).await {
                Ok((0, _)) => LOOK_AGAIN,
                Ok((_, now_newest)) => {
                    let busy = now_newest - newest > FEW / 4;
                    newest = now_newest;
                    most = if busy { FEW } else { MANY };
                    began.elapsed() * if busy { BUSY } else { QUIET }
                }
                Err(error) => {
                    tracing::warn!(%error, "messages could not be indexed; trying again");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause.min(LOOK_AGAIN)) => {}
            }
        }
    }

    /// Indexes the next messages of a SQLite database, so many at most of those that are new and of
    /// those that have changed: how many, and the newest there is.
    ///
    /// # Errors
    /// Of the database; what was not indexed is found all the same.
    pub async fn index_messages(&self, most: i64) -> Result<(usize, i64)> {
        if !self.lookup(waiting).await? {
            return Ok((0, 0));
        }
        self.write(move |work| {
            let count = work.index_changed(most)? + work.index_new(most)?;
            let Scalar(newest): Scalar<Option<i64>> =
                work.tx.one("SELECT MAX(seq) FROM message", &[])?;
            Ok((count, newest.unwrap_or(0)))
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Brings texts up to date that have changed since they were indexed.
    fn index_changed(&mut self, most: i64) -> Result<usize> {
        let docs: Vec<Doc> = self.tx.all(
            &format!(
                "SELECT {DOC} FROM search_again JOIN message ON message.seq = search_again.seq
                  WHERE search_again.seq <= (SELECT position FROM search_place)
                  ORDER BY search_again.seq LIMIT $1"
            ),
            &[&most],
        )?;
        for doc in &docs {
            self.tx
                .execute("DELETE FROM search_text WHERE rowid = $1", &[&doc.docid])?;
            self.index(doc)?;
            self.tx
                .execute("DELETE FROM search_again WHERE seq = $1", &[&doc.docid])?;
        }
        Ok(docs.len())
    }

    fn index_new(&mut self, most: i64) -> Result<usize> {
        let docs: Vec<Doc> = self.tx.all(
            &format!(
                "SELECT {DOC} FROM message WHERE seq > (SELECT position FROM search_place)
                  ORDER BY seq LIMIT $1"
            ),
            &[&most],
        )?;
        for doc in &docs {
            self.index(doc)?;
        }
        if let Some(last) = docs.last() {
            self.tx
                .execute("UPDATE search_place SET position = $1", &[&last.docid])?;
            // What changed before it was indexed has its new text.
            self.tx.execute(
                "DELETE FROM search_again WHERE seq >= $1 AND seq <= $2",
                &[&docs[0].docid, &last.docid],
            )?;
        }
        Ok(docs.len())
    }

    fn index(&mut self, doc: &Doc) -> Result<()> {
        self.tx.execute(
            "INSERT INTO search_text (rowid, text) VALUES ($1, $2)",
            &[&doc.docid, &doc.text()],
        )?;
        Ok(())
    }
}

fn waiting(tx: &mut db::Tx<'_>) -> Result<bool> {
    let Scalar(waits): Scalar<bool> = tx.one(
        "SELECT EXISTS (SELECT 1 FROM message WHERE seq > (SELECT position FROM search_place))
             OR EXISTS (SELECT 1 FROM search_again)",
        &[],
    )?;
    Ok(waits)
}

impl Doc {
    fn text(&self) -> String {
        let mut text = mark(&self.user_id);
        for field in [
            Some(&self.content),
            Some(&self.contact),
            self.failure_reason.as_ref(),
            self.request_id.as_ref(),
        ] {
            text.push('\n');
            text.push_str(field.map_or("", String::as_str));
        }
        text
    }
}

/// What to ask the index for a text: all that it has three characters of in a row. `None` if that
/// is nothing, because the text is too short or has wild characters.
pub(super) fn words(user_id: &str, query: &str) -> Option<String> {
    let chars: Vec<char> = query.chars().collect();
    if chars.len() < 3 || chars.iter().any(|char| matches!(char, '%' | '_' | '\0')) {
        return None;
    }
    let parts: BTreeSet<String> = chars
        .windows(3)
        .map(|part| part.iter().collect::<String>().replace('"', "\"\""))
        .collect();
    let mut words = format!("\"{}\"", mark(user_id));
    for part in parts {
        words.push_str(" AND \"");
        words.push_str(&part);
        words.push('"');
    }
    Some(words)
}

/// Three characters that stand for an account in the index, and occur in no text: so that what is
/// common among others is not common here.
fn mark(user_id: &str) -> String {
    let hash = digest::digest(&digest::SHA256, user_id.as_bytes());
    hash.as_ref()
        .chunks(2)
        .take(3)
        .filter_map(|two| {
            let number = u32::from(two[0]) << 8 | u32::from(two[1]);
            // The supplementary private use area has 65,534 characters.
            char::from_u32(0xF_0000 + number.min(0xFFFD))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_asked_for_in_threes() {
        let words = words("u", "a\"bc").unwrap();
        let mark = mark("u");
        assert_eq!(words, format!("\"{mark}\" AND \"\"\"bc\" AND \"a\"\"b\""));
        assert_eq!(mark.chars().count(), 3);
    }

    #[test]
    fn short_and_wild_texts_are_not() {
        for query in ["", "ab", "a%b", "a_bc", "ü."] {
            assert_eq!(super::words("u", query), None, "{query}");
        }
    }
}

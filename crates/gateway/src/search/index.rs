//! SQLite's index of texts, filled beside everything else: indexing a text takes longer than
//! storing its message.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest;
use db::{Engine, Scalar, Tx};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::road::is_few;
use crate::{Gateway, Result, Work};

/// Messages that are indexed in one transaction, which all other writers wait for: when somebody
/// else writes, and when nobody does, as after an import. A few at a time cost twice as much each.
const FEW: i64 = 128;
const MANY: i64 = 512;

/// So long are their texts on average at most: what is longer waits for the next transaction.
const LENGTH: i64 = 256;

/// For so many bytes of texts one page of the index is merged with others. Each text is moved about
/// six times until there are ten million.
const MERGED: i64 = 512;

/// So many new ones since the last transaction: somebody else writes.
const SOME: i64 = 8;

/// How often it is looked for new ones; those that come meanwhile are indexed together.
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
                Ok(Step { more: false, .. }) => LOOK_AGAIN,
                Ok(done) => {
                    let busy = done.newest - newest > SOME;
                    newest = done.newest;
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
    /// those that have changed.
    ///
    /// # Errors
    /// Of the database; what was not indexed is found all the same.
    pub async fn index_messages(&self, most: i64) -> Result<Step> {
        if !self.lookup(waiting).await? {
            return Ok(Step::default());
        }
        self.write(move |work| {
            let mut bytes = 0;
            let full = work.index_changed(most, &mut bytes)?;
            let last = work.index_new(most, &mut bytes)?;
            work.merge(bytes)?;
            let Scalar(newest): Scalar<Option<i64>> =
                work.tx.one("SELECT MAX(seq) FROM message", &[])?;
            let newest = newest.unwrap_or(0);
            Ok(Step {
                newest,
                more: full || last.is_some_and(|last| last < newest),
            })
        })
        .await
    }
}

/// One step of the index.
#[derive(Debug, Clone, Copy, Default)]
pub struct Step {
    /// The newest message there is, by its `seq`; 0 if there was nothing to do.
    pub newest: i64,
    /// Whether there may be more to do.
    pub more: bool,
}

impl Work<'_, '_> {
    /// Brings texts up to date that have changed since they were indexed; whether there may be more.
    fn index_changed(&mut self, most: i64, bytes: &mut i64) -> Result<bool> {
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
            *bytes += self.index(doc)?;
            self.tx
                .execute("DELETE FROM search_again WHERE seq = $1", &[&doc.docid])?;
        }
        Ok(!is_few(&docs, most - 1))
    }

    /// Indexes new texts; the last one's number.
    fn index_new(&mut self, most: i64, bytes: &mut i64) -> Result<Option<i64>> {
        let docs: Vec<Doc> = self.tx.all(
            &format!(
                "SELECT {DOC} FROM message WHERE seq > (SELECT position FROM search_place)
                  ORDER BY seq LIMIT $1"
            ),
            &[&most],
        )?;
        let mut last = None;
        for doc in &docs {
            *bytes += self.index(doc)?;
            last = Some(doc.docid);
            if *bytes > most * LENGTH {
                break;
            }
        }
        if let (Some(first), Some(last)) = (docs.first(), last) {
            self.tx
                .execute("UPDATE search_place SET position = $1", &[&last])?;
            // What changed before it was indexed has its new text.
            self.tx.execute(
                "DELETE FROM search_again WHERE seq >= $1 AND seq <= $2",
                &[&first.docid, &last],
            )?;
        }
        Ok(last)
    }

    /// Indexes a text; how long it is.
    fn index(&mut self, doc: &Doc) -> Result<i64> {
        let text = doc.text();
        self.tx.execute(
            "INSERT INTO search_text (rowid, text) VALUES ($1, $2)",
            &[&doc.docid, &text],
        )?;
        Ok(text.len() as i64)
    }

    /// Each transaction adds a small index to the others; here they are merged to larger ones, in
    /// parts, for so many bytes of new texts. By itself FTS5 would merge much at once now and then.
    fn merge(&mut self, bytes: i64) -> Result<()> {
        self.tx.execute(
            "INSERT INTO search_text (search_text, rank) VALUES ('merge', $1)",
            &[&(bytes / MERGED + 1)],
        )?;
        Ok(())
    }
}

fn waiting(tx: &mut Tx<'_>) -> Result<bool> {
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

/// What the index has for a text: messages that may contain it, by their `seq`.
pub(super) enum Found {
    /// No others do.
    All(Vec<Scalar<i64>>),
    /// There are more.
    Many(Vec<Scalar<i64>>),
}

/// What to ask the index for a text: the account, and all that the text has three characters of in a
/// row, each in quotes.
pub(super) struct Words(Vec<String>);

/// How often a word is looked for, twice, to tell how common it is.
const SAMPLE: i64 = 500;

/// To look at a message costs as much as to pass over so many in a list of the index.
const LOOK: i64 = 40;

/// Of so many with the rarest words one has the next word too, at least: words go together.
const TOGETHER: i64 = 10;

impl Words {
    /// `None` if there are none, because the text is too short or has wild characters.
    pub(super) fn of(user_id: &str, query: &str) -> Option<Self> {
        let chars: Vec<char> = query.chars().collect();
        if chars.len() < 3 || chars.iter().any(|char| matches!(char, '%' | '_' | '\0')) {
            return None;
        }
        let parts: BTreeSet<String> = chars
            .windows(3)
            .map(|part| part.iter().collect::<String>().replace('"', "\"\""))
            .collect();
        let words = std::iter::once(mark(user_id)).chain(parts);
        Some(Self(words.map(|word| format!("\"{word}\"")).collect()))
    }

    /// Asks for the rarest words alone, since the lists of common ones are long; for all of them if
    /// those do not tell enough. Up to `most`, or one more.
    pub(super) fn find(&self, tx: &mut Tx<'_>, most: i64) -> Result<Found> {
        let (rarest, about) = self.rarest(tx)?;
        let mut seqs = Vec::new();
        if about <= most {
            seqs = matching(tx, &rarest, most + 1)?;
        }
        let more = rarest.len() < self.0.len();
        if about > most || (more && !is_few(&seqs, most)) {
            let all: Vec<&str> = self.0.iter().map(String::as_str).collect();
            seqs = matching(tx, &all, most + 1)?;
        }
        Ok(if is_few(&seqs, most) {
            Found::All(seqs)
        } else {
            Found::Many(seqs)
        })
    }

    /// With about how many messages that have them all.
    fn rarest(&self, tx: &mut Tx<'_>) -> Result<(Vec<&str>, i64)> {
        let Scalar(newest): Scalar<i64> = tx.one("SELECT position FROM search_place", &[])?;
        let mut words = Vec::new();
        for word in &self.0 {
            words.push((about(tx, word, newest)?, word.as_str()));
        }
        Ok(worth_asking(words, newest.max(1)))
    }
}

/// In about how many messages a word is: from how far one has to go to meet it so often, from the
/// newest message back and from the oldest on, since words come and go.
fn about(tx: &mut Tx<'_>, word: &str, newest: i64) -> Result<i64> {
    let Some(back) = nth(tx, word, "DESC")? else {
        return Ok(SAMPLE);
    };
    let on = nth(tx, word, "ASC")?.unwrap_or(newest);
    let among = (newest - back + on).max(2 * SAMPLE);
    Ok(newest.saturating_mul(2 * SAMPLE) / among)
}

fn nth(tx: &mut Tx<'_>, word: &str, way: &str) -> Result<Option<i64>> {
    let nth: Option<Scalar<i64>> = tx.optional(
        &format!(
            "SELECT rowid FROM search_text WHERE search_text MATCH $1
              ORDER BY rowid {way} LIMIT 1 OFFSET $2"
        ),
        &[&word, &(SAMPLE - 1)],
    )?;
    Ok(nth.map(|Scalar(seq)| seq))
}

/// The rarest first, as long as the next saves more than it costs. Words come with how many of all
/// messages have them.
fn worth_asking(mut words: Vec<(i64, &str)>, all: i64) -> (Vec<&str>, i64) {
    words.sort_unstable();
    let mut left = all;
    let mut worth = Vec::new();
    for (count, word) in words {
        let with = if worth.is_empty() {
            count
        } else {
            (left.saturating_mul(count) / all).max(left / TOGETHER)
        };
        if !worth.is_empty() && count > (left - with).saturating_mul(LOOK) {
            break;
        }
        left = with;
        worth.push(word);
    }
    (worth, left)
}

fn matching(tx: &mut Tx<'_>, words: &[&str], most: i64) -> Result<Vec<Scalar<i64>>> {
    Ok(tx.all(
        "SELECT rowid FROM search_text WHERE search_text MATCH $1 LIMIT $2",
        &[&words.join(" AND "), &most],
    )?)
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
        let Words(words) = Words::of("u", "a\"bc").unwrap();
        let mark = mark("u");
        assert_eq!(words, [&format!("\"{mark}\""), "\"\"\"bc\"", "\"a\"\"b\""]);
        assert_eq!(mark.chars().count(), 3);
    }

    #[test]
    fn short_and_wild_texts_are_not() {
        for query in ["", "ab", "a%b", "a_bc", "ü."] {
            assert!(Words::of("u", query).is_none(), "{query}");
        }
    }

    #[test]
    fn words_are_asked_for_that_save_more_than_they_cost() {
        let asked = |words: &[(i64, &'static str)]| worth_asking(words.to_vec(), 10_000_000).0;
        // Digits that begin with zeros.
        let digits = [(10_000_000, "000"), (11_000, "001"), (10_000, "345")];
        assert_eq!(asked(&digits), ["345", "001"]);
        // An account with few messages, and everybody's words.
        let small = [(1_000, "mark"), (10_000_000, "par"), (10_000_000, "arc")];
        assert_eq!(asked(&small), ["mark"]);
        // Each in a tenth of all messages.
        let common = [(1_000_000, "a"), (1_000_000, "b"), (1_000_000, "c")];
        assert_eq!(asked(&common), ["a", "b", "c"]);
        assert_eq!(asked(&[(10_000_000, "000")]), ["000"]);
    }
}

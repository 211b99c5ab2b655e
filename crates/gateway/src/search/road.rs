//! Which way a search goes on SQLite: from message to message in the wanted order, or to a few
//! candidates. PostgreSQL finds its way itself.

use db::{Engine, Scalar, Tx};

use super::index::{Found, Words};
use super::{RARE, Search};
use crate::Result;
use crate::clock::Time;

/// Which messages are looked at. Candidates are their `message.seq`, as a JSON list.
pub(super) enum Road {
    /// All of them.
    Through,
    /// All of them; so many have the text that the first ones are soon there. These do perhaps.
    Common(String),
    /// These by the index of texts, and what it does not have yet.
    Text(String),
    /// These.
    Few(String),
}

impl Road {
    /// The candidates, if those are what is looked at.
    pub(super) fn candidates(&self) -> Option<&str> {
        match self {
            Self::Through | Self::Common(_) => None,
            Self::Text(seqs) | Self::Few(seqs) => Some(seqs),
        }
    }
}

impl Search {
    /// The way with the fewest messages to look at.
    pub(super) fn road(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<Road> {
        if tx.engine() == Engine::Postgres || self.is_narrow(tx, user_id)? {
            return Ok(Road::Through);
        }
        let of_text = match Words::of(user_id, &self.page.query) {
            Some(words) => Some(words.find(tx, RARE)?),
            None => None,
        };
        if let Some(Found::All(seqs)) = of_text {
            return Ok(Road::Text(list(&seqs)));
        }
        if let Some(seqs) = self.of_owners(tx, user_id)? {
            return Ok(Road::Few(list(&seqs)));
        }
        Ok(match of_text {
            Some(Found::Many(seqs)) => Road::Common(list(&seqs)),
            _ => Road::Through,
        })
    }

    /// Whether few messages are of the time that is asked for.
    fn is_narrow(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<bool> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(false);
        }
        let Scalar(count): Scalar<i64> = tx.one(
            "SELECT count(*) FROM (SELECT 1 FROM message
                  WHERE user_id = $1 AND created_at >= $2 AND created_at < $3 LIMIT $4)",
            &[&user_id, &self.from(), &self.to(), &(RARE + 1)],
        )?;
        Ok(count <= RARE)
    }

    /// The messages of these numbers, if they are few.
    fn of_owners(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<Option<Vec<Scalar<i64>>>> {
        if self.owners.is_empty() {
            return Ok(None);
        }
        let owners = serde_json::json!(self.owners).to_string();
        let seqs: Vec<Scalar<i64>> = tx.all(
            // Thread by thread, so that it ends when there are too many.
            "SELECT message.seq FROM thread CROSS JOIN message ON message.thread_seq = thread.seq
              WHERE thread.user_id = $1 AND thread.owner IN (SELECT value FROM json_each($2))
              UNION ALL
             SELECT seq FROM message
              WHERE thread_seq IS NULL AND user_id = $1
                AND owner IN (SELECT value FROM json_each($2))
              LIMIT $3",
            &[&user_id, &owners, &(RARE + 1)],
        )?;
        Ok(Some(seqs).filter(|seqs| is_few(seqs, RARE)))
    }

    /// The first time that is asked for.
    pub(super) fn from(&self) -> Time {
        self.since.unwrap_or(Time::from_micros(i64::MIN))
    }

    /// The first time that is not asked for any more.
    pub(super) fn to(&self) -> Time {
        self.until.unwrap_or(Time::from_micros(i64::MAX))
    }
}

/// Whether these are no more than so many.
pub(super) fn is_few<T>(seqs: &[T], most: i64) -> bool {
    i64::try_from(seqs.len()).is_ok_and(|count| count <= most)
}

fn list(seqs: &[Scalar<i64>]) -> String {
    let mut list = String::from("[");
    for Scalar(seq) in seqs {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&seq.to_string());
    }
    list.push(']');
    list
}

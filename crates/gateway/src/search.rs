//! Searching: an account's messages by whose they are, what they are and what they contain.
//!
//! `docs/adr/0006-search.md` says how texts are found among millions.

mod index;
mod road;
mod sweep;

use std::time::Duration;

use db::{Arg, Engine, FromRow, Scalar, Tx};
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::message::{self, Kind, Message, Status};
use crate::names::names;
use crate::{Error, Gateway, Page, Result};
use road::Road;
pub use sweep::Sweep;

/// What a search is sorted by, by the names of the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When the message was stored.
    #[default]
    CreatedAt,
    /// The account's number.
    Owner,
    /// The other side.
    Contact,
    /// What it is.
    Type,
    /// Where it stands.
    Status,
}

names!(SortBy {
    CreatedAt => "created_at",
    Owner => "owner",
    Contact => "contact",
    Type => "type",
    Status => "status",
});

/// What is looked for. What is empty or absent excludes nothing.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Numbers of the account.
    pub owners: Vec<String>,
    /// What the messages are.
    pub types: Vec<Kind>,
    /// Where they stand.
    pub statuses: Vec<Status>,
    /// Stored at this time or later.
    pub since: Option<Time>,
    /// Of those stored at exactly that time, only those with a greater id.
    pub after_id: Option<Uuid>,
    /// Stored before this time.
    pub until: Option<Time>,
    /// The order.
    pub sort_by: SortBy,
    /// Whether it is the other way round.
    pub descending: bool,
    /// The window, and a text that content, contact, failure reason or `request_id` contain; an id
    /// finds its message too.
    pub page: Page,
}

/// Up to how many found messages are counted.
pub const COUNTED: i64 = 10_000;

/// How long counting may take.
const COUNTING: Duration = Duration::from_secs(1);

/// Texts that more messages than this may contain are common: going through the messages in the
/// order that is wanted soon has enough of them.
const RARE: i64 = 20_000;

/// How many found messages are sorted, the newest, by anything but their time.
pub const SORTED: i64 = 100_000;

impl Gateway {
    /// The account's messages that a search is about.
    ///
    /// # Errors
    /// [`Error::TooLong`] if it takes longer than five seconds, [`Error::Busy`] if too many wait.
    pub async fn search(&self, caller: &Caller, search: Search) -> Result<Vec<Message>> {
        let user_id = caller.user_id.clone();
        self.scan(move |tx| search.find(tx, &user_id)).await
    }

    /// How many messages a search is about, the window aside; counted up to [`COUNTED`]. `None` if
    /// counting takes longer than a second.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait.
    pub async fn count_found(&self, caller: &Caller, search: Search) -> Result<Option<i64>> {
        let user_id = caller.user_id.clone();
        let search = Search {
            page: Page {
                skip: 0,
                limit: COUNTED,
                query: search.page.query,
            },
            ..search
        };
        let count = move |tx: &mut Tx<'_>| search.count(tx, &user_id).map(Some);
        match self.0.db.scan(COUNTING, count).await {
            Err(Error::TooLong) => Ok(None),
            done => done,
        }
    }
}

impl Search {
    fn find(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<Message>> {
        let road = self.road(tx, user_id)?;
        self.run(tx, user_id, &road, Self::found)
    }

    fn count(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<i64> {
        let road = self.road(tx, user_id)?;
        let mut count = |road: &Road| -> Result<i64> {
            let counted: Vec<Scalar<i64>> = self.run(tx, user_id, road, Self::counted)?;
            Ok(counted.first().map_or(0, |Scalar(count)| *count))
        };
        match road {
            Road::Common(some) => match count(&Road::Few(some))? {
                // Enough already.
                COUNTED => Ok(COUNTED),
                _ => count(&Road::Through),
            },
            road => count(&road),
        }
    }

    /// Asks the database, with a statement made for this road.
    fn run<T: FromRow>(
        &self,
        tx: &mut Tx<'_>,
        user_id: &str,
        road: &Road,
        sql: impl FnOnce(&Self, &Road, Engine) -> String,
    ) -> Result<Vec<T>> {
        let args: [&dyn Arg; 12] = [
            &user_id,
            &list(&self.owners),
            &list(self.types.iter().map(|kind| kind.as_str())),
            &list(self.statuses.iter().map(|status| status.as_str())),
            &self.from(),
            &self.to(),
            &format!("%{}%", self.page.query),
            &Uuid::try_parse(&self.page.query).ok(),
            &self.page.limit(),
            &self.page.skip(),
            &self.after_id.unwrap_or(Uuid::nil()),
            &road.candidates().unwrap_or_default(),
        ];
        // The last one is for candidates alone.
        let args = match road.candidates() {
            None => &args[..11],
            Some(_) => &args[..],
        };
        Ok(tx.all(&sql(self, road, tx.engine()), args)?)
    }

    /// The statement that gives the messages.
    fn found(&self, road: &Road, engine: Engine) -> String {
        let (columns, condition) = (message::COLUMNS, self.condition(engine, road));
        let (by, order) = (self.column(), self.order());
        if self.sort_by == SortBy::CreatedAt {
            return format!(
                "SELECT {columns} FROM message WHERE {condition} {order} LIMIT $9 OFFSET $10"
            );
        }
        format!(
            "SELECT {columns} FROM message WHERE id IN (
                 SELECT id FROM (SELECT id, {by} FROM message WHERE {condition}
                                  ORDER BY created_at DESC, id DESC LIMIT {SORTED}) AS newest
                  {order} LIMIT $9 OFFSET $10) {order}"
        )
    }

    /// The statement that counts them.
    fn counted(&self, road: &Road, engine: Engine) -> String {
        let condition = self.condition(engine, road);
        format!(
            "SELECT count(*) FROM
                 (SELECT 1 FROM message WHERE {condition} LIMIT $9 OFFSET $10) AS found"
        )
    }

    /// Parameters: account, owners, types, statuses, since, until, pattern, id, limit, skip,
    /// `after_id`, candidates.
    fn condition(&self, engine: Engine, road: &Road) -> String {
        // With few candidates they are looked at one by one. The plus signs keep SQLite from going
        // through all of the account in the wanted order instead, asking of each whether it is one.
        let plus = if road.candidates().is_some() { "+" } else { "" };
        format!(
            "{plus}user_id = $1 AND {plus}created_at >= $5 AND {plus}created_at < $6
                AND (created_at > $5 OR id > $11)
                AND ($2 = '' OR $2 LIKE '%,' || owner || ',%')
                AND ($3 = '' OR $3 LIKE '%,' || kind || ',%')
                AND ($4 = '' OR $4 LIKE '%,' || status || ',%')
                {} AND {}",
            self.lost(),
            contains(engine, road),
        )
    }

    /// Those that failed or expired are few and have an index of their own, which is only found when
    /// the statement names them.
    fn lost(&self) -> &'static str {
        let lost = |status: &Status| matches!(status, Status::Failed | Status::Expired);
        if !self.statuses.is_empty() && self.statuses.iter().all(lost) {
            "AND status IN ('failed', 'expired')"
        } else {
            ""
        }
    }

    fn column(&self) -> &'static str {
        match self.sort_by {
            SortBy::CreatedAt => "created_at",
            SortBy::Owner => "owner",
            SortBy::Contact => "contact",
            SortBy::Type => "kind",
            SortBy::Status => "status",
        }
    }

    fn order(&self) -> String {
        let by = self.column();
        let way = if self.descending { "DESC" } else { "ASC" };
        format!("ORDER BY {by} {way}, id {way}")
    }
}

/// The condition on the text, which may also be a message's id. Letter case aside as far as the engine
/// knows letters; as in the reference `%` and `_` in the query are wild.
fn contains(engine: Engine, road: &Road) -> String {
    let like = match engine {
        Engine::Sqlite => "LIKE",
        Engine::Postgres => "ILIKE",
    };
    let fields = ["content", "contact", "failure_reason", "request_id"]
        .map(|field| format!("{field} {like} $7"))
        .join(" OR ");
    let text = format!("($7 = '%%' OR id = $8 OR {fields})");
    match (engine, road) {
        (Engine::Postgres, _) => {
            format!("($7 = '%%' OR id = $8 OR ({TEXT} ILIKE $7 AND ({fields})))")
        }
        (Engine::Sqlite, Road::Through | Road::Common(_)) => text,
        (Engine::Sqlite, Road::Few(_)) => format!("seq IN ({CANDIDATES}) AND {text}"),
        (Engine::Sqlite, Road::Text(_)) => {
            format!("seq IN ({CANDIDATES} {NOT_INDEXED}) AND {text}")
        }
    }
}

/// What PostgreSQL's index is of, word for word as in the migration.
const TEXT: &str = "(content || ' ' || contact || ' ' || COALESCE(failure_reason, '') || ' '
    || COALESCE(request_id, ''))";

/// Those that were found before.
const CANDIDATES: &str = "SELECT value FROM json_each($12)";

/// What is not in SQLite's index yet, and the message with this id.
const NOT_INDEXED: &str = "UNION ALL
    SELECT seq FROM message WHERE id = $8
     UNION ALL
    SELECT seq FROM search_again
     UNION ALL
    SELECT seq FROM message WHERE seq > (SELECT position FROM search_place)";

/// The names as `,a,b,` for `LIKE`; empty: all.
fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut list = String::new();
    for name in names {
        list.push(',');
        list.push_str(name.as_ref());
    }
    if !list.is_empty() {
        list.push(',');
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_sorts_more_than_it_may() {
        let sorted = |sort_by| {
            let search = Search {
                sort_by,
                ..Search::default()
            };
            search.found(&Road::Through, Engine::Sqlite)
        };
        let newest = format!("ORDER BY created_at DESC, id DESC LIMIT {SORTED}");
        assert!(!sorted(SortBy::CreatedAt).contains(&newest));
        for by in [SortBy::Owner, SortBy::Contact, SortBy::Type, SortBy::Status] {
            assert!(sorted(by).contains(&newest), "{by}");
        }
    }
}

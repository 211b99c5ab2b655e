//! Everything that a search is about, part by part, each a long read of its own: so that somebody who
//! saves millions of messages lets others search in between.

use db::{Engine, Scalar, Tx};

use super::{Road, Search, SortBy};
use crate::caller::Caller;
use crate::clock::Time;
use crate::message::Message;
use crate::patience::patiently;
use crate::{Gateway, Page, Result};

/// Messages of a part at most.
const PART: i64 = 500;

/// So many are looked at for a part where all are gone through.
const STEP: i64 = 2_000;

/// A sweep under way: ask for its parts until there is none left.
pub struct Sweep {
    gateway: Gateway,
    user_id: String,
    search: Search,
    /// Whether all of the account's messages are gone through, as the first part found out.
    through: bool,
    over: bool,
}

/// What a part has, and up to when it looked, if not to the end.
struct Part {
    found: Vec<Message>,
    end: Option<Time>,
    through: bool,
}

impl Gateway {
    /// Begins to go through what a search is about, oldest first; its order and window do not count.
    pub fn sweep(&self, caller: &Caller, search: Search) -> Sweep {
        let page = Page {
            skip: 0,
            limit: PART,
            query: search.page.query,
        };
        Sweep {
            gateway: self.clone(),
            user_id: caller.user_id.clone(),
            search: Search {
                sort_by: SortBy::CreatedAt,
                descending: false,
                page,
                ..search
            },
            through: false,
            over: false,
        }
    }
}

impl Sweep {
    /// The next messages, perhaps none where few are found; `None` at the end.
    ///
    /// # Errors
    /// Those of [`Gateway::search`]; the same part can be asked for again.
    pub async fn part(&mut self) -> Result<Option<Vec<Message>>> {
        if self.over {
            return Ok(None);
        }
        let sweep = &*self;
        let Part {
            found,
            end,
            through,
        } = patiently(|| sweep.next()).await?;
        self.through = through;
        let last = found.last().filter(|_| is_full(&found));
        (self.search.since, self.search.after_id) = match (last, end) {
            (Some(last), _) => (Some(last.created_at), Some(last.id)),
            (None, Some(end)) => (Some(end), None),
            (None, None) => {
                self.over = true;
                (self.search.since, None)
            }
        };
        Ok(Some(found))
    }

    async fn next(&self) -> Result<Part> {
        let (search, user_id, through) = (self.search.clone(), self.user_id.clone(), self.through);
        let part = move |tx: &mut Tx<'_>| search.part(tx, &user_id, through);
        self.gateway.scan(part).await
    }
}

fn is_full(found: &[Message]) -> bool {
    i64::try_from(found.len()).is_ok_and(|count| count >= PART)
}

impl Search {
    fn part(&self, tx: &mut Tx<'_>, user_id: &str, through: bool) -> Result<Part> {
        let road = if through {
            Road::Through
        } else {
            self.road(tx, user_id)?
        };
        let through = match tx.engine() {
            Engine::Sqlite => road.candidates().is_none(),
            // Its index finds what there is of such a text at once.
            Engine::Postgres => self.page.query.chars().count() < 3,
        };
        let end = if through {
            self.step(tx, user_id)?
        } else {
            None
        };
        let piece = Self {
            until: end.or(self.until),
            ..self.clone()
        };
        let found = piece.run(tx, user_id, &road, Self::found)?;
        Ok(Part {
            found,
            end,
            through,
        })
    }

    /// The time up to which a part looks that goes from message to message; `None` if that is the end.
    fn step(&self, tx: &mut Tx<'_>, user_id: &str) -> Result<Option<Time>> {
        let end: Option<Scalar<Time>> = tx.optional(
            "SELECT created_at FROM message WHERE user_id = $1 AND created_at >= $2
              ORDER BY created_at LIMIT 1 OFFSET $3",
            &[&user_id, &self.from(), &STEP],
        )?;
        // Many may be of one time.
        let next = self.from().micros().saturating_add(1);
        let end = end.map(|Scalar(end)| Time::from_micros(end.micros().max(next)));
        Ok(end.filter(|end| *end < self.to()))
    }
}

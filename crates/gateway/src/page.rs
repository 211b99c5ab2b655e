//! Which part of a list is asked for.

use uuid::Uuid;

use crate::clock::Time;

/// A window of a list, and a text that what is listed contains.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Rows to pass over.
    pub skip: i64,
    /// Rows to return at most; negative: all of them.
    pub limit: i64,
    /// What to look for, letter case aside; empty: anything.
    pub query: String,
}

/// Rows that may be passed over in a short read.
const FAR: i64 = 1_000;

impl Page {
    /// For `LIKE` against lower-cased text. As in the reference, `%` and `_` in the query are wild.
    pub(crate) fn pattern(&self) -> String {
        format!("%{}%", self.query.to_lowercase())
    }

    /// Whether many rows may be looked at that are not shown.
    pub(crate) fn is_far(&self) -> bool {
        !self.query.is_empty() || self.skip > FAR
    }

    /// For `LIMIT`: both engines take the largest number as "all".
    pub(crate) fn limit(&self) -> i64 {
        if self.limit < 0 { i64::MAX } else { self.limit }
    }

    /// How many rows there are up to the last one that is wanted.
    pub(crate) fn end(&self) -> i64 {
        self.limit().saturating_add(self.skip())
    }

    /// For `OFFSET`.
    pub(crate) fn skip(&self) -> i64 {
        self.skip.max(0)
    }
}

/// The last row that was seen of a list that is sorted by time, newest first: a place in the list
/// that new rows do not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Its time.
    pub time: Time,
    /// Its id, to tell it from others of the same time; without one they are passed over too.
    pub id: Option<Uuid>,
}

impl Before {
    /// For `time <= $1 AND (time < $1 OR id < $2)`, which an index can follow.
    pub(crate) fn bounds(place: Option<Self>) -> (Time, Uuid) {
        match place {
            Some(Self { time, id }) => (time, id.unwrap_or(Uuid::nil())),
            None => (Time::from_micros(i64::MAX), Uuid::nil()),
        }
    }
}

//! Which part of a list is asked for.

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

impl Page {
    /// For `LIKE` against lower-cased text. As in the reference, `%` and `_` in the query are wild.
    pub(crate) fn pattern(&self) -> String {
        format!("%{}%", self.query.to_lowercase())
    }

    /// For `LIMIT`: both engines take the largest number as "all".
    pub(crate) fn limit(&self) -> i64 {
        if self.limit < 0 { i64::MAX } else { self.limit }
    }

    /// For `OFFSET`.
    pub(crate) fn skip(&self) -> i64 {
        self.skip.max(0)
    }
}

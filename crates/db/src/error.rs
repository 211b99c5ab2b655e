//! What can go wrong, named the same on both engines. The translation from each driver's errors
//! stands with the driver.

/// A database error; a clone goes to each caller it concerns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// [`Tx::one`](crate::Tx::one) found nothing.
    #[error("no such row")]
    NoRow,
    /// A unique key is taken already: `table(column, column)` as SQL writes it, or the name of
    /// the index when it is one on expressions; one of them if there are several. Ask with
    /// [`Error::is_unique`].
    #[error("already taken: {0}")]
    Unique(String),
    /// No room is left on the disk. What was acknowledged is safe; writing goes on once there is
    /// room again.
    #[error("the database has no room left: {0}")]
    Full(String),
    /// The database cannot be reached, is locked or too slow, or its disk fails.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// PostgreSQL broke a deadlock or a conflict of serialization, again and again.
    #[error("too many transactions at once: {0}")]
    Contended(String),
    /// Too many long reads wait already, or none could begin in time; see
    /// [`Db::scan`](crate::Db::scan).
    #[error("too many long reads at once")]
    Busy,
    /// A statement, or all of a long read, took longer than it may, and was stopped.
    #[error("it took too long and was stopped")]
    TooLong,
    /// The connection was lost while committing: the transaction is either done or undone.
    #[error("the connection was lost while committing")]
    CommitUnknown,
    /// The closure panicked; its work is undone.
    #[error("the transaction panicked")]
    Panicked,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// A statement or a type is wrong, or another constraint was violated.
    #[error("{0}")]
    Other(String),
}

/// With the crate's [`Error`] where no other is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether the key `on` was taken, as in `error.is_unique("phone(user_id, number)")`.
    pub fn is_unique(&self, on: &str) -> bool {
        matches!(self, Self::Unique(key) if key == on)
    }

    /// Whether the same request may succeed later: answer 503, not 500. After
    /// [`Error::CommitUnknown`] it may also have succeeded.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Full(_)
            | Self::Unavailable(_)
            | Self::Contended(_)
            | Self::Busy
            | Self::TooLong
            | Self::CommitUnknown
            | Self::Closed => true,
            Self::NoRow | Self::Unique(_) | Self::Panicked | Self::Other(_) => false,
        }
    }

    /// Names the statement in an error that is most likely its own fault.
    pub(crate) fn in_statement(self, sql: &str) -> Self {
        match self {
            Self::Other(text) => {
                let words: Vec<_> = sql.split_whitespace().take(12).collect();
                Self::Other(format!("{text} (in: {}…)", words.join(" ")))
            }
            other => other,
        }
    }
}

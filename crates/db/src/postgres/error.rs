//! What PostgreSQL's errors mean.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::{DbError, SqlState};

use crate::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return said_by_server(error);
        }
        let text = with_causes(&error);
        let lost = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<io::Error>);
        if error.is_closed() || lost {
            Self::Unavailable(text)
        } else {
            Self::Other(text)
        }
    }
}

/// A `COMMIT` that failed: undone when the server says so, else nobody knows.
pub(super) fn at_commit(error: tokio_postgres::Error) -> Error {
    match error.as_db_error().map(DbError::code) {
        Some(code)
            if !["08", "57P"]
                .iter()
                .any(|class| code.code().starts_with(class)) =>
        {
            error.into()
        }
        _ => Error::CommitUnknown,
    }
}

/// Never with the detail, which quotes what is in the rows.
fn said_by_server(error: &DbError) -> Error {
    let (code, text) = (error.code(), error.message().to_owned());
    match *code {
        SqlState::UNIQUE_VIOLATION => Error::Unique(key(
            error.table().unwrap_or_default(),
            error.constraint().unwrap_or_default(),
            error.detail().unwrap_or_default(),
        )),
        SqlState::DISK_FULL => Error::Full(text),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            Error::Contended(text)
        }
        SqlState::QUERY_CANCELED => Error::TooLong,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::IO_ERROR
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::Unavailable(text),
        // Lost connections, missing resources, a server that stops or starts.
        _ if ["08", "53", "57P"]
            .iter()
            .any(|class| code.code().starts_with(class)) =>
        {
            Error::Unavailable(text)
        }
        _ => Error::Other(format!("{text} ({})", code.code())),
    }
}

/// From `Key (user_id, number)=(1, +1) already exists.` to `phone(user_id, number)`, and to its
/// name for an index on expressions.
fn key(table: &str, index: &str, detail: &str) -> String {
    let columns = detail
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(")=("))
        .map(|(columns, _)| columns.replace('"', ""))
        .filter(|columns| !columns.contains(['(', ')', '\'']));
    columns.map_or_else(|| index.to_owned(), |columns| format!("{table}({columns})"))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_are_named_as_sql_names_them() {
        let one = "Key (\"user\")=(1) already exists.";
        assert_eq!(key("phone", "phone_pkey", one), "phone(user)");
        let two = "Key (user_id, number)=(1, +18005550199) already exists.";
        assert_eq!(key("phone", "phone_key", two), "phone(user_id, number)");
        let expression = "Key (lower(email))=(a) already exists.";
        assert_eq!(key("user", "user_email", expression), "user_email");
        assert_eq!(key("user", "user_email", ""), "user_email");
    }
}

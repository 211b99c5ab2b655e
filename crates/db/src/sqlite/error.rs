//! What SQLite's errors mean.

use rusqlite::{ErrorCode, ffi};

use crate::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => other.to_string(),
        };
        let Some(code) = error.sqlite_error() else {
            return Self::Other(text);
        };
        match (code.code, code.extended_code) {
            (
                _,
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID,
            ) => Self::Unique(key(&text)),
            (ErrorCode::DiskFull, _) => Self::Full(text),
            (
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
                _,
            ) => Self::Unavailable(text),
            (ErrorCode::OperationInterrupted, _) => Self::TooLong,
            _ => Self::Other(text),
        }
    }
}

/// From `UNIQUE constraint failed: phone.user_id, phone.number` to `phone(user_id, number)`, and
/// to its name for an index on expressions (`… failed: index 'name'`).
fn key(message: &str) -> String {
    let (_, what) = message.rsplit_once(": ").unwrap_or(("", message));
    if let Some(index) = what.strip_prefix("index ") {
        return index.trim_matches('\'').to_owned();
    }
    let table = what.split('.').next().unwrap_or_default();
    let columns: Vec<_> = what
        .split(", ")
        .map(|column| column.rsplit('.').next().unwrap_or(column))
        .collect();
    format!("{table}({})", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_are_named_as_sql_names_them() {
        let failed = "UNIQUE constraint failed: ";
        assert_eq!(key(&format!("{failed}user.email")), "user(email)");
        assert_eq!(
            key(&format!("{failed}phone.user_id, phone.number")),
            "phone(user_id, number)"
        );
        assert_eq!(key(&format!("{failed}index 'user_email'")), "user_email");
    }
}

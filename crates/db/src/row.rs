//! Rows, and the types read from them: structs by the names of their fields (see [`row!`]),
//! tuples and [`Scalar`] by position.

use std::cell::Cell;

use crate::{Column, Error, Result, Value, sqlite};

/// One row of an answer.
pub struct Row<'r> {
    source: Source<'r>,
    /// The column after the one read last, where the next name most likely is.
    next: Cell<usize>,
}

#[derive(Clone, Copy)]
enum Source<'r> {
    /// With the names of its columns, where the statement is kept with them.
    Sqlite(&'r rusqlite::Row<'r>, Option<&'r [Box<str>]>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn sqlite(row: &'r rusqlite::Row<'r>, names: Option<&'r [Box<str>]>) -> Self {
        Self {
            source: Source::Sqlite(row, names),
            next: Cell::new(0),
        }
    }

    pub(crate) fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Self {
            source: Source::Postgres(row),
            next: Cell::new(0),
        }
    }

    /// The column of this name.
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        let name = name.strip_prefix("r#").unwrap_or(name);
        let next = self.next.get();
        let at = if self.name(next) == Some(name) {
            next
        } else {
            let mut columns = 0..self.columns();
            let found = columns.find(|at| self.name(*at) == Some(name));
            found.ok_or_else(|| Error::Other(format!("no column {name}")))?
        };
        self.next.set(at + 1);
        self.at(at)
    }

    /// The column at this position, from 0.
    pub fn at<T: Column>(&self, at: usize) -> Result<T> {
        T::from_value(self.value(at)?).map_err(|error| match error {
            Error::Other(text) => {
                Error::Other(format!("column {}: {text}", self.name(at).unwrap_or("?")))
            }
            other => other,
        })
    }

    fn value(&self, at: usize) -> Result<Value<'_>> {
        match self.source {
            Source::Sqlite(row, _) => sqlite::value(row.get_ref(at)?),
            Source::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    fn columns(&self) -> usize {
        match self.source {
            Source::Sqlite(row, _) => row.as_ref().column_count(),
            Source::Postgres(row) => row.len(),
        }
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.source {
            Source::Sqlite(_, Some(names)) => names.get(at).map(AsRef::as_ref),
            Source::Sqlite(row, None) => row.as_ref().column_name(at).ok(),
            Source::Postgres(row) => row.columns().get(at).map(tokio_postgres::Column::name),
        }
    }
}

/// A type read from a row.
pub trait FromRow: Sized {
    /// Reads the columns it needs.
    fn from_row(row: &Row<'_>) -> Result<Self>;
}

/// A single column, for `count(*)` and `RETURNING seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar<T>(pub T);

impl<T: Column> FromRow for Scalar<T> {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        row.at(0).map(Scalar)
    }
}

impl<A: Column, B: Column> FromRow for (A, B) {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok((row.at(0)?, row.at(1)?))
    }
}

impl<A: Column, B: Column, C: Column> FromRow for (A, B, C) {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok((row.at(0)?, row.at(1)?, row.at(2)?))
    }
}

impl<A: Column, B: Column, C: Column, D: Column> FromRow for (A, B, C, D) {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok((row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?))
    }
}

/// Structs whose fields are the columns of the same names; `r#type` is the column `type`. Fields
/// in the order of the columns are found at once.
#[macro_export]
macro_rules! row {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type),*
        }

        impl $crate::FromRow for $name {
            fn from_row(row: &$crate::Row<'_>) -> $crate::Result<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?),* })
            }
        }
    )*};
}

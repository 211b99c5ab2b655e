//! How statements are run on SQLite, and how values go in and out.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use crate::{Arg, Error, FromRow, Result, Row, Value};

pub(crate) fn execute(conn: &Connection, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
    let mut statement = conn.prepare_cached(sql)?;
    bind(&mut statement, args)?;
    Ok(statement.raw_execute()? as u64)
}

pub(crate) fn query<T: FromRow>(conn: &Connection, sql: &str, args: &[&dyn Arg]) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    bind(&mut statement, args)?;
    let (mut rows, mut found) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next()? {
        found.push(T::from_row(&Row::sqlite(row))?);
    }
    Ok(found)
}

/// What stands in a column.
pub(crate) fn value(value: ValueRef<'_>) -> Result<Value<'_>> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(
            std::str::from_utf8(text).map_err(|_| Error::Other("text is not UTF-8".into()))?,
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
    })
}

/// Binds `$2` to the second argument wherever it stands: to SQLite `$2` is only a name, numbered
/// by where it first appears.
fn bind(statement: &mut Statement<'_>, args: &[&dyn Arg]) -> Result<()> {
    let mut most = 0;
    for at in 1..=statement.parameter_count() {
        let nth = number(statement, at)?;
        let arg = args.get(nth - 1).ok_or_else(|| wrong_count(args, nth))?;
        statement.raw_bind_parameter(at, arg.value())?;
        most = most.max(nth);
    }
    if most == args.len() {
        Ok(())
    } else {
        Err(wrong_count(args, most))
    }
}

/// The number in the name of the parameter that SQLite puts at `at`.
fn number(statement: &Statement<'_>, at: usize) -> Result<usize> {
    statement
        .parameter_name(at)
        .and_then(|name| name.strip_prefix('$')?.parse().ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::Other("parameters are written $1, $2…".into()))
}

fn wrong_count(args: &[&dyn Arg], wanted: usize) -> Error {
    let given = args.len();
    Error::Other(format!("expected {wanted} parameters, found {given}"))
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(bool) => ValueRef::Integer((*bool).into()),
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
        }))
    }
}

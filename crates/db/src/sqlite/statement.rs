//! How statements are run on SQLite, and how values go in and out. A connection that stays on one
//! thread keeps its statements ready, with what their parameters are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, PrepFlags, Statement, ToSql};
use rustc_hash::FxHasher;

use super::STATEMENTS;
use crate::{Arg, Error, FromRow, Result, Row, Value};

/// A connection and where its prepared statements are.
pub(crate) trait Statements {
    /// The connection.
    fn conn(&self) -> &Connection;

    /// Runs `run` with the prepared statement and what its parameters are.
    fn with(
        &self,
        sql: &str,
        run: &mut dyn FnMut(&mut Statement<'_>, &Numbers) -> Result<()>,
    ) -> Result<()>;
}

/// One that wanders between threads: its driver keeps the statements.
impl Statements for Connection {
    fn conn(&self) -> &Connection {
        self
    }

    fn with(
        &self,
        sql: &str,
        run: &mut dyn FnMut(&mut Statement<'_>, &Numbers) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.prepare_cached(sql)?;
        let numbers = Numbers::of(&statement)?;
        run(&mut statement, &numbers)
    }
}

/// A connection that stays on its thread, with its statements.
pub(super) struct Ready<'c> {
    conn: &'c Connection,
    kept: RefCell<Kept<'c>>,
}

/// Statements by their texts.
type Kept<'c> = HashMap<Box<str>, (Statement<'c>, Numbers), BuildHasherDefault<Glance>>;

/// Looks at a few places of a text only: texts of statements are long, and differ early or late.
#[derive(Default)]
struct Glance(FxHasher);

impl Hasher for Glance {
    fn write(&mut self, text: &[u8]) {
        self.0.write_usize(text.len());
        if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
            self.0.write(first);
            self.0.write(&text[text.len() / 2..][..8]);
            self.0.write(last);
        } else {
            self.0.write(text);
        }
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl<'c> Ready<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        let kept = RefCell::new(HashMap::default());
        Self { conn, kept }
    }
}

impl Statements for Ready<'_> {
    fn conn(&self) -> &Connection {
        self.conn
    }

    fn with(
        &self,
        sql: &str,
        run: &mut dyn FnMut(&mut Statement<'_>, &Numbers) -> Result<()>,
    ) -> Result<()> {
        // SQLite sets a little memory aside for what is quickly given back: neither kept statements nor
        // their arguments may stay in it.
        let mut run = |statement: &mut Statement<'_>, numbers: &Numbers| {
            let done = run(statement, numbers);
            statement.clear_bindings();
            done
        };
        let mut kept = self.kept.borrow_mut();
        if let Some((statement, numbers)) = kept.get_mut(sql) {
            return run(statement, numbers);
        }
        let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
        let mut statement = self.conn.prepare_with_flags(sql, flags)?;
        if statement.expanded_sql().is_none() {
            // SQLite takes care of nothing that is asked of no statement.
            return Err(Error::Other(format!("no statement: {sql:?}")));
        }
        let numbers = Numbers::of(&statement)?.with_names(&statement);
        let done = run(&mut statement, &numbers);
        if kept.len() >= STATEMENTS {
            // Texts come from a small fixed set; whoever makes others pays for it.
            kept.clear();
        }
        kept.insert(sql.into(), (statement, numbers));
        done
    }
}

/// Which argument each parameter is: to SQLite `$2` is only a name, numbered by where it first
/// appears.
pub(crate) struct Numbers {
    /// Of each parameter the place of its argument, from 0.
    places: Box<[usize]>,
    /// How many arguments there are.
    count: usize,
    /// The names of the columns of its answer, if the statement is kept: SQLite takes its time to say.
    names: Option<Box<[Box<str>]>>,
}

impl Numbers {
    fn of(statement: &Statement<'_>) -> Result<Self> {
        let number = |at| {
            statement
                .parameter_name(at)
                .and_then(|name| {
                    name.strip_prefix('$')?
                        .parse::<usize>()
                        .ok()?
                        .checked_sub(1)
                })
                .ok_or_else(|| Error::Other("parameters are written $1, $2…".into()))
        };
        let places: Box<[usize]> = (1..=statement.parameter_count())
            .map(number)
            .collect::<Result<_>>()?;
        let count = places.iter().max().map_or(0, |most| most + 1);
        Ok(Self {
            places,
            count,
            names: None,
        })
    }

    fn with_names(self, statement: &Statement<'_>) -> Self {
        let names = statement.column_names().map(Into::into).collect();
        Self {
            names: Some(names),
            ..self
        }
    }

    fn bind(&self, statement: &mut Statement<'_>, args: &[&dyn Arg]) -> Result<()> {
        if args.len() != self.count {
            let (wanted, given) = (self.count, args.len());
            return Err(Error::Other(format!(
                "expected {wanted} parameters, found {given}"
            )));
        }
        for (at, place) in self.places.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, args[*place].value())?;
        }
        Ok(())
    }
}

pub(crate) fn execute(on: &dyn Statements, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
    let mut changed = 0;
    on.with(sql, &mut |statement, numbers| {
        numbers.bind(statement, args)?;
        changed = statement.raw_execute()? as u64;
        Ok(())
    })?;
    Ok(changed)
}

pub(crate) fn query<T: FromRow>(
    on: &dyn Statements,
    sql: &str,
    args: &[&dyn Arg],
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    on.with(sql, &mut |statement, numbers| {
        numbers.bind(statement, args)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found.push(T::from_row(&Row::sqlite(row, numbers.names.as_deref()))?);
        }
        Ok(())
    })?;
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

#[cfg(test)]
mod tests {
    use rusqlite::{OpenFlags, StatementStatus};

    use super::*;
    use crate::Scalar;
    use crate::sqlite::{BUSY, open};

    /// With other arguments too, and with indexes on some rows only that they might decide about.
    #[test]
    fn a_statement_is_prepared_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let conn = open(&path, OpenFlags::SQLITE_OPEN_CREATE, BUSY).unwrap();
        conn.execute_batch(
            "CREATE TABLE key (id BLOB PRIMARY KEY, hash BLOB UNIQUE);
             CREATE TABLE item (id INTEGER PRIMARY KEY, key_id BLOB, attempt BIGINT);
             CREATE INDEX item_key ON item (key_id) WHERE key_id IS NOT NULL;
             CREATE INDEX item_again ON item (id) WHERE attempt > 1;",
        )
        .unwrap();
        let ready = Ready::new(&conn);
        assert!(execute(&ready, " -- nothing", &[]).is_err());
        for sql in [
            "SELECT item.id FROM key LEFT JOIN item ON item.key_id = key.id
              WHERE hash = $1 ORDER BY item.id",
            "DELETE FROM item WHERE attempt = $1 AND id IN (1, 2, 3) RETURNING id",
            "SELECT id FROM item WHERE attempt = $1",
        ] {
            for number in 0..5_i64 {
                let _: Vec<Scalar<i64>> = query(&ready, sql, &[&number]).unwrap();
            }
            let kept = ready.kept.borrow();
            let (statement, _) = &kept[sql];
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}

//! How statements are run on PostgreSQL, and how values go in and out.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType, to_sql_checked};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use crate::{Arg, FromRow, Result, Row, Value};

/// Parameters that a statement takes along.
pub(super) type Params = Vec<Param>;

/// A value of one's own.
#[derive(Debug)]
pub(super) enum Param {
    Text(String),
    Bytes(Vec<u8>),
    Plain(Value<'static>),
}

pub(super) fn params(args: &[&dyn Arg]) -> Params {
    args.iter()
        .map(|arg| match arg.value() {
            Value::Text(text) => Param::Text(text.to_owned()),
            Value::Bytes(bytes) => Param::Bytes(bytes.to_owned()),
            Value::Null => Param::Plain(Value::Null),
            Value::Bool(bool) => Param::Plain(Value::Bool(bool)),
            Value::Int(int) => Param::Plain(Value::Int(int)),
            Value::Real(real) => Param::Plain(Value::Real(real)),
            Value::Uuid(uuid) => Param::Plain(Value::Uuid(uuid)),
        })
        .collect()
}

impl Param {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Plain(value) => *value,
        }
    }
}

pub(super) async fn execute(
    client: &Client,
    statement: &Statement,
    params: &[Param],
) -> Result<u64> {
    let values = params.iter().map(Param::value);
    Ok(client.execute_raw(statement, values).await?)
}

pub(super) async fn query<T: FromRow>(
    client: &Client,
    statement: &Statement,
    params: &[Param],
) -> Result<Vec<T>> {
    let values: Vec<_> = params.iter().map(Param::value).collect();
    let values: Vec<_> = values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect();
    let rows = client.query(statement, &values).await?;
    rows.iter()
        .map(|row| T::from_row(&Row::postgres(row)))
        .collect()
}

type Anything = Box<dyn StdError + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) if *ty == Type::INT4 => i32::try_from(*int)?.to_sql_checked(ty, out),
            Self::Int(int) if *ty == Type::INT2 => i16::try_from(*int)?.to_sql_checked(ty, out),
            Self::Int(int) => int.to_sql_checked(ty, out),
            Self::Bool(bool) => bool.to_sql_checked(ty, out),
            Self::Real(real) => real.to_sql_checked(ty, out),
            Self::Text(text) => text.to_sql_checked(ty, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(ty, out),
            Self::Uuid(uuid) => uuid.to_sql_checked(ty, out),
        }
    }

    /// Each kind of value is checked in `to_sql`, which knows it.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Value<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Anything> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw),
            Type::UUID => Self::Uuid(Uuid::from_sql(ty, raw)?),
            _ if <&str as FromSql>::accepts(ty) => Self::Text(FromSql::from_sql(ty, raw)?),
            _ => return Err(Box::new(WrongType::new::<Self>(ty.clone()))),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Anything> {
        Ok(Self::Null)
    }

    /// Each type is judged in `from_sql`.
    fn accepts(_: &Type) -> bool {
        true
    }
}

//! How statements are run on PostgreSQL, and how values go in and out.

use std::error::Error as StdError;

use bytes::BytesMut;
use deadpool_postgres::Client;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType, to_sql_checked};
use uuid::Uuid;

use crate::{Arg, FromRow, Result, Row, Value};

pub(super) async fn execute(client: &Client, sql: &str, args: &[&dyn Arg]) -> Result<u64> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute_raw(&statement, values(args)).await?)
}

pub(super) async fn query<T: FromRow>(
    client: &Client,
    sql: &str,
    args: &[&dyn Arg],
) -> Result<Vec<T>> {
    let statement = client.prepare_cached(sql).await?;
    let values: Vec<_> = values(args).collect();
    let values: Vec<_> = values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect();
    let rows = client.query(&statement, &values).await?;
    rows.iter()
        .map(|row| T::from_row(&Row::postgres(row)))
        .collect()
}

fn values<'a>(args: &'a [&'a dyn Arg]) -> impl ExactSizeIterator<Item = Value<'a>> {
    args.iter().map(|arg| arg.value())
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

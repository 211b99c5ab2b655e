//! What can be a parameter and what can be read from a column: the same on both engines.
//! The drivers translate a [`Value`]; everything else is made of those.

use uuid::Uuid;

use crate::{Error, Result};

/// A value on its way to a parameter or from a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'v> {
    /// Nothing.
    Null,
    /// `BOOLEAN`; SQLite keeps it as 0 and 1.
    Bool(bool),
    /// `BIGINT`, and what is smaller.
    Int(i64),
    /// `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`.
    Text(&'v str),
    /// `BLOB` on SQLite, `BYTEA` on PostgreSQL.
    Bytes(&'v [u8]),
    /// `UUID`; SQLite keeps its sixteen bytes.
    Uuid(Uuid),
}

/// What a statement takes as a parameter.
pub trait Arg: Sync {
    /// As the drivers know it.
    fn value(&self) -> Value<'_>;
}

/// What a column is read as.
pub trait Column: Sized {
    /// From what the driver found.
    fn from_value(value: Value<'_>) -> Result<Self>;
}

impl<T: Arg + ?Sized> Arg for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Arg> Arg for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Arg::value)
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl Arg for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Arg for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Column for String {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text.to_owned()),
            other => Err(mismatch("text", other)),
        }
    }
}

impl Arg for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Arg for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Bytes(bytes) => bytes
                .try_into()
                .map_err(|_| Error::Other(format!("expected {N} bytes, found {}", bytes.len()))),
            other => Err(mismatch("bytes", other)),
        }
    }
}

impl Arg for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Column for Vec<u8> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            other => Err(mismatch("bytes", other)),
        }
    }
}

impl Arg for bool {
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl Column for bool {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Bool(bool) => Ok(bool),
            Value::Int(int @ (0 | 1)) => Ok(int == 1),
            other => Err(mismatch("a boolean", other)),
        }
    }
}

impl Arg for f64 {
    fn value(&self) -> Value<'_> {
        Value::Real(*self)
    }
}

impl Column for f64 {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Real(real) => Ok(real),
            other => Err(mismatch("a real number", other)),
        }
    }
}

impl Arg for Uuid {
    fn value(&self) -> Value<'_> {
        Value::Uuid(*self)
    }
}

impl Column for Uuid {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Uuid(uuid) => Ok(uuid),
            Value::Bytes(bytes) => Uuid::from_slice(bytes).map_err(|_| mismatch("a UUID", value)),
            other => Err(mismatch("a UUID", other)),
        }
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Arg for $int {
            fn value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }

        impl Column for $int {
            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Int(int) => int.try_into().map_err(|_| mismatch(stringify!($int), value)),
                    other => Err(mismatch("an integer", other)),
                }
            }
        }
    )*};
}
integers!(i64, i32, i16, u32, u16, u8);

/// Says what was found by its kind alone: the value itself may be somebody's secret.
fn mismatch(wanted: &str, found: Value<'_>) -> Error {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Real(_) => "a real number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Uuid(_) => "a UUID",
    };
    Error::Other(format!("expected {wanted}, found {found}"))
}

/// Lets a type of one's own be a parameter and a column.
///
/// - `column!(UserId as Uuid)`: a newtype `struct UserId(Uuid)` around any other column; call it
///   where its field is visible.
/// - `column!(Status as text)`: kept as `TEXT` by its `fn as_str(&self) -> &str` and `FromStr`.
#[macro_export]
macro_rules! column {
    ($type:ty as text) => {
        impl $crate::Arg for $type {
            fn value(&self) -> $crate::Value<'_> {
                $crate::Value::Text(self.as_str())
            }
        }

        impl $crate::Column for $type {
            fn from_value(value: $crate::Value<'_>) -> $crate::Result<Self> {
                let text: ::std::string::String = $crate::Column::from_value(value)?;
                text.parse().map_err(|_| {
                    let wanted = concat!("expected a ", stringify!($type), ", found other text");
                    $crate::Error::Other(wanted.into())
                })
            }
        }
    };
    ($type:ty as $inner:ty) => {
        impl $crate::Arg for $type {
            fn value(&self) -> $crate::Value<'_> {
                $crate::Arg::value(&self.0)
            }
        }

        impl $crate::Column for $type {
            fn from_value(value: $crate::Value<'_>) -> $crate::Result<Self> {
                <$inner as $crate::Column>::from_value(value).map(Self)
            }
        }
    };
}

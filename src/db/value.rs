//! Values that go into the database: the four types that both databases have in common, and null.

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL's NULL, of a type, because PostgreSQL wants to know.
    Null(Type),
    /// `INTEGER` / `BIGINT`.
    Int(i64),
    /// `REAL` / `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`.
    Text(String),
    /// `BLOB` / `BYTEA`.
    Blob(Vec<u8>),
    /// A whole column, for PostgreSQL's `UNNEST`; made by [`Rows`](super::Rows) only.
    #[doc(hidden)]
    Array(Type, Vec<Value>),
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `INTEGER` / `BIGINT`.
    Int,
    /// `REAL` / `DOUBLE PRECISION`.
    Real,
    /// `TEXT`.
    Text,
    /// `BLOB` / `BYTEA`.
    Blob,
}

/// The parameters of a statement, in the order of its `?`. Made by [`args!`](crate::args).
pub type Args = Vec<Value>;

/// The parameters of a statement: `args![id, name]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}

/// A Rust type with its column type.
pub trait Typed {
    /// The column type.
    const TYPE: Type;
}

macro_rules! value_from {
    ($($rust:ty, $kind:ident, $convert:expr);* $(;)?) => { $(
        impl Typed for $rust { const TYPE: Type = Type::$kind; }
        impl From<$rust> for Value {
            fn from(value: $rust) -> Value { Value::$kind($convert(value)) }
        }
    )* };
}

value_from! {
    i64, Int, |v| v;
    i32, Int, i64::from;
    u32, Int, i64::from;
    u16, Int, i64::from;
    bool, Int, i64::from;
    f64, Real, |v| v;
    String, Text, |v| v;
    &str, Text, str::to_owned;
    &String, Text, |v: &String| v.clone();
    Vec<u8>, Blob, |v| v;
    &[u8], Blob, <[u8]>::to_vec;
    jiff::Timestamp, Int, jiff::Timestamp::as_millisecond;
}

impl<T: Typed + Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null(T::TYPE), Into::into)
    }
}

impl Value {
    /// The column type that this value goes into.
    pub fn kind(&self) -> Type {
        match self {
            Value::Null(kind) | Value::Array(kind, _) => *kind,
            Value::Int(_) => Type::Int,
            Value::Real(_) => Type::Real,
            Value::Text(_) => Type::Text,
            Value::Blob(_) => Type::Blob,
        }
    }
}

impl Type {
    /// PostgreSQL's name for it.
    pub(super) fn postgres(self) -> &'static str {
        match self {
            Type::Int => "bigint",
            Type::Real => "double precision",
            Type::Text => "text",
            Type::Blob => "bytea",
        }
    }
}

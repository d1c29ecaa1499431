//! Rows that come out of the database, decoded straight into tuples or structs, column by column in their order.

use super::DbError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, ValueRef as _};

/// One row, read from left to right.
pub struct Row<'r> {
    inner: Inner<'r>,
    next: usize,
}

enum Inner<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl<'r> Row<'r> {
    pub(super) fn sqlite(row: &'r SqliteRow) -> Self {
        Row { inner: Inner::Sqlite(row), next: 0 }
    }
    pub(super) fn postgres(row: &'r PgRow) -> Self {
        Row { inner: Inner::Postgres(row), next: 0 }
    }

    /// Reads the next column.
    ///
    /// # Errors
    /// When the column is of another type, or null where `T` is not an `Option`.
    pub fn take<T: Read>(&mut self) -> Result<T, DbError> {
        let index = self.next;
        self.next += 1;
        T::read(self, index)
    }

    fn is_null(&self, index: usize) -> Result<bool, DbError> {
        Ok(match self.inner {
            Inner::Sqlite(row) => row.try_get_raw(index)?.is_null(),
            Inner::Postgres(row) => row.try_get_raw(index)?.is_null(),
        })
    }
}

/// A type that one column can be read into.
pub trait Read: Sized {
    /// Reads column `index` of `row`.
    ///
    /// # Errors
    /// When the column is of another type.
    fn read(row: &Row<'_>, index: usize) -> Result<Self, DbError>;
}

macro_rules! read {
    ($($rust:ty),*) => { $(
        impl Read for $rust {
            fn read(row: &Row<'_>, index: usize) -> Result<Self, DbError> {
                Ok(match row.inner {
                    // unchecked: SQLite's expressions have no declared type, and the tables are STRICT
                    Inner::Sqlite(row) if row.try_get_raw(index)?.is_null() => {
                        return Err(DbError::Shape(format!("column {index} is null")));
                    }
                    Inner::Sqlite(row) => row.try_get_unchecked(index)?,
                    Inner::Postgres(row) => row.try_get(index)?,
                })
            }
        }
    )* };
}
read!(i64, f64, String, Vec<u8>);

impl Read for bool {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, DbError> {
        Ok(i64::read(row, index)? != 0)
    }
}

impl Read for jiff::Timestamp {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, DbError> {
        let millis = i64::read(row, index)?;
        jiff::Timestamp::from_millisecond(millis).map_err(|e| DbError::Shape(format!("column {index}: {e}")))
    }
}

impl<T: Read> Read for Option<T> {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, DbError> {
        if row.is_null(index)? { Ok(None) } else { T::read(row, index).map(Some) }
    }
}

/// A type that a whole row can be read into. Tuples of up to sixteen columns are; for a struct, [`take`](Row::take) each field.
pub trait FromRow: Sized + Send + Unpin {
    /// Reads `row`.
    ///
    /// # Errors
    /// When a column does not fit.
    fn from_row(row: &mut Row<'_>) -> Result<Self, DbError>;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Read + Send + Unpin),*> FromRow for ($($name,)*) {
            fn from_row(row: &mut Row<'_>) -> Result<Self, DbError> {
                Ok(($(row.take::<$name>()?,)*))
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

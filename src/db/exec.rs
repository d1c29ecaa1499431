//! Binding and running on either driver: the one place where sqlx's types meet ours.

use super::{Args, DbError, FromRow, Row, Type, Value};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query as SqlxQuery;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Postgres, Sqlite};

type SqliteQuery<'q> = SqlxQuery<'q, Sqlite, SqliteArguments<'q>>;
type PostgresQuery<'q> = SqlxQuery<'q, Postgres, PgArguments>;

fn sqlite(sql: &str, args: Args) -> SqliteQuery<'_> {
    let mut query = sqlx::query(sql);
    for value in args {
        query = match value {
            Value::Null(_) => query.bind(None::<i64>),
            Value::Int(v) => query.bind(v),
            Value::Real(v) => query.bind(v),
            Value::Text(v) => query.bind(v),
            Value::Blob(v) => query.bind(v),
            Value::Array(..) => unreachable!("Rows::bind makes arrays for PostgreSQL only"),
        };
    }
    query
}

fn postgres(sql: &str, args: Args) -> PostgresQuery<'_> {
    let mut query = sqlx::query(sql);
    for value in args {
        query = match value {
            Value::Null(Type::Int) => query.bind(None::<i64>),
            Value::Null(Type::Real) => query.bind(None::<f64>),
            Value::Null(Type::Text) => query.bind(None::<String>),
            Value::Null(Type::Blob) => query.bind(None::<Vec<u8>>),
            Value::Int(v) => query.bind(v),
            Value::Real(v) => query.bind(v),
            // PostgreSQL text holds no NUL; the doors strip it, this is the last line
            Value::Text(v) if v.contains('\0') => query.bind(v.replace('\0', "")),
            Value::Text(v) => query.bind(v),
            Value::Blob(v) => query.bind(v),
            Value::Array(Type::Int, v) => query.bind(column(v, |v| if let Value::Int(v) = v { Some(v) } else { None })),
            Value::Array(Type::Real, v) => query.bind(column(v, |v| match v {
                Value::Real(v) => Some(v),
                Value::Int(v) => Some(v as f64),
                _ => None,
            })),
            Value::Array(Type::Text, v) => {
                query.bind(column(v, |v| if let Value::Text(v) = v { Some(v.replace('\0', "")) } else { None }))
            }
            Value::Array(Type::Blob, v) => {
                query.bind(column(v, |v| if let Value::Blob(v) = v { Some(v) } else { None }))
            }
        };
    }
    query
}

fn column<T>(values: Vec<Value>, take: impl Fn(Value) -> Option<T>) -> Vec<Option<T>> {
    values.into_iter().map(take).collect()
}

fn because(sql: &str) -> impl FnOnce(sqlx::Error) -> DbError {
    let sql: String = sql.chars().take(400).collect();
    move |source| match source {
        source @ (sqlx::Error::Database(_) | sqlx::Error::ColumnDecode { .. }) => DbError::Statement { sql, source },
        source => DbError::Sql(source),
    }
}

pub(super) async fn sqlite_execute(c: &mut SqliteConnection, sql: &str, args: Args) -> Result<u64, DbError> {
    Ok(sqlite(sql, args).execute(c).await.map_err(because(sql))?.rows_affected())
}

pub(super) async fn sqlite_all<R: FromRow>(c: &mut SqliteConnection, sql: &str, args: Args) -> Result<Vec<R>, DbError> {
    let rows = sqlite(sql, args).fetch_all(c).await.map_err(because(sql))?;
    rows.iter().map(|row| R::from_row(&mut Row::sqlite(row))).collect()
}

pub(super) async fn postgres_execute(c: &mut PgConnection, sql: &str, args: Args) -> Result<u64, DbError> {
    Ok(postgres(sql, args).execute(c).await.map_err(because(sql))?.rows_affected())
}

pub(super) async fn postgres_all<R: FromRow>(c: &mut PgConnection, sql: &str, args: Args) -> Result<Vec<R>, DbError> {
    let rows = postgres(sql, args).fetch_all(c).await.map_err(because(sql))?;
    rows.iter().map(|row| R::from_row(&mut Row::postgres(row))).collect()
}

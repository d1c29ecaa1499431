//! A short transaction that writes.

use super::{Args, Db, DbError, FromRow, Pools, Query, Rows, dialect::Dialect, exec};
use sqlx::{Postgres, Sqlite, Transaction};

/// An open transaction. Dropped without [`commit`](Tx::commit), it is rolled back.
#[derive(Debug)]
pub enum Tx {
    #[doc(hidden)]
    Sqlite(Transaction<'static, Sqlite>),
    #[doc(hidden)]
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&mut self, sql: &str, args: Args) -> Result<u64, DbError> {
        let sql = self.dialect().placeholders(sql).into_owned();
        match self {
            Tx::Sqlite(tx) => exec::sqlite_execute(tx, &sql, args).await,
            Tx::Postgres(tx) => exec::postgres_execute(tx, &sql, args).await,
        }
    }

    /// Runs `sql`, in which `{rows}` stands for `rows` as a source of rows (see [`Rows`]); gives the number of rows
    /// changed. Does nothing when there are no rows.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute_rows(&mut self, sql: &str, rows: Rows, rest: Args) -> Result<u64, DbError> {
        let (sql, args) = rows.bind(self.dialect(), sql, rest);
        if args.is_empty() {
            return Ok(0);
        }
        self.execute(&sql, args).await
    }

    /// Takes `n` ids of `table`, whose key is `id`, for rows that this transaction will insert; gives the first of them
    /// on SQLite, where they follow each other, and all of them either way.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_ids(&mut self, table: &'static str, n: usize) -> Result<Vec<i64>, DbError> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        match self.dialect() {
            Dialect::Sqlite => {
                let last: Option<(i64,)> =
                    self.optional("SELECT seq FROM sqlite_sequence WHERE name = ?", crate::args![table]).await?;
                let last = last.map_or(0, |(last,)| last);
                Ok((last + 1..=last + n).collect())
            }
            Dialect::Postgres => {
                let sql = format!("SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, ?)");
                let mut ids: Vec<i64> =
                    self.all::<(i64,)>(&sql, crate::args![n]).await?.into_iter().map(|(id,)| id).collect();
                ids.sort_unstable();
                Ok(ids)
            }
        }
    }

    /// Waits until no other transaction holds `lock`, and holds it to the end of this one. Only PostgreSQL needs it:
    /// on SQLite this transaction is the only writer already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn serialise(&mut self, lock: i64) -> Result<(), DbError> {
        if self.dialect() == Dialect::Postgres {
            // the function gives void, which is no column type of ours
            self.all::<(i64,)>("SELECT 1::bigint FROM (SELECT pg_advisory_xact_lock(?)) AS held", crate::args![lock])
                .await?;
        }
        Ok(())
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// What the database says; then nothing of it has happened.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

impl Query for Tx {
    fn dialect(&self) -> Dialect {
        match self {
            Tx::Sqlite(_) => Dialect::Sqlite,
            Tx::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn all<R: FromRow>(&mut self, sql: &str, args: Args) -> Result<Vec<R>, DbError> {
        let sql = self.dialect().placeholders(sql).into_owned();
        match self {
            Tx::Sqlite(tx) => exec::sqlite_all(tx, &sql, args).await,
            Tx::Postgres(tx) => exec::postgres_all(tx, &sql, args).await,
        }
    }

    async fn optional<R: FromRow>(&mut self, sql: &str, args: Args) -> Result<Option<R>, DbError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }
}

impl Query for &Db {
    fn dialect(&self) -> Dialect {
        Db::dialect(self)
    }

    async fn all<R: FromRow>(&mut self, sql: &str, args: Args) -> Result<Vec<R>, DbError> {
        let sql = Db::dialect(self).placeholders(sql).into_owned();
        match &self.pools {
            Pools::Sqlite { read, .. } => {
                let mut connection = read.acquire().await?;
                exec::sqlite_all(&mut connection, &sql, args).await
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                exec::postgres_all(&mut connection, &sql, args).await
            }
        }
    }

    async fn optional<R: FromRow>(&mut self, sql: &str, args: Args) -> Result<Option<R>, DbError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }
}

/// The same calls on a `Db` by value, so that `db.all(…)` reads well.
impl Db {
    /// All rows. See [`Query::all`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn all<R: FromRow>(&self, sql: &str, args: Args) -> Result<Vec<R>, DbError> {
        Query::all(&mut &*self, sql, args).await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn optional<R: FromRow>(&self, sql: &str, args: Args) -> Result<Option<R>, DbError> {
        Query::optional(&mut &*self, sql, args).await
    }

    /// The one row.
    ///
    /// # Errors
    /// What the database says, also that there is none.
    pub async fn one<R: FromRow>(&self, sql: &str, args: Args) -> Result<R, DbError> {
        Query::one(&mut &*self, sql, args).await
    }
}

//! The database: SQLite by default, PostgreSQL for many nodes.
//!
//! Only this folder knows which one is underneath. The stages write one SQL text for both, with `?` for parameters,
//! in their `store.rs`, and call it through [`Db`] (reads, and single statements) or [`Tx`] (a short transaction).
//! What cannot be said in one text is in [`dialect`], a closed list. Times, money and booleans are `i64`, JSON is text.
//!
//! ```no_run
//! # async fn f(db: dangol::db::Db) -> Result<(), dangol::db::DbError> {
//! use dangol::args;
//! let names: Vec<(i64, Option<String>)> =
//!     (&db).all("SELECT id, name FROM customer WHERE created_at > ? ORDER BY id", args![0]).await?;
//! let mut tx = db.begin().await?;
//! tx.execute("UPDATE customer SET name = ? WHERE id = ?", args!["홍길동", 1]).await?;
//! tx.commit().await?;
//! # Ok(()) }
//! ```

use crate::db::dialect::Dialect;
pub use error::DbError;
pub use query::{Query, Rows};
pub use row::{FromRow, Read, Row};
pub use tx::Tx;
pub use value::{Args, Type, Value};

pub mod copy;
pub mod dialect;
mod error;
mod exec;
pub mod file;
pub mod location;
pub mod lock;
pub mod migrate;
mod query;
mod row;
pub mod sequence;
mod tx;
mod value;

use location::Location;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::time::Duration;

/// An open database. Cheap to clone; all clones share the pools.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    /// One writer, because SQLite has one; many readers, because WAL allows them.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// SQLite: what a transaction waits for the writer before it gives up.
const BUSY: Duration = Duration::from_secs(30);
const READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;

impl Db {
    /// Opens the database at `location`, making an SQLite file that does not exist. Applies no migration:
    /// see [`migrate`].
    ///
    /// # Errors
    /// When it cannot be reached; the message never holds a password.
    pub async fn open(location: &Location) -> Result<Db, DbError> {
        let pools = match location {
            Location::Sqlite(path) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
                {
                    return Err(DbError::NoFolder {
                        file: path.display().to_string(),
                        folder: folder.display().to_string(),
                    });
                }
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // NORMAL would turn accepted mail into queued mail at a power cut
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(BUSY)
                    .statement_cache_capacity(256)
                    // rows come from the driver's thread through a queue, and a short one means two wakings for each few
                    .row_buffer_size(1024)
                    .pragma("temp_store", "memory")
                    .pragma("cache_size", "-16000");
                let open_error = |source| DbError::Open { what: path.display().to_string(), source };
                let write = SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(BUSY)
                    // a file does not go away as a server does: asking each time costs as much as a small statement
                    .test_before_acquire(false)
                    // what is erased is overwritten, in pages that become free too: FAST would leave those
                    .connect_with(options.clone().pragma("secure_delete", "on"))
                    .await
                    .map_err(open_error)?;
                let read = SqlitePoolOptions::new()
                    .max_connections(READERS)
                    .acquire_timeout(BUSY)
                    .test_before_acquire(false)
                    // many of them, and the system keeps what they read: a large cache in each would be most of our memory
                    .connect_with(options.pragma("query_only", "1").pragma("cache_size", "-4000"))
                    .await
                    .map_err(open_error)?;
                Pools::Sqlite { write, read }
            }
            Location::Postgres(url) => {
                let what = location.to_string();
                let options: PgConnectOptions =
                    url.parse().map_err(|source| DbError::Open { what: what.clone(), source })?;
                let pool = PgPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS)
                    .acquire_timeout(BUSY)
                    .connect_with(options.options([("client_min_messages", "warning")]))
                    .await
                    .map_err(|source| DbError::Open { what, source })?;
                Pools::Postgres(pool)
            }
        };
        Ok(Db { pools })
    }

    /// Which of the two databases this is.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Has PostgreSQL look at tables of which many rows have just come in. What it does not know of it takes for almost
    /// empty, plans for that, and then reads all of a large table for each few rows, until its own upkeep has come by.
    /// SQLite plans without. It is advice: where it cannot be followed, the log says so, and all goes on.
    pub async fn learn(&self, tables: &[&str]) {
        if self.dialect() == Dialect::Sqlite {
            return;
        }
        let sql = format!("ANALYZE (SKIP_LOCKED) {}", tables.join(", "));
        if let Err(e) = self.execute(&sql, Vec::new()).await {
            tracing::warn!(error = %e, "PostgreSQL could not look at new rows, and may be slow for a while");
        }
    }

    /// Begins a transaction that will write. On SQLite it holds the one writer at once (`BEGIN IMMEDIATE`), so keep it
    /// under 50 ms. Dropped without [`Tx::commit`], it is rolled back.
    ///
    /// # Errors
    /// When no connection is to be had in 30 s.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match &self.pools {
            Pools::Sqlite { write, .. } => {
                // in a task of its own, which ends even when the caller is dropped while it waits: sqlx would otherwise
                // leave the one writer inside a transaction that nobody ends
                let write = write.clone();
                let begun = tokio::spawn(async move {
                    let mut begun = write.begin_with("BEGIN IMMEDIATE").await;
                    // SQLite ends a transaction itself when the disk is full, and the driver goes on counting it: that
                    // connection begins no other, and makes room for a new one
                    if matches!(begun, Err(sqlx::Error::InvalidSavePointStatement)) {
                        write.acquire().await?.close().await?;
                        begun = write.begin_with("BEGIN IMMEDIATE").await;
                    }
                    begun
                });
                Ok(Tx::Sqlite(begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??))
            }
            Pools::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// Runs one writing statement in a transaction of its own; gives the number of rows that it changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&self, sql: &str, args: Args) -> Result<u64, DbError> {
        let mut tx = self.begin().await?;
        let changed = tx.execute(sql, args).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Closes all connections, letting those in use finish; SQLite's WAL is folded into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                for pool in [read, write] {
                    pool.close().await;
                    // a pool does not always wait for a connection that is on its way back, and then leaves it open
                    for _ in 0..500 {
                        if pool.size() == 0 {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        pool.close().await;
                    }
                }
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

//! Locks that die with their process, so that a dead one can be told from a slow one without a clock.

use super::{Db, DbError, Pools};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// A lock on a file beside the database. Held until it is dropped or the process dies.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // closing alone would leave it to a child that was forked a moment ago and has not begun its own program yet
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> Result<File, DbError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|source| DbError::File { what: format!("cannot open the lock file {}", path.display()), source })
}

impl FileLock {
    /// The lock file `what` of the database at `database`.
    pub fn path(database: &Path, what: &str) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(format!(".{what}.lock"));
        name.into()
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn wait(path: &Path) -> Result<FileLock, DbError> {
        let file = open(path)?;
        file.lock().map_err(|source| DbError::File { what: format!("cannot lock {}", path.display()), source })?;
        Ok(FileLock { file })
    }

    /// Takes the lock if nobody has it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn take(path: &Path) -> Result<Option<FileLock>, DbError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => {
                Err(DbError::File { what: format!("cannot lock {}", path.display()), source })
            }
        }
    }
}

/// A PostgreSQL advisory lock on a connection of its own: it ends when the connection does, and so with the process.
#[derive(Debug)]
pub struct AdvisoryLock {
    connection: PgConnection,
}

impl AdvisoryLock {
    /// Takes the lock `(space, id)` if nobody has it. `None` also on SQLite, which has file locks.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn take(db: &Db, space: i32, id: i32) -> Result<Option<AdvisoryLock>, DbError> {
        let Pools::Postgres(pool) = &db.pools else { return Ok(None) };
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let (held,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1, $2)")
            .bind(space)
            .bind(id)
            .fetch_one(&mut connection)
            .await?;
        Ok(held.then_some(AdvisoryLock { connection }))
    }

    /// Whether the connection, and with it the lock, still stands.
    pub async fn alive(&mut self) -> bool {
        // a connection that hangs is as good as gone
        let patience = std::time::Duration::from_secs(5);
        tokio::time::timeout(patience, self.connection.ping()).await.is_ok_and(|ping| ping.is_ok())
    }

    /// Lets it go.
    pub async fn release(self) {
        // closing the connection is what releases; an error means that it is gone already
        let _ = self.connection.close().await;
    }
}

//! Bringing the tables to the version that this binary wants.
//!
//! SQLite is backed up beside its file before an existing database is changed. An existing PostgreSQL database is
//! changed only when the operator said so, because its backup is theirs to make. Both under a lock. A database of a
//! newer version is refused.

use super::lock::FileLock;
use super::{Db, DbError, Pools, location::Location};
use crate::args;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::path::{Path, PathBuf};

const SQLITE: &[(i64, &str, &str)] = &[(1, "ground", include_str!("../../migrations/sqlite/0001_ground.sql"))];
const POSTGRES: &[(i64, &str, &str)] = &[(1, "ground", include_str!("../../migrations/postgres/0001_ground.sql"))];

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// The version before; 0 for an empty database.
    pub from: i64,
    /// The version now.
    pub to: i64,
    /// The copy that was made first.
    pub backup: Option<PathBuf>,
}

/// The newest version that this binary knows.
pub fn known() -> i64 {
    SQLITE.last().map_or(0, |(version, ..)| *version)
}

/// The version of an open database; 0 when it is empty.
///
/// # Errors
/// When it cannot be read.
pub async fn version(db: &Db) -> Result<i64, DbError> {
    let exists = match &db.pools {
        Pools::Sqlite { .. } => "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
        Pools::Postgres(_) => {
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'"
        }
    };
    let (tables,): (i64,) = db.one(exists, args![]).await?;
    if tables == 0 {
        return Ok(0);
    }
    let (found,): (Option<i64>,) = db.one("SELECT max(version) FROM _sqlx_migrations", args![]).await?;
    Ok(found.unwrap_or(0))
}

/// Brings `db` at `location` to [`known`]. `allowed`: the operator said that an existing PostgreSQL database may change.
///
/// # Errors
/// [`DbError::Newer`], [`DbError::Behind`], or a migration that fails, which is then rolled back.
pub async fn apply(db: &Db, location: &Location, allowed: bool) -> Result<Applied, DbError> {
    let _lock = match location {
        Location::Sqlite(path) => {
            let lock = FileLock::path(path, "migrate");
            // waiting may take as long as another's migration: not on the runtime's own threads
            Some(tokio::task::spawn_blocking(move || FileLock::wait(&lock)).await.map_err(join)??)
        }
        Location::Postgres(_) => None, // the migrator takes an advisory lock
    };
    let (from, to) = (version(db).await?, known());
    if from > to {
        return Err(DbError::Newer { found: from, known: to });
    }
    if from == to {
        return Ok(Applied { from, to, backup: None });
    }
    let mut backup = None;
    if from > 0 {
        match location {
            Location::Sqlite(path) => {
                let mut copy = path.as_os_str().to_owned();
                copy.push(format!(".before-v{to}"));
                let copy = PathBuf::from(copy);
                snapshot(db, &copy).await?;
                backup = Some(copy);
            }
            Location::Postgres(_) if !allowed => return Err(DbError::Behind { found: from, known: to }),
            Location::Postgres(_) => {}
        }
    }
    match &db.pools {
        Pools::Sqlite { write, .. } => migrator(SQLITE).run(write).await?,
        Pools::Postgres(pool) => migrator(POSTGRES).run(pool).await?,
    }
    Ok(Applied { from, to, backup })
}

/// Writes a consistent copy of an SQLite database into a new file, while others go on writing.
///
/// # Errors
/// When the file exists and is not empty, the disk is full, or this is not SQLite.
pub async fn snapshot(db: &Db, to: &Path) -> Result<(), DbError> {
    let Pools::Sqlite { write, .. } = &db.pools else {
        return Err(DbError::Url("only SQLite is copied into a file: for PostgreSQL use pg_dump".into()));
    };
    sqlx::query("VACUUM INTO ?").bind(to.display().to_string()).execute(write).await?;
    Ok(())
}

fn migrator(list: &'static [(i64, &str, &str)]) -> Migrator {
    let migrations = list
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into(), false)
        })
        .collect();
    Migrator { migrations, ..Migrator::DEFAULT }
}

fn join(e: tokio::task::JoinError) -> DbError {
    DbError::Locked(format!("waiting for the migration lock was interrupted: {e}"))
}

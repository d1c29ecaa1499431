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

/// A migration: its version, its name, its SQL.
pub type Step = (i64, &'static str, &'static str);

const SQLITE: &[Step] = &[
    (1, "ground", include_str!("../../migrations/sqlite/0001_ground.sql")),
    (2, "journeys", include_str!("../../migrations/sqlite/0002_journeys.sql")),
    (3, "rewards", include_str!("../../migrations/sqlite/0003_rewards.sql")),
    (4, "api", include_str!("../../migrations/sqlite/0004_api.sql")),
    (5, "obstacles", include_str!("../../migrations/sqlite/0005_obstacles.sql")),
    (6, "audiences", include_str!("../../migrations/sqlite/0006_audiences.sql")),
];
const POSTGRES: &[Step] = &[
    (1, "ground", include_str!("../../migrations/postgres/0001_ground.sql")),
    (2, "journeys", include_str!("../../migrations/postgres/0002_journeys.sql")),
    (3, "rewards", include_str!("../../migrations/postgres/0003_rewards.sql")),
    (4, "api", include_str!("../../migrations/postgres/0004_api.sql")),
    (5, "obstacles", include_str!("../../migrations/postgres/0005_obstacles.sql")),
    (6, "audiences", include_str!("../../migrations/postgres/0006_audiences.sql")),
];

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
    apply_steps(db, location, allowed, steps(db)).await
}

/// [`apply`] to another list of migrations than this binary's: for the tests, which have to see a second version.
///
/// # Errors
/// As [`apply`].
#[doc(hidden)]
pub async fn apply_steps(
    db: &Db,
    location: &Location,
    allowed: bool,
    steps: &'static [Step],
) -> Result<Applied, DbError> {
    let _lock = match location {
        Location::Sqlite(path) => {
            let lock = FileLock::path(path, "migrate");
            // waiting may take as long as another's migration: not on the runtime's own threads
            Some(tokio::task::spawn_blocking(move || FileLock::wait(&lock)).await.map_err(join)??)
        }
        Location::Postgres(_) => None, // the migrator takes an advisory lock
    };
    let (from, to) = (version(db).await?, steps.last().map_or(0, |(version, ..)| *version));
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
                let copy = free_name(path, &format!("before-v{to}"));
                super::file::backup(db, &copy).await?;
                backup = Some(copy);
            }
            Location::Postgres(_) if !allowed => return Err(DbError::Behind { found: from, known: to }),
            Location::Postgres(_) => {}
        }
    }
    run(db, steps).await?;
    Ok(Applied { from, to, backup })
}

/// The same for a copy that nobody else has and that needs no copy of its own: what `restore` puts in place.
///
/// # Errors
/// [`DbError::Newer`], or a migration that fails.
pub(crate) async fn apply_to_copy(db: &Db) -> Result<(), DbError> {
    let (found, known) = (version(db).await?, known());
    if found > known {
        return Err(DbError::Newer { found, known });
    }
    run(db, steps(db)).await
}

/// All migrations for the database in use: for the tests, which add one.
#[doc(hidden)]
pub fn steps(db: &Db) -> &'static [Step] {
    match &db.pools {
        Pools::Sqlite { .. } => SQLITE,
        Pools::Postgres(_) => POSTGRES,
    }
}

async fn run(db: &Db, steps: &'static [Step]) -> Result<(), DbError> {
    match &db.pools {
        Pools::Sqlite { write, .. } => migrator(steps).run(write).await?,
        Pools::Postgres(pool) => migrator(steps).run(pool).await?,
    }
    Ok(())
}

/// A name beside `path` that nobody has: an attempt that failed has left its copy, and that is kept.
pub(crate) fn free_name(path: &Path, what: &str) -> PathBuf {
    let named = |what: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{what}"));
        PathBuf::from(name)
    };
    let numbered = (2..).map(|n| named(&format!("{what}-{n}")));
    std::iter::once(named(what)).chain(numbered).find(|name| !name.exists()).unwrap_or_else(|| named(what))
}

fn migrator(list: &'static [Step]) -> Migrator {
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

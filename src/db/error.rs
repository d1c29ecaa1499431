//! What can go wrong in the database, in words for the one who runs it.

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be opened or reached.
    #[error(
        "cannot open the database {what}: {source}. Check [database] url in dangol.toml, or DANGOL_DATABASE_URL, and that the server runs"
    )]
    Open {
        /// The database, without its password.
        what: String,
        /// The driver's error.
        source: sqlx::Error,
    },
    /// The folder of an SQLite file does not exist.
    #[error(
        "the database {file} cannot be made: there is no folder {folder}. Make it, or name another in [database] url of dangol.toml, or in DANGOL_DATABASE_URL"
    )]
    NoFolder {
        /// The database's file.
        file: String,
        /// The folder.
        folder: String,
    },
    /// A statement failed.
    #[error("the database refused a statement: {0}")]
    Sql(#[from] sqlx::Error),
    /// A statement failed; says which.
    #[error("the database refused a statement: {source}\n  in: {sql}")]
    Statement {
        /// The statement, with placeholders, never with values.
        sql: String,
        /// The driver's error.
        source: sqlx::Error,
    },
    /// The database was written by a newer version of Dangol.
    #[error(
        "this database is of version {found}, and this dangol knows versions up to {known}: run a newer dangol, or restore a backup made before the upgrade"
    )]
    Newer {
        /// Version in the database.
        found: i64,
        /// Newest version that this binary knows.
        known: i64,
    },
    /// Migrations wait, and the operator has to say that they may run.
    #[error(
        "this PostgreSQL database is of version {found}, and this dangol wants {known}: make a backup (pg_dump), then run `dangol db migrate`, or add --migrate to this command"
    )]
    Behind {
        /// Version in the database.
        found: i64,
        /// Version wanted.
        known: i64,
    },
    /// A migration failed.
    #[error("a migration failed, and was rolled back: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A database URL that is none.
    #[error("{0}")]
    Url(String),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    File {
        /// What was done to which file.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file or a database is not what it has to be for this.
    #[error("{0}")]
    Refused(String),
    /// Another process has what only one may have.
    #[error("{0}")]
    Locked(String),
    /// Another transaction changed the same at this moment; this one was undone, and can be tried again.
    #[error("{0}")]
    Contended(String),
    /// A row was not of the shape that the code expects.
    #[error("unexpected value in the database: {0}")]
    Shape(String),
}

impl DbError {
    /// Whether a unique key was violated.
    pub fn is_unique_violation(&self) -> bool {
        match self {
            DbError::Sql(e) | DbError::Statement { source: e, .. } => {
                e.as_database_error().is_some_and(|e| e.is_unique_violation())
            }
            _ => false,
        }
    }

    /// Whether trying again later can help: the database is away, locked or full, and the statement is not at fault.
    pub fn is_transient(&self) -> bool {
        let e = match self {
            DbError::Sql(e) | DbError::Statement { source: e, .. } | DbError::Open { source: e, .. } => e,
            DbError::Contended(_) => return true,
            _ => return false,
        };
        match e {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                true
            }
            sqlx::Error::Database(e) => {
                let code = e.code().unwrap_or_default();
                // SQLite: busy 5, locked 6, I/O 10, full 13; PostgreSQL: connection 08, resources 53, shutdown 57, serialization 40
                let sqlite = code.parse::<u32>().is_ok_and(|c| c < 5000 && matches!(c & 0xff, 5 | 6 | 10 | 13));
                sqlite || ["08", "53", "57", "40"].iter().any(|class| code.len() == 5 && code.starts_with(class))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DbError;

    #[test]
    fn what_another_changed_is_tried_again_and_what_only_one_may_have_is_not() {
        assert!(DbError::Contended("another was faster".into()).is_transient());
        for lasting in [DbError::Locked("a lock".into()), DbError::Shape("a row".into()), DbError::Refused("no".into())]
        {
            assert!(!lasting.is_transient(), "{lasting}");
        }
    }
}

//! An SQLite database as a file: a consistent copy while others write, and what `restore` has to know before it puts a
//! file in the place of another.

use super::{Db, DbError, Pools, location::Location};
use crate::args;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes a consistent copy of an SQLite database into a new file, while others go on writing. The file has its name
/// only when all of it is on the disk, and only its owner may read it.
///
/// # Errors
/// When the file exists, its folder does not, the disk is full, or this is not SQLite.
pub async fn backup(db: &Db, to: &Path) -> Result<(), DbError> {
    let Pools::Sqlite { write, .. } = &db.pools else {
        return Err(DbError::Refused(
            "this database is PostgreSQL, whose own tool makes its backups: pg_dump --format=custom --file=dangol.dump \
             (the same URL); `dangol db backup` copies SQLite"
                .into(),
        ));
    };
    free(to)?;
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    // what an attempt that died has left
    remove(&partial)?;
    private(&partial)?;
    let Some(path) = partial.to_str() else {
        return Err(DbError::Refused(format!("{} is no name that SQLite can write: use UTF-8", to.display())));
    };
    let written = sqlx::query("VACUUM INTO ?").bind(path).execute(write).await;
    let done = match written {
        Ok(_) => free(to).and_then(|()| put(&partial, to)),
        Err(e) => Err(e.into()),
    };
    if done.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    done
}

/// That `path` can be made: nothing is there, and its folder is.
fn free(path: &Path) -> Result<(), DbError> {
    if path.symlink_metadata().is_ok() {
        return Err(DbError::Refused(format!(
            "{} exists already, and is left alone: give another name",
            path.display()
        )));
    }
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(DbError::Refused(format!("there is no folder {}: make it first", folder.display())));
    }
    Ok(())
}

/// Makes an empty file that only its owner may read.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn private(path: &Path) -> Result<File, DbError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| failed("cannot write", path, source))
}

/// Renames a finished file, which is then durable under its new name.
///
/// # Errors
/// When the system refuses.
pub(crate) fn put(from: &Path, to: &Path) -> Result<(), DbError> {
    let file = File::open(from).and_then(|file| file.sync_all());
    file.map_err(|source| failed("cannot write", from, source))?;
    std::fs::rename(from, to).map_err(|source| failed("cannot write", to, source))?;
    let folder = folder(to);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| failed("cannot sync", folder, source))
}

/// Removes a file that may be there.
///
/// # Errors
/// When the system refuses.
pub(crate) fn remove(path: &Path) -> Result<(), DbError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("cannot remove", path, e)),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(crate) fn failed(what: &str, path: &Path, source: std::io::Error) -> DbError {
    DbError::File { what: format!("{what} {}", path.display()), source }
}

/// The files that SQLite keeps beside a database in use.
pub(crate) fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

/// That a file is there and looks like an SQLite database.
///
/// # Errors
/// What it is instead.
pub fn looks_like_sqlite(path: &Path) -> Result<(), DbError> {
    let not = |why: &str| DbError::Refused(format!("{} {why}", path.display()));
    let meta = std::fs::metadata(path).map_err(|source| failed("cannot read", path, source))?;
    if !meta.is_file() {
        return Err(not("is no file: give the one that `dangol db backup` wrote"));
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.map_err(|source| failed("cannot read", path, source))?;
    if head.starts_with(b"PGDMP") {
        return Err(not(
            "is a dump of PostgreSQL: bring it back with pg_restore, then run `dangol db restore --external`",
        ));
    }
    if head != b"SQLite format 3\0" {
        return Err(not("is no SQLite database: give the file that `dangol db backup` wrote"));
    }
    Ok(())
}

/// Opens a copy that nobody else has, and sees whether it is whole and one of ours, of a version that we know.
///
/// # Errors
/// What is wrong with it; `shown` is how the file is called.
pub async fn open_copy(path: &Path, shown: &Path) -> Result<Db, DbError> {
    let broken = |why: String| DbError::Refused(format!("{} is damaged: {why}", shown.display()));
    let db = Db::open(&Location::Sqlite(path.to_path_buf())).await.map_err(|e| match e {
        DbError::Open { source, .. } => broken(source.to_string()),
        other => other,
    })?;
    let whole = async {
        let checked: Vec<(String,)> =
            db.all("PRAGMA quick_check(3)", args![]).await.map_err(|e| broken(e.to_string()))?;
        if checked.first().is_none_or(|(word,)| word != "ok") {
            let found: Vec<String> = checked.into_iter().map(|(word,)| word).collect();
            return Err(broken(found.join("; ")));
        }
        let (found, known) = (super::migrate::version(&db).await?, super::migrate::known());
        let ours =
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', 'customer', 'message')";
        let (tables,): (i64,) = db.one(ours, args![]).await?;
        match found {
            0 => Err(DbError::Refused(format!("{} is an SQLite database, and not one of dangol's", shown.display()))),
            _ if found > known => Err(DbError::Newer { found, known }),
            _ if tables < 3 => Err(DbError::Refused(format!("{} is no database of dangol's", shown.display()))),
            _ => Ok(()),
        }
    };
    match whole.await {
        Ok(()) => Ok(db),
        Err(e) => {
            db.close().await;
            Err(e)
        }
    }
}

/// Folds all that was written into the one file, which works only while nobody else has the database open.
///
/// # Errors
/// [`DbError::Locked`] when another process has it open.
pub async fn fold(path: &Path) -> Result<(), DbError> {
    let open = |source| DbError::Open { what: path.display().to_string(), source };
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(500));
    let mut connection: SqliteConnection = options.clone().connect().await.map_err(open)?;
    // leaving WAL needs the file for oneself: every other connection holds a shared lock on it as long as it is open
    let left: Result<(String,), sqlx::Error> =
        sqlx::query_as("PRAGMA journal_mode = DELETE").fetch_one(&mut connection).await;
    let _ = connection.close().await;
    let others = || {
        DbError::Locked(format!(
            "another process has {} open: stop every dangol of this workspace first (serve, run, import)",
            path.display()
        ))
    };
    match left {
        Ok((mode,)) if mode.eq_ignore_ascii_case("delete") => Ok(()),
        Ok(_) => Err(others()),
        Err(e) => {
            let e = open(e);
            Err(if e.is_transient() { others() } else { e })
        }
    }
}

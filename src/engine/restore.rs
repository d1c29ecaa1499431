//! Restore: an old database takes the place of the present one, and nobody is mailed twice or against their will.
//!
//! All of it happens in a copy beside the database, which takes its place by one rename at the end: a restore that fails
//! has changed nothing. What went out since the backup is not in it, so every campaign is paused, audiences that were due
//! are taken, what was due becomes `unknown`, ids given since are not given again, and the journal is replayed.

use super::journal::{Journal, Replayed};
use super::{AppError, Open};
use crate::campaign::control::{self, Action};
use crate::campaign::journey::{self, Which};
use crate::campaign::{LiveCache, enrol, store as campaigns};
use crate::config::model::Settings;
use crate::config::secret::SiteSecret;
use crate::customer::{self, ErasureKey};
use crate::db::location::Location;
use crate::db::lock::FileLock;
use crate::db::{Db, DbError, file, migrate, sequence};
use crate::deliver::{node, store as deliver};
use crate::types::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why the lanes are held.
const HELD: &str = "restored from a backup: see `dangol message list --state unknown`, then resume";
/// Why a mail is unknown.
const UNKNOWN: &str = "due since the backup that was restored: nobody knows whether it went out";
/// How far ids jump where nobody can say which were given since the backup.
const GAP: i64 = 1_000_000;

/// What a restore did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// The database that stood here before.
    pub kept: Option<PathBuf>,
    /// Campaigns paused by it.
    pub paused: u64,
    /// Mails that may have gone out since the backup.
    pub unknown: u64,
    /// Audiences that were due, cannot be taken any more, and are given up.
    pub given_up: u64,
    /// Campaigns that were launched after the backup, and are not in it.
    pub missing: Vec<String>,
    /// What the journal knew and the backup did not.
    #[serde(flatten)]
    pub replayed: Replayed,
    /// Why the database that stood here could not be asked for what is newer than the journal.
    pub unreadable_database: Option<String>,
}

/// What the database that stands here can still tell.
#[derive(Default)]
struct Present {
    ids: Option<BTreeMap<String, i64>>,
    campaigns: Vec<String>,
    unreadable: Option<String>,
}

/// Puts `backup`, which [`crate::db::file::backup`] wrote, in the place of the SQLite database of a workspace.
///
/// # Errors
/// When a process sends or has the database open, when the file is no database of ours of a version that we know, or
/// belongs to another site's secret; then nothing has changed.
pub async fn restore(open: &Open, backup: &Path) -> Result<Restored, AppError> {
    let (workspace, _) = open.files()?;
    let settings = &workspace.settings.value;
    let database = match open.location(&workspace.root, settings)? {
        Location::Sqlite(path) => path,
        Location::Postgres(_) => return Err(AppError::Other(on_postgres())),
    };
    file::looks_like_sqlite(backup)?;
    let same = |path: &Path| path.canonicalize().ok();
    if same(backup).is_some() && same(backup) == same(&database) {
        return Err(AppError::Other(format!("{} is the database itself: give a backup of it", backup.display())));
    }
    let _sender = FileLock::take(&FileLock::path(&database, "sender"))?.ok_or_else(|| sends(&database.display()))?;
    let copy = Copy::of(backup, &database)?;
    let db = file::open_copy(&copy.path, backup).await?;
    let now = open.clock.now();
    let prepared = prepare(open, &workspace.root, settings, &db, &database, now).await;
    db.close().await;
    let (mut restored, journal) = prepared?;
    restored.kept = swap(&copy.path, &database, now).await?;
    let db = Db::open(&Location::Sqlite(database)).await?;
    let marked = journal.mark(&db, now).await;
    db.close().await;
    marked?;
    Ok(restored)
}

/// The same for a database that another tool has brought back: PostgreSQL's `pg_restore`, or a file copied by hand.
///
/// # Errors
/// When a process sends, or the database cannot be opened.
pub async fn external(open: &Open) -> Result<Restored, AppError> {
    let app = open.app().await?;
    if node::somebody_sends(&app.db, &app.location).await? {
        return Err(sends(&app.location).into());
    }
    let now = app.clock.now();
    let restored = settle(&app.db, &app.settings(), &app.journal, Present::default(), now).await?;
    app.journal.mark(&app.db, now).await?;
    Ok(restored)
}

/// How it is done on PostgreSQL, in words.
fn on_postgres() -> String {
    "this database is PostgreSQL: stop every dangol, bring the dump back with pg_restore (into a new database, so that the \
     present one is kept), then run `dangol db restore --external`, which pauses all campaigns, makes what was due unknown, \
     and replays the journal"
        .into()
}

fn sends(what: &impl std::fmt::Display) -> DbError {
    DbError::Locked(format!("another dangol is sending from {what}: stop it first"))
}

/// A present database that is damaged does not keep a backup from taking its place; one that is in use does.
fn only_locked(e: DbError) -> Result<(), DbError> {
    if matches!(e, DbError::Locked(_)) { Err(e) } else { Ok(()) }
}

async fn prepare(
    open: &Open,
    root: &Path,
    settings: &Settings,
    db: &Db,
    database: &Path,
    now: Timestamp,
) -> Result<(Restored, Journal), AppError> {
    migrate::apply_to_copy(db).await?;
    let env = |name: &str| open.variable(name);
    let mut secret = SiteSecret::load(root, &env)?;
    secret.verify_fingerprint(db).await?;
    let journal = Journal::new(root, ErasureKey::new(secret.erasure_key()));
    // before the long work: whether somebody has the database open
    if database.exists() && file::looks_like_sqlite(database).is_ok() {
        file::fold(database).await.or_else(only_locked)?;
    }
    let present = if database.exists() { ask(database, &journal).await } else { Present::default() };
    let restored = settle(db, settings, &journal, present, now).await?;
    Ok((restored, journal))
}

/// What the present database still tells: what the journal has not heard of yet, which ids were given, what was launched.
async fn ask(database: &Path, journal: &Journal) -> Present {
    let asked = async {
        file::looks_like_sqlite(database)?;
        let db = Db::open(&Location::Sqlite(database.to_path_buf())).await?;
        let told = async {
            journal.keep(&db).await?;
            let ids = sequence::positions(&db).await?;
            let campaigns = campaigns::campaigns(&mut &db).await?;
            Ok((ids, campaigns.into_iter().map(|campaign| campaign.name).collect()))
        }
        .await;
        db.close().await;
        told
    };
    match asked.await {
        Ok((ids, campaigns)) => Present { ids: Some(ids), campaigns, unreadable: None },
        Err::<_, DbError>(e) => Present { unreadable: Some(e.to_string()), ..Present::default() },
    }
}

/// Makes a restored database safe to go on with. May be done again.
async fn settle(
    db: &Db,
    settings: &Settings,
    journal: &Journal,
    present: Present,
    now: Timestamp,
) -> Result<Restored, AppError> {
    // first of all, so that nothing goes out if this ends half-way
    let paused = control::control(db, None, Action::Pause, now).await?;
    let mut tx = db.begin().await?;
    deliver::hold_paused(&mut tx, HELD, now).await?;
    tx.commit().await?;
    let ids = match &present.ids {
        Some(ids) => ids.clone(),
        None => sequence::positions(db).await?.into_iter().map(|(table, last)| (table, last + GAP)).collect(),
    };
    sequence::advance(db, &ids).await?;
    let cache = LiveCache::default();
    let overdue = enrol::overdue(db, &cache, settings, now).await?;
    // whoever came into a campaign, or took a step in it, since the backup: their mail may have gone out
    while journey::tick(db, &cache, settings, 64, Which::Held, now).await?.slices > 0 {}
    let mut tx = db.begin().await?;
    let unknown = deliver::distrust_due(&mut tx, UNKNOWN, now).await?;
    tx.commit().await?;
    let replayed = journal.replay(db, now).await?;
    let here = campaigns::campaigns(&mut &*db).await?;
    let missing = present.campaigns.into_iter().filter(|name| here.iter().all(|c| c.name != *name)).collect();
    let restored = Restored {
        kept: None,
        paused: paused.len() as u64,
        unknown,
        given_up: overdue.cancelled,
        missing,
        replayed,
        unreadable_database: present.unreadable,
    };
    let mut tx = db.begin().await?;
    let detail = serde_json::to_string(&restored).unwrap_or_default();
    customer::audit(&mut tx, "command line", "db restore", "database", Some(&detail), now).await?;
    tx.commit().await?;
    Ok(restored)
}

/// The copy in which the restore is made; gone again when it fails.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn of(backup: &Path, database: &Path) -> Result<Copy, DbError> {
        let path = named(database, ".restoring");
        let copy = Copy { path };
        copy.remove()?;
        let parts = std::iter::once((backup.to_path_buf(), copy.path.clone()));
        // a database that was copied by hand, while in use, has its newest part in a file beside it
        let [wal, _] = file::beside(backup);
        let [to, _] = file::beside(&copy.path);
        for (from, to) in parts.chain(wal.exists().then_some((wal, to))) {
            drop(file::private(&to)?);
            std::fs::copy(&from, &to).map_err(|source| file::failed("cannot copy", &from, source))?;
        }
        // whoever could use the database goes on using it
        if let Ok(present) = std::fs::metadata(database) {
            std::fs::set_permissions(&copy.path, present.permissions())
                .map_err(|source| file::failed("cannot set the mode of", &copy.path, source))?;
        }
        Ok(copy)
    }

    fn remove(&self) -> Result<(), DbError> {
        file::remove(&self.path)?;
        file::beside(&self.path).iter().try_for_each(|part| file::remove(part))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = self.remove();
    }
}

/// Puts the copy in the place of the database, which is kept; by one rename, so that there is always a whole one.
async fn swap(copy: &Path, database: &Path, now: Timestamp) -> Result<Option<PathBuf>, DbError> {
    file::fold(copy).await?;
    let mut kept = None;
    if database.exists() {
        if file::looks_like_sqlite(database).is_ok() {
            file::fold(database).await.or_else(only_locked)?;
        }
        let name = migrate::free_name(database, &format!("before-restore-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        // a second name for the same file; where the disk knows no such thing, a copy
        if std::fs::hard_link(database, &name).is_err() {
            std::fs::copy(database, &name).map_err(|source| file::failed("cannot keep", database, source))?;
        }
        for (part, to) in file::beside(database).iter().zip(file::beside(&name)) {
            // only of one that is damaged: they are its own, and not the new one's
            if part.exists() {
                std::fs::rename(part, &to).map_err(|source| file::failed("cannot keep", part, source))?;
            }
        }
        kept = Some(name);
    }
    file::put(copy, database)?;
    Ok(kept)
}

fn named(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

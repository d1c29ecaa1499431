//! The journal: withdrawals, suppressions and erasures in a file outside the database, so that a restore of an old
//! database does not write to people who have said no since.
//!
//! The stages note what matters in the table `journal`, in the transaction that does it. The keeper, [`Journal::keep`],
//! copies the notes in the order of their ids into `.journal.ndjson` of the workspace, one JSON object a line, synced.
//! The last line of the file is how far it has come, so the file knows, whatever database is put beside it. After a
//! restore, [`Journal::replay`] does what the database does not know, and [`Journal::mark`] says where it stands.

mod entry;
mod file;
mod replay;
mod store;

pub use replay::Replayed;

use entry::{Entry, Line};

use crate::customer::ErasureKey;
use crate::db::lock::FileLock;
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

/// The file's name in the workspace.
pub const FILE: &str = ".journal.ndjson";
/// Notes that are read and synced at once.
const SLICE: i64 = 5_000;

/// The journal of a workspace.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    key: ErasureKey,
    /// The newest note that is in the file, as far as this process knows: so that a look when there is nothing new
    /// costs one key of one index.
    seen: AtomicI64,
}

impl Journal {
    /// The journal of the workspace at `root`.
    pub fn new(root: &Path, key: ErasureKey) -> Journal {
        Journal { path: root.join(FILE), key, seen: AtomicI64::new(-1) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies what is new in `db` into the file; gives how many notes. When it returns, they are on the disk.
    ///
    /// # Errors
    /// When the database or the disk fails; nothing is lost, a later call goes on.
    pub async fn keep(&self, db: &Db) -> Result<u64, DbError> {
        let newest = store::newest(&mut &*db).await?;
        if newest == self.seen.load(Ordering::Relaxed) {
            return Ok(0);
        }
        if newest == 0 && !self.path.exists() {
            self.seen.store(0, Ordering::Relaxed);
            return Ok(0);
        }
        let _lock = self.lock().await?;
        let mut after = match self.blocking(|path, _| file::last(path)).await? {
            Some(last) if last.id == 0 || store::holds(&mut &*db, &last).await? => last.id,
            // another database was put here without a restore: what it holds is written once more, which does no harm
            Some(last) => {
                tracing::info!(note = last.id, "the journal knows another database: it is read from its beginning");
                0
            }
            None => 0,
        };
        let mut kept = 0;
        loop {
            let lines = store::lines(&mut &*db, after, SLICE).await?;
            let Some(last) = lines.last() else { break };
            after = last.id;
            kept += lines.len() as u64;
            self.blocking(move |path, key| file::append(path, &lines, key)).await?;
        }
        self.seen.store(after.max(newest), Ordering::Relaxed);
        Ok(kept)
    }

    /// Does to a restored database what it does not know yet. Can be done again.
    ///
    /// # Errors
    /// When the database or the disk fails.
    pub async fn replay(&self, db: &Db, now: Timestamp) -> Result<Replayed, DbError> {
        if !self.path.exists() {
            return Ok(Replayed::default());
        }
        let _lock = self.lock().await?;
        replay::replay(&self.path, &self.key, db, now).await
    }

    /// Says in the file that the notes of `db`, as they stand, are in it: after a restore.
    ///
    /// # Errors
    /// When the database or the disk fails.
    pub async fn mark(&self, db: &Db, now: Timestamp) -> Result<(), DbError> {
        let _lock = self.lock().await?;
        let line =
            store::newest_line(&mut &*db).await?.unwrap_or(Line { id: 0, subject: 0, at: now, entry: Entry::Restored });
        self.seen.store(line.id, Ordering::Relaxed);
        self.blocking(move |path, key| file::append(path, &[line], key)).await
    }

    /// Other processes of this workspace write to the same file.
    async fn lock(&self) -> Result<FileLock, DbError> {
        self.blocking(|path, _| FileLock::wait(&FileLock::path(path, "keeper"))).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path, &ErasureKey) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (path, key) = (self.path.clone(), self.key.clone());
        let done = tokio::task::spawn_blocking(move || work(&path, &key)).await;
        done.map_err(|e| DbError::Locked(format!("writing the journal was interrupted: {e}")))?
    }
}

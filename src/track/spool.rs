//! What cannot be written to the database now goes to a file, and into the database later.
//!
//! One JSON object a line, each under a random key that makes its replay idempotent; appended and synced before the
//! caller is answered. A replay first renames the file, so that what comes meanwhile goes to a fresh one; the renamed
//! file goes away only when all of it is in the database, and a crash in between leaves it for the next replay. Several
//! processes of one workspace may share a spool: one lock is held for each touch of the files, another for a replay.

use crate::db::lock::FileLock;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A spool on the disk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Whether there may be something to replay, so that an empty spool costs no look at the disk.
    pending: AtomicBool,
}

/// The disk failed as well.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} the spool {path}: {why}. Check that the disk is not full and that the folder can be written")]
pub struct SpoolError {
    what: &'static str,
    path: String,
    why: String,
}

/// What a replay has in hand: nobody else replays while it is held.
#[derive(Debug)]
pub struct Replay<T> {
    /// Each entry with its key.
    pub entries: Vec<(String, T)>,
    /// To be given to [`Spool::done`] when the entries are in the database.
    pub lock: FileLock,
}

#[derive(Serialize, Deserialize)]
struct Line<T> {
    key: String,
    entry: T,
}

impl Spool {
    /// The spool at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Spool {
        Spool { inner: Arc::new(Inner { path: path.into(), pending: AtomicBool::new(true) }) }
    }

    /// Whether there may be something to replay.
    pub fn is_pending(&self) -> bool {
        self.inner.pending.load(Ordering::SeqCst)
    }

    /// Adds entries; when it returns, they are on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn append<T: Serialize>(&self, entries: &[T]) -> Result<(), SpoolError> {
        let mut text = String::new();
        for entry in entries {
            let line = Line { key: random_key().map_err(|e| self.wrong("fill", e))?, entry };
            text.push_str(&serde_json::to_string(&line).map_err(|e| self.wrong("fill", e))?);
            text.push('\n');
        }
        let spool = self.clone();
        self.blocking(move || {
            spool.locked(|path| {
                let mut file = OpenOptions::new().create(true).append(true).open(path)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                // under the lock, so that a replay that finds nothing cannot say so after this
                spool.inner.pending.store(true, Ordering::SeqCst);
                // the file's name has to survive as well
                path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
            })
        })
        .await
        .map_err(|e| self.wrong("append to", e))
    }

    /// Takes what is there for a replay; a line that a crash cut short is left out, with a warning. `None` when nothing is
    /// there, or another process is replaying it.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn take<T: DeserializeOwned + Send + 'static>(&self) -> Result<Option<Replay<T>>, SpoolError> {
        let spool = self.clone();
        let found = self.blocking(move || spool.take_text()).await.map_err(|e| self.wrong("read", e))?;
        let Some((text, lock)) = found else { return Ok(None) };
        let mut entries = Vec::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Line<T>>(line) {
                Ok(line) => entries.push((line.key, line.entry)),
                Err(e) => {
                    tracing::warn!(error = %e, bytes = line.len(), "a line of the spool cannot be read and is left out")
                }
            }
        }
        Ok(Some(Replay { entries, lock }))
    }

    fn take_text(&self) -> std::io::Result<Option<(Vec<u8>, FileLock)>> {
        let path = &self.inner.path;
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let Some(lock) = FileLock::take(&FileLock::path(path, "replay")).map_err(std::io::Error::other)? else {
            return Ok(None);
        };
        self.locked(|path| {
            loop {
                let taken = replaying(path);
                if !taken.exists() {
                    match std::fs::rename(path, &taken) {
                        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                            self.inner.pending.store(false, Ordering::SeqCst);
                            return Ok(None);
                        }
                        other => other?,
                    }
                }
                let text = std::fs::read(&taken)?;
                if !text.is_empty() {
                    return Ok(Some(text));
                }
                std::fs::remove_file(&taken)?;
            }
        })
        .map(|text| text.map(|text| (text, lock)))
    }

    /// What was taken is in the database.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn done(&self, replay: FileLock) -> Result<(), SpoolError> {
        let spool = self.clone();
        self.blocking(move || {
            let removed = spool.locked(|path| std::fs::remove_file(replaying(path)));
            drop(replay);
            removed
        })
        .await
        .map_err(|e| self.wrong("empty", e))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
    }

    /// Other processes of the same workspace spool to the same file.
    fn locked<T>(&self, work: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
        let path = &self.inner.path;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let _lock = FileLock::wait(&FileLock::path(path, "spool")).map_err(std::io::Error::other)?;
        work(path)
    }

    fn wrong(&self, what: &'static str, why: impl std::fmt::Display) -> SpoolError {
        SpoolError { what, path: self.inner.path.display().to_string(), why: why.to_string() }
    }
}

fn replaying(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".replaying");
    name.into()
}

fn random_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        // writing to a string cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

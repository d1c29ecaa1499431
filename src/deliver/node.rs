//! Which processes send, and what dead ones held.
//!
//! A process is dead when its lock is free: on SQLite one file lock, because one process sends; on PostgreSQL an
//! advisory lock for each. No clock is asked, so a slow or suspended process is never robbed.

use super::store;
use crate::db::lock::{AdvisoryLock, FileLock};
use crate::db::{Db, DbError, location::Location};
use crate::types::Timestamp;

/// The advisory locks of nodes.
const SPACE: i32 = 0x6461_6e67;

/// This process, as one that sends.
#[derive(Debug)]
pub struct Node {
    /// Its id in the claims.
    pub id: i64,
    lock: Held,
}

#[derive(Debug)]
enum Held {
    File { _lock: FileLock },
    Advisory(AdvisoryLock),
}

/// What was found in the hands of dead processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Went back to the queue.
    pub queued: u64,
    /// Nobody knows whether they were taken.
    pub unknown: u64,
}

impl Node {
    /// Registers this process.
    ///
    /// # Errors
    /// [`DbError::Locked`] when another process sends from the same SQLite file.
    pub async fn start(db: &Db, location: &Location, now: Timestamp) -> Result<Node, DbError> {
        let file = match location {
            Location::Sqlite(path) => {
                let lock = FileLock::take(&FileLock::path(path, "sender"))?.ok_or_else(|| {
                    DbError::Locked(format!(
                        "another dangol is sending from {}: stop it first (one process sends from an SQLite file; for many, use PostgreSQL)",
                        path.display()
                    ))
                })?;
                Some(lock)
            }
            Location::Postgres(_) => None,
        };
        let name = format!("pid {}", std::process::id());
        let mut tx = db.begin().await?;
        let id = store::register_node(&mut tx, &name, now).await?;
        tx.commit().await?;
        let lock = match file {
            Some(lock) => Held::File { _lock: lock },
            None => {
                let taken = AdvisoryLock::take(db, SPACE, lock_id(id)).await?;
                Held::Advisory(taken.ok_or_else(|| DbError::Locked(format!("the lock of node {id} is taken")))?)
            }
        };
        Ok(Node { id, lock })
    }

    /// Takes over what dead processes held. Call it at start, and now and then where there are many nodes.
    ///
    /// # Errors
    /// What the database says.
    pub async fn recover(&self, db: &Db, now: Timestamp) -> Result<Recovered, DbError> {
        let mut recovered = Recovered::default();
        for other in store::other_nodes(&mut &*db, self.id).await? {
            let taken = match &self.lock {
                Held::File { .. } => None, // we hold the only lock there is: all others are dead
                Held::Advisory(_) => match AdvisoryLock::take(db, SPACE, lock_id(other)).await? {
                    Some(lock) => Some(lock),
                    None => continue, // it lives
                },
            };
            let mut tx = db.begin().await?;
            let (queued, unknown) = store::recover(&mut tx, other, now).await?;
            tx.commit().await?;
            recovered.queued += queued;
            recovered.unknown += unknown;
            if let Some(lock) = taken {
                lock.release().await;
            }
        }
        Ok(recovered)
    }

    /// Whether the lock still stands: a node that lost its database connection must stop sending, for others may take
    /// over what it holds.
    pub async fn alive(&mut self) -> bool {
        match &mut self.lock {
            Held::File { .. } => true,
            Held::Advisory(lock) => lock.alive().await,
        }
    }

    /// Ends in good order: whatever it still holds goes back.
    ///
    /// # Errors
    /// What the database says.
    pub async fn stop(self, db: &Db, now: Timestamp) -> Result<(), DbError> {
        let mut tx = db.begin().await?;
        store::stop_node(&mut tx, self.id, now).await?;
        store::recover(&mut tx, self.id, now).await?;
        tx.commit().await?;
        if let Held::Advisory(lock) = self.lock {
            lock.release().await;
        }
        Ok(())
    }
}

/// Whether some process sends now, told by its lock.
///
/// # Errors
/// When the locks cannot be asked for.
pub async fn somebody_sends(db: &Db, location: &Location) -> Result<bool, DbError> {
    if let Location::Sqlite(path) = location {
        return Ok(FileLock::take(&FileLock::path(path, "sender"))?.is_none());
    }
    for other in store::unstopped_nodes(&mut &*db).await? {
        match AdvisoryLock::take(db, SPACE, lock_id(other)).await? {
            Some(lock) => lock.release().await,
            None => return Ok(true),
        }
    }
    Ok(false)
}

fn lock_id(node: i64) -> i32 {
    // the id's low bits: two billion nodes apart, two are never alive together
    i32::try_from(node & i64::from(i32::MAX)).unwrap_or(0)
}

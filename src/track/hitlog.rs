//! The writer of hits: one task, to which all handlers send, so that one commit serves many of them.
//!
//! What waits when a commit ends goes into the next; nothing is held back to fill a group. A caller is answered when its
//! hit is durable, in the database or, while that is away, in the spool.

use super::hit::Hit;
use super::spool::{Spool, SpoolError};
use super::store;
use crate::db::{Db, DbError};
use crate::types::Period;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Hits that wait at most; then callers wait to hand theirs over.
const QUEUE: usize = 4_096;
/// Hits in one commit at most.
const GROUP: usize = 500;
/// How long a commit may take before the group goes to the spool. A group that was written all the same is recognised
/// when it is replayed.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the database is left alone after it failed.
const AWAY: Duration = Duration::from_secs(2);

/// A hit is neither in the database nor on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hit could be kept neither in the database nor in the spool")]
pub struct NotKept;

enum Job {
    Keep(Hit, Period, oneshot::Sender<Result<(), NotKept>>),
    Flush(oneshot::Sender<bool>),
}

/// The handle on the writer. Cheap to clone; when the last one is dropped, the writer finishes and ends.
#[derive(Clone, Debug)]
pub struct HitLog {
    jobs: mpsc::Sender<Job>,
}

impl HitLog {
    /// Starts the writer. `spool` is a file beside the workspace's database; what an earlier run left in it is written
    /// first. The task ends when the last handle is dropped.
    pub fn start(db: Db, spool: impl Into<PathBuf>) -> (HitLog, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer = Writer { db, spool: Spool::new(spool), away_until: None };
        (HitLog { jobs }, tokio::spawn(writer.run(queue)))
    }

    /// Keeps a hit, which is to be settled after `settle`; returns when it is durable.
    ///
    /// # Errors
    /// When neither the database nor the disk takes it.
    pub async fn record(&self, hit: Hit, settle: Period) -> Result<(), NotKept> {
        let (answer, kept) = oneshot::channel();
        self.jobs.send(Job::Keep(hit, settle, answer)).await.map_err(|_| NotKept)?;
        kept.await.map_err(|_| NotKept)?
    }

    /// Writes what is spooled into the database now; true when nothing is left there.
    pub async fn flush(&self) -> bool {
        let (answer, emptied) = oneshot::channel();
        self.jobs.send(Job::Flush(answer)).await.is_ok() && emptied.await.unwrap_or(false)
    }
}

struct Writer {
    db: Db,
    spool: Spool,
    away_until: Option<Instant>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(GROUP);
        self.replay().await;
        loop {
            let again = self.away_until.unwrap_or_else(|| Instant::now() + AWAY);
            tokio::select! {
                n = queue.recv_many(&mut jobs, GROUP) => {
                    if n == 0 {
                        break;
                    }
                    self.work(jobs.drain(..)).await;
                }
                () = tokio::time::sleep_until(again), if self.spool.is_pending() => {
                    self.replay().await;
                }
            }
        }
    }

    async fn work(&mut self, jobs: impl Iterator<Item = Job>) {
        let (mut hits, mut callers, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Keep(hit, settle, caller) => {
                    hits.push((hit, settle));
                    callers.push(caller);
                }
                Job::Flush(caller) => flushes.push(caller),
            }
        }
        if !hits.is_empty() {
            let kept = self.keep(&hits).await;
            for caller in callers {
                // a caller that has given up wants no answer
                let _ = caller.send(kept);
            }
        }
        for caller in flushes {
            let emptied = self.replay().await;
            let _ = caller.send(emptied);
        }
    }

    async fn keep(&mut self, hits: &[(Hit, Period)]) -> Result<(), NotKept> {
        if self.away_until.is_none_or(|until| Instant::now() >= until) {
            let rows: Vec<_> = hits.iter().map(|(hit, settle)| (hit.clone(), None, *settle)).collect();
            match self.write(rows).await {
                Ok(()) => {
                    self.away_until = None;
                    metrics::counter!("dangol_hits_total").increment(hits.len() as u64);
                    return Ok(());
                }
                Err(why) => {
                    tracing::warn!(error = %why, hits = hits.len(), "hits go to the spool because the database did not take them");
                    self.away_until = Some(Instant::now() + AWAY);
                }
            }
        }
        let entries: Vec<_> = hits.iter().map(|(hit, settle)| (hit, settle.as_millis())).collect();
        self.spool.append(&entries).await.map_err(|why| {
            tracing::error!(error = %why, hits = hits.len(), "hits are lost");
            NotKept
        })?;
        metrics::counter!("dangol_hits_spooled_total").increment(hits.len() as u64);
        Ok(())
    }

    /// True when nothing is left in the spool.
    async fn replay(&mut self) -> bool {
        match self.try_replay().await {
            Ok(()) => !self.spool.is_pending(),
            Err(why) => {
                tracing::warn!(error = %why, "the spool waits because the database does not take it");
                self.away_until = Some(Instant::now() + AWAY);
                false
            }
        }
    }

    async fn try_replay(&mut self) -> Result<(), WriteError> {
        while self.spool.is_pending() {
            let Some(replay) = self.spool.take::<(Hit, i64)>().await? else { break };
            let replayed = replay.entries.len();
            let entry = |(key, (hit, settle))| (hit, Some(key), Period::millis(settle));
            let mut rows: Vec<_> = replay.entries.into_iter().map(entry).collect();
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(GROUP));
                self.write(rows).await?;
                rows = rest;
            }
            self.spool.done(replay.lock).await?;
            tracing::info!(hits = replayed, "spooled hits are in the database");
        }
        self.away_until = None;
        Ok(())
    }

    async fn write(&self, rows: Vec<(Hit, Option<String>, Period)>) -> Result<(), WriteError> {
        let write = async {
            let mut tx = self.db.begin().await?;
            // nearly always all of one period: it is the installation's
            for group in rows.chunk_by(|a, b| a.2 == b.2) {
                let hits: Vec<_> = group.iter().map(|(hit, key, _)| (hit.clone(), key.clone())).collect();
                store::insert_hits(&mut tx, &hits, group[0].2).await?;
            }
            tx.commit().await
        };
        tokio::time::timeout(PATIENCE, write).await.map_err(|_| WriteError::Slow)??;
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the database did not answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

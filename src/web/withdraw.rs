//! A withdrawal is taken down at once, or, while the database is away, on the disk: nobody is told to come back later.

use super::state::{State, Withdrawal};
use crate::track::SpoolError;
use std::time::Duration;

/// How long the database may take before the disk is used.
const PATIENCE: Duration = Duration::from_secs(3);

impl State {
    /// Takes a withdrawal down so that it lasts.
    pub(super) async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<(), SpoolError> {
        let customer = withdrawal.customer;
        match tokio::time::timeout(PATIENCE, self.deeds.unsubscribe(withdrawal)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => tracing::warn!(customer, error = %why, "a withdrawal goes to the spool"),
            Err(_) => tracing::warn!(customer, "a withdrawal goes to the spool: the database does not answer"),
        }
        self.withdrawals.append(&[withdrawal]).await.inspect_err(|why| {
            tracing::error!(customer, error = %why, "a withdrawal could not be taken down");
        })
    }

    /// Takes spooled withdrawals down; gives how many have to wait still. What was taken down twice is one.
    pub async fn replay_withdrawals(&self) -> usize {
        if !self.withdrawals.is_pending() {
            return 0;
        }
        self.replay_once().await.unwrap_or_else(|why| {
            tracing::error!(error = %why, "spooled withdrawals cannot be read");
            1
        })
    }

    async fn replay_once(&self) -> Result<usize, SpoolError> {
        // another process of this workspace may be at it
        let Some(replay) = self.withdrawals.take::<Withdrawal>().await? else { return Ok(0) };
        let mut waiting = Vec::new();
        for (_, withdrawal) in replay.entries {
            let done = tokio::time::timeout(PATIENCE, self.deeds.unsubscribe(&withdrawal)).await;
            if !matches!(done, Ok(Ok(()))) {
                waiting.push(withdrawal);
            }
        }
        if !waiting.is_empty() {
            // one that fails for a reason of its own must not keep the others from being taken down
            self.withdrawals.append(&waiting).await?;
        }
        self.withdrawals.done(replay.lock).await?;
        Ok(waiting.len())
    }
}

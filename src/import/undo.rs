//! Taking an import back, as far as nothing has used it. Orders go by corrections in the log, so that scores which have
//! counted them count anew. What has been mailed, answered or changed since stays, and is said.

mod orders;

use super::ImportError;
use super::store::{self, Standing};
use crate::customer::audit;
use crate::db::{Db, DbError};
use crate::permission::{forget_batch, lift_batch};
use crate::types::Timestamp;
use serde::Serialize;

/// What was taken back, and what was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The import.
    pub batch: i64,
    /// Customers taken back.
    pub customers: u64,
    /// Orders and other events taken back.
    pub events: u64,
    /// Changes of orders that other imports had opened, put back.
    pub corrections: u64,
    /// Lines of consent taken back.
    pub consents: u64,
    /// Suppressions lifted.
    pub suppressions: u64,
    /// What stays, in sentences.
    pub kept: Vec<String>,
}

/// Customers a transaction.
const SLICE: i64 = 500;

/// Takes back what import `batch` brought: orders, and its changes of other orders, which nothing has changed since;
/// other events that no reader of the log has seen; customers without mail, events or changes since; consents that no
/// mail relied on; suppressions. May be called again. It goes in slices, so other writers do not wait.
///
/// # Errors
/// When there is no such import; what the database says.
pub async fn undo(db: &Db, batch: i64, actor: &str, now: Timestamp) -> Result<Undone, ImportError> {
    let Some(found) = store::batch(&mut &*db, batch).await? else { return Err(ImportError::NoBatch(batch)) };
    let mut undone = Undone { batch, ..Undone::default() };
    let orders = orders::undo(db, batch, now).await?;
    undone.events = orders.taken_back + events(db, batch).await?;
    undone.corrections = orders.put_back;
    undone.consents = consents(db, batch, now).await?;
    undone.customers = customers(db, &found).await?;
    let mut tx = db.begin().await?;
    undone.suppressions = lift_batch(&mut tx, batch, actor, now).await?;
    store::mark_undone(&mut tx, batch).await?;
    audit(&mut tx, actor, "import undo", &format!("import {batch}"), Some(&found.file), now).await?;
    tx.commit().await?;
    undone.kept = kept(db, &found).await?;
    undone.kept.splice(0..0, orders.kept());
    Ok(undone)
}

async fn events(db: &Db, batch: i64) -> Result<u64, DbError> {
    let mut all = 0;
    loop {
        let mut tx = db.begin().await?;
        let read = store::unread_after(&mut tx).await?;
        let n = store::take_back_events(&mut tx, batch, read, SLICE).await?;
        tx.commit().await?;
        if n == 0 {
            return Ok(all);
        }
        all += n;
    }
}

async fn consents(db: &Db, batch: i64, now: Timestamp) -> Result<u64, DbError> {
    let (mut all, mut after) = (0, 0);
    loop {
        let mut tx = db.begin().await?;
        let customers = store::consented(&mut tx, batch, after, SLICE).await?;
        let Some(last) = customers.last().copied() else { return Ok(all) };
        all += forget_batch(&mut tx, batch, &customers, now).await?;
        tx.commit().await?;
        after = last;
    }
}

async fn customers(db: &Db, batch: &store::Batch) -> Result<u64, DbError> {
    let (mut all, mut after) = (0, 0);
    loop {
        let mut tx = db.begin().await?;
        let Some((last, n)) = store::take_back_customers(&mut tx, batch, after, SLICE).await? else {
            return Ok(all);
        };
        tx.commit().await?;
        (after, all) = (last, all + n);
    }
}

async fn kept(db: &Db, batch: &store::Batch) -> Result<Vec<String>, DbError> {
    let mut kept = Vec::new();
    let customers = store::standing(&mut &*db, Standing::Customers, batch.id).await?;
    if customers > 0 {
        let why = store::kept_customers(&mut &*db, batch).await?;
        let why: Vec<String> = why.into_iter().map(|(words, n)| format!("{n} {words}")).collect();
        kept.push(format!("{customers} customers stay: {}", why.join(", ")));
    }
    let events = store::standing(&mut &*db, Standing::Events, batch.id).await?;
    if events > 0 {
        kept.push(format!(
            "{events} events stay: scores have seen them, or something was corrected since. Only orders can be taken back \
             after that; to be rid of these too, restore the backup from before the import"
        ));
    }
    let consents = store::standing(&mut &*db, Standing::Consents, batch.id).await?;
    if consents > 0 {
        kept.push(format!("{consents} consents stay: mail relied on them"));
    }
    if batch.kind == "customers" && batch.updated > 0 {
        kept.push(format!(
            "{} known customers keep what the file said of them: the old values are not kept",
            batch.updated
        ));
    }
    Ok(kept)
}

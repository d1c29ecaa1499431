//! Reads the event log from the cursor `reward` in slices, and moves the ledger and the cursor in one short transaction.

use super::earn;
use super::error::RewardError;
use super::live;
use crate::config::model::Settings;
use crate::db::Db;
use crate::event::{self, Event, Kind};
use crate::types::Timestamp;
use std::collections::BTreeSet;

/// The cursor's name.
pub const CURSOR: &str = "reward";
/// Where orders were first passed over because a live definition cannot be used: the event before them, and one; 0 when
/// nothing was. When all can be used again, the log is read again from there, and to look twice gives nothing twice.
const PASSED: &str = "reward.passed";
/// Events a slice.
const SLICE: i64 = 500;
/// So often a slice is tried again when other nodes were faster.
const TRIES: usize = 10;

/// What a call has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events read.
    pub events: u64,
    /// Movements of what orders earn.
    pub moved: u64,
    /// Orders that earn nothing because they are in another currency than the site's.
    pub foreign: u64,
    /// Orders that earn less than they should because budget or ceiling have no room.
    pub refused: u64,
}

/// Gives orders what they earn, up to the log's end.
///
/// # Errors
/// What the database says; what was done before stays, and the next call goes on there.
pub async fn catch_up(db: &Db, settings: &Settings, now: Timestamp) -> Result<Progress, RewardError> {
    let mut all = Progress::default();
    let mut tries = 0;
    look_back(db, settings).await?;
    loop {
        let before = event::cursor(&mut &*db, CURSOR).await?;
        let events = event::read_after(&mut &*db, before, SLICE).await?;
        let Some(last) = events.last().map(|event| event.id) else { break };
        let orders: BTreeSet<i64> = events.iter().filter_map(order_of).collect();
        let mut tx = db.begin().await?;
        if !event::move_cursor(&mut tx, CURSOR, before, last).await? {
            tries += 1;
            if tries == TRIES {
                return Err(RewardError::Contended);
            }
            continue;
        }
        // what is live is read in the transaction: a launch at this moment moves the cursor back, or is seen
        let live = live::live(&mut tx, settings).await?;
        if !orders.is_empty()
            && !live::unusable(&mut tx, settings).await?.is_empty()
            && event::cursor(&mut tx, PASSED).await? == 0
        {
            event::move_cursor(&mut tx, PASSED, 0, before + 1).await?;
        }
        let live: Vec<_> = live.into_iter().filter(|live| live.reward.is_points()).collect();
        if !live.is_empty() && !orders.is_empty() {
            let earned = earn::orders(&mut tx, &live, &orders, now).await?;
            all.moved += earned.moved;
            all.foreign += earned.foreign;
            all.refused += earned.refused;
        }
        tx.commit().await?;
        all.events += events.len() as u64;
        if (events.len() as i64) < SLICE {
            break;
        }
    }
    if all.foreign + all.refused > 0 {
        tracing::info!(
            foreign = all.foreign,
            refused = all.refused,
            "some orders earned no points: they are in another currency, or budget or ceiling had no room"
        );
    }
    Ok(all)
}

/// Goes back to what was passed over, once all that is live can be used.
async fn look_back(db: &Db, settings: &Settings) -> Result<(), RewardError> {
    let passed = event::cursor(&mut &*db, PASSED).await?;
    if passed == 0 || !live::unusable(&mut &*db, settings).await?.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let at = event::cursor(&mut tx, CURSOR).await?;
    // when another node was faster, this is undone, and done by it or the next time
    if event::move_cursor(&mut tx, PASSED, passed, 0).await?
        && event::move_cursor(&mut tx, CURSOR, at, at.min(passed - 1)).await?
    {
        tx.commit().await?;
        tracing::info!("all live rewards can be used again: orders that were passed over are looked at");
    }
    Ok(())
}

/// The order that an event opened or corrects.
fn order_of(event: &Event) -> Option<i64> {
    match event.kind {
        Kind::Order => Some(event.id),
        Kind::Correction => event.data.get("corrects").and_then(serde_json::Value::as_i64),
        _ => None,
    }
}

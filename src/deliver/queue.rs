//! Taking due messages from the queue, fairly among campaigns.

use super::relay::Relay;
use super::{Claimed, store};
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use std::sync::Arc;

/// Claims up to `limit` due messages for `node`, shared among the campaigns that have some, service mail first.
///
/// # Errors
/// What the database says.
pub async fn claim(db: &Db, node: i64, limit: usize, now: Timestamp) -> Result<Vec<Claimed>, DbError> {
    let lanes = store::lanes_with_due(&mut &*db, now).await?;
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let token = random();
    let mut claimed = Vec::with_capacity(limit);
    let mut tx = db.begin().await?;
    for (i, campaign) in lanes.iter().enumerate() {
        // what the lanes before did not use is shared by those after
        let share = (limit - claimed.len()).div_ceil(lanes.len() - i);
        if share == 0 {
            break;
        }
        let share = i64::try_from(share).unwrap_or(i64::MAX);
        claimed.extend(store::claim(&mut tx, *campaign, node, token, share, now).await?);
    }
    if let Err(e) = tx.commit().await {
        // it may have happened, and only its answer was lost: what it claimed would be nobody's
        if let Err(e) = store::unclaim(db, node, token, now).await {
            tracing::error!(error = %e, "claims of unknown fate stay until this node starts again");
        }
        return Err(e);
    }
    Ok(claimed)
}

/// Whether a relay has been given all that it may be given today (UTC).
pub(super) async fn over_quota(db: &Db, relay: &Relay, now: Timestamp) -> bool {
    let Some(daily) = relay.daily else { return false };
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    // a database that does not answer is the ledger's to wait for
    store::relay_day(&mut &*db, &relay.name, &day).await.is_ok_and(|sent| sent.cast_unsigned() >= daily)
}

/// Whether every relay has: then nothing is due before tomorrow.
pub(super) async fn all_over_quota(db: &Db, relays: &[Arc<Relay>], now: Timestamp) -> bool {
    for relay in relays {
        if !over_quota(db, relay, now).await {
            return false;
        }
    }
    !relays.is_empty()
}

/// A token that nobody else has: not for secrecy, but so that a claim that was lost cannot be mistaken for ours.
fn random() -> i64 {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        // no entropy is no reason to stop mail; the address of a fresh allocation and the process differ enough
        bytes = (std::process::id() as usize ^ (&raw const bytes as usize)).to_be_bytes();
    }
    i64::from_be_bytes(bytes)
}

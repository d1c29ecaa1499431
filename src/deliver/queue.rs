//! Taking due messages from the queue, fairly among campaigns.

use super::{Claimed, store};
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use std::collections::HashMap;

/// Claims up to `limit` due messages for `node`, shared among the campaigns that have some, service mail first.
///
/// # Errors
/// What the database says.
pub async fn claim(db: &Db, node: i64, limit: usize, now: Timestamp) -> Result<Vec<Claimed>, DbError> {
    claim_from(db, node, limit, false, |_| false, now).await
}

/// The same, without the campaigns that are `held`; `by_score` takes each campaign's most engaged readers first.
///
/// # Errors
/// What the database says.
pub async fn claim_from(
    db: &Db,
    node: i64,
    limit: usize,
    by_score: bool,
    held: impl Fn(i64) -> bool,
    now: Timestamp,
) -> Result<Vec<Claimed>, DbError> {
    let mut lanes = store::lanes_with_due(&mut &*db, now).await?;
    lanes.retain(|(campaign, _)| !held(*campaign));
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let best = if by_score { ranked(db, &lanes, limit, now).await? } else { HashMap::new() };
    let token = random();
    let mut claimed = Vec::with_capacity(limit);
    let mut tx = db.begin().await?;
    for (i, (campaign, service)) in lanes.iter().enumerate() {
        // service mail takes what it needs; what the lanes before did not use is shared by those after
        let sharers = if *service { 1 } else { lanes.len() - i };
        let share = (limit - claimed.len()).div_ceil(sharers);
        if share == 0 {
            break;
        }
        match best.get(campaign) {
            Some(ids) => {
                let ids = &ids[..share.min(ids.len())];
                claimed.extend(store::claim_these(&mut tx, ids, node, token, now).await?);
            }
            None => {
                let share = i64::try_from(share).unwrap_or(i64::MAX);
                claimed.extend(store::claim(&mut tx, *campaign, node, token, share, now).await?);
            }
        }
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

/// The most engaged of each campaign.
async fn ranked(
    db: &Db,
    lanes: &[(i64, bool)],
    limit: usize,
    now: Timestamp,
) -> Result<HashMap<i64, Vec<i64>>, DbError> {
    let mut best = HashMap::new();
    for (campaign, _) in lanes {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        best.insert(*campaign, store::ranked(&mut &*db, *campaign, limit, now).await?);
    }
    Ok(best)
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

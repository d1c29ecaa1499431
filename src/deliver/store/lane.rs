//! The SQL of lanes: whether a campaign's mail may flow, and what has gone wrong in it.

use crate::args;
use crate::db::{DbError, Query, Tx};
use crate::deliver::lane::{Counts, Lane};
use crate::types::Timestamp;

pub(in crate::deliver) async fn set_lane(
    tx: &mut Tx,
    campaign: i64,
    lane: &Lane,
    now: Timestamp,
) -> Result<(), DbError> {
    let (state, reason) = match lane {
        Lane::Open => ("open", None),
        Lane::Held(reason) => ("held", Some(reason.as_str())),
    };
    let sql = "INSERT INTO lane (campaign_id, state, reason, since) VALUES (?, ?, ?, ?) \
               ON CONFLICT (campaign_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since \
               WHERE lane.reason IS NULL OR lane.reason <> 'cancelled'";
    tx.execute(sql, args![campaign, state, reason, now]).await?;
    if *lane == Lane::Open {
        // whoever opens it has seen what went wrong: it is counted anew
        let sql = "UPDATE lane SET settled = 0, hard = 0, complaints = 0, unrendered = 0 WHERE campaign_id = ?";
        tx.execute(sql, args![campaign]).await?;
    }
    Ok(())
}

pub(in crate::deliver) async fn hold_open(
    tx: &mut Tx,
    campaign: i64,
    reason: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "UPDATE lane SET state = 'held', reason = ?, since = ? WHERE campaign_id = ? AND state = 'open'";
    Ok(tx.execute(sql, args![reason, now, campaign]).await? == 1)
}

pub(in crate::deliver) async fn release(
    tx: &mut Tx,
    campaign: i64,
    reason: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "UPDATE lane SET state = 'open', reason = NULL, since = ?, settled = 0, hard = 0, complaints = 0, unrendered = 0 \
               WHERE campaign_id = ? AND state = 'held' AND reason = ?";
    Ok(tx.execute(sql, args![now, campaign, reason]).await? == 1)
}

/// The lane of a campaign as it stands; open lanes are service or not.
///
/// # Errors
/// What the database says.
pub async fn lane(db: &mut impl Query, campaign: i64) -> Result<Option<Lane>, DbError> {
    let row: Option<(String, Option<String>)> =
        db.optional("SELECT state, reason FROM lane WHERE campaign_id = ?", args![campaign]).await?;
    Ok(row.map(|(state, reason)| Lane::of(&state, reason)))
}

/// Makes the lane of a campaign that has none, open.
///
/// # Errors
/// What the database says.
pub async fn open_lane(tx: &mut Tx, campaign: i64, service: bool, now: Timestamp) -> Result<(), DbError> {
    let sql = "INSERT INTO lane (campaign_id, service, state, since) VALUES (?, ?, 'open', ?) \
               ON CONFLICT (campaign_id) DO UPDATE SET service = excluded.service";
    tx.execute(sql, args![campaign, service, now]).await?;
    Ok(())
}

/// Adds to what has gone wrong, and right, in a campaign's lane.
pub(in crate::deliver) async fn count(tx: &mut Tx, campaign: i64, counts: &Counts) -> Result<(), DbError> {
    let sql = "UPDATE lane SET settled = settled + ?, hard = hard + ?, complaints = complaints + ?, \
               unrendered = unrendered + ? WHERE campaign_id = ?";
    let Counts { settled, hard, complaints, unrendered, .. } = *counts;
    tx.execute(sql, args![settled, hard, complaints, unrendered, campaign]).await?;
    Ok(())
}

/// Campaigns whose lane is open, with what has gone wrong since it was opened: a launch or a resume begins anew.
///
/// # Errors
/// What the database says.
pub async fn open_lane_counts(db: &mut impl Query) -> Result<Vec<(i64, Counts)>, DbError> {
    // what still waits is counted only where it matters
    let sql = "SELECT l.campaign_id, l.settled, l.hard, l.complaints, l.unrendered, CASE WHEN l.unrendered = 0 THEN 0 ELSE \
               (SELECT count(*) FROM message m WHERE m.campaign_id = l.campaign_id \
               AND m.state IN ('queued', 'deferred', 'claimed', 'transmitting')) END \
               FROM lane l JOIN campaign c ON c.id = l.campaign_id \
               WHERE l.state = 'open' AND c.state IN ('running', 'closed')";
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> = db.all(sql, args![]).await?;
    Ok(rows
        .into_iter()
        .map(|(campaign, settled, hard, complaints, unrendered, waiting)| {
            let meant = settled + unrendered + waiting;
            (campaign, Counts { settled, hard, complaints, unrendered, meant })
        })
        .collect())
}

/// Says why the lanes of paused campaigns are held.
///
/// # Errors
/// What the database says.
pub async fn hold_paused(tx: &mut Tx, reason: &str, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE lane SET state = 'held', reason = ?, since = ? \
               WHERE campaign_id IN (SELECT id FROM campaign WHERE state IN ('paused', 'closed'))";
    tx.execute(sql, args![reason, now]).await?;
    Ok(())
}

//! What is live.

use super::super::definition::Tier;
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Tx};
use crate::types::Timestamp;

/// A live reward as it is kept.
pub(in crate::reward) struct LiveRow {
    pub name: String,
    pub kind: String,
    pub definition: String,
    pub hash: String,
    pub currency: String,
    pub since: Timestamp,
}

impl FromRow for LiveRow {
    fn from_row(row: &mut Row<'_>) -> Result<LiveRow, DbError> {
        Ok(LiveRow {
            name: row.take()?,
            kind: row.take()?,
            definition: row.take()?,
            hash: row.take()?,
            currency: row.take()?,
            since: row.take()?,
        })
    }
}

const COLUMNS: &str = "name, kind, definition, hash, currency, live_since";

/// All that are live, by name.
pub(in crate::reward) async fn live(db: &mut impl Query) -> Result<Vec<LiveRow>, DbError> {
    db.all(&format!("SELECT {COLUMNS} FROM reward ORDER BY name"), args![]).await
}

/// One that is live.
pub(in crate::reward) async fn reward(db: &mut impl Query, name: &str) -> Result<Option<LiveRow>, DbError> {
    db.optional(&format!("SELECT {COLUMNS} FROM reward WHERE name = ?"), args![name]).await
}

/// Puts a definition live, or another in its place; since when it is live stays.
pub(in crate::reward) async fn put(tx: &mut Tx, row: &LiveRow) -> Result<(), DbError> {
    let sql = "INSERT INTO reward (name, kind, definition, hash, currency, live_since, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, definition = excluded.definition, \
               hash = excluded.hash, currency = excluded.currency, updated_at = excluded.updated_at";
    tx.execute(sql, args![&row.name, &row.kind, &row.definition, &row.hash, &row.currency, row.since, row.since])
        .await?;
    Ok(())
}

/// Writes a reward's tiers in place of those that it had.
pub(in crate::reward) async fn put_tiers(tx: &mut Tx, name: &str, tiers: &[Tier], within: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM reward_tier WHERE reward = ?", args![name]).await?;
    for tier in tiers {
        let sql = "INSERT INTO reward_tier (reward, name, from_points, within_ms) VALUES (?, ?, ?, ?)";
        tx.execute(sql, args![name, &tier.name, tier.from, within]).await?;
    }
    Ok(())
}

/// Moves a reader of the log back to before what was recorded from `since` on, where it stands behind that.
pub(in crate::reward) async fn forget_after(tx: &mut Tx, cursor: &str, since: i64) -> Result<(), DbError> {
    let sql = "SELECT id FROM event WHERE recorded_at < ? ORDER BY id DESC LIMIT 1";
    let last = tx.optional::<(i64,)>(sql, args![since]).await?.map_or(0, |(id,)| id);
    tx.execute("UPDATE cursor SET position = ? WHERE name = ? AND position > ?", args![last, cursor, last]).await?;
    Ok(())
}

/// Whether any order says what it brought.
pub(in crate::reward) async fn margins_known(db: &mut impl Query) -> Result<bool, DbError> {
    let sql = "SELECT event_id FROM purchase WHERE margin IS NOT NULL LIMIT 1";
    Ok(db.optional::<(i64,)>(sql, args![]).await?.is_some())
}

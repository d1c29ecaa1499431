//! Redemptions by the shop's key.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Tx};
use crate::types::Timestamp;

/// A redemption that was taken.
pub(in crate::reward) struct Known {
    pub content: String,
    pub points: i64,
    pub cost: i64,
    pub balance: i64,
}

impl FromRow for Known {
    fn from_row(row: &mut Row<'_>) -> Result<Known, DbError> {
        Ok(Known { content: row.take()?, points: row.take()?, cost: row.take()?, balance: row.take()? })
    }
}

/// What was taken under a key.
pub(in crate::reward) async fn by_key(db: &mut impl Query, key: &str) -> Result<Option<Known>, DbError> {
    db.optional("SELECT content, points, cost, balance FROM reward_redemption WHERE key = ?", args![key]).await
}

/// Writes a redemption; false when another transaction took the key.
pub(in crate::reward) async fn insert(
    tx: &mut Tx,
    id: i64,
    (key, customer, reward): (&str, i64, &str),
    known: &Known,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO reward_redemption (id, key, content, customer_id, reward, points, cost, balance, at, recorded_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING";
    let args = args![id, key, &known.content, customer, reward, known.points, known.cost, known.balance, at, now];
    Ok(tx.execute(sql, args).await? == 1)
}

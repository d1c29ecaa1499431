//! What others read of the ledger.

use super::super::lot::Amounts;
use super::{CHUNK, amounts, ints};
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows};
use crate::reward::{Attached, Entry, Kind, Liability, Sum};

impl FromRow for Attached {
    fn from_row(row: &mut Row<'_>) -> Result<Attached, DbError> {
        Ok(Attached {
            message: row.take()?,
            lot: row.take()?,
            reward: row.take()?,
            points: row.take()?,
            coupon: row.take()?,
            expires_at: row.take()?,
        })
    }
}

/// What hangs on these mails and was not taken back.
pub(in crate::reward) async fn attached(db: &mut impl Query, messages: &[i64]) -> Result<Vec<Attached>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT l.message_id, l.id, l.reward, l.granted - l.reversed, l.coupon, l.expires_at \
               FROM input CROSS JOIN reward_lot l WHERE l.message_id = input.k AND l.granted > l.reversed ORDER BY l.id";
    let mut all = Vec::new();
    for chunk in Rows::pieces(messages, CHUNK) {
        all.extend(db.all_with_rows::<Attached>(sql, ints(chunk), args![]).await?);
    }
    Ok(all)
}

/// Of each open lot of these customers: customer, reward, pending, active, when it expires.
pub(in crate::reward) type Open = (i64, String, i64, i64, Option<i64>);

/// The open lots of these customers.
pub(in crate::reward) async fn open(db: &mut impl Query, customers: &[i64]) -> Result<Vec<Open>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT l.customer_id, l.reward, l.pending, l.active, l.expires_at FROM input \
               JOIN reward_lot l ON l.customer_id = input.k WHERE (l.pending <> 0 OR l.active <> 0)";
    let mut all = Vec::new();
    for chunk in Rows::pieces(customers, CHUNK) {
        all.extend(db.all_with_rows::<Open>(sql, ints(chunk), args![]).await?);
    }
    Ok(all)
}

/// What the open points of a reward would cost, and how many there are.
pub(in crate::reward) async fn liability(db: &mut impl Query, reward: &str) -> Result<Liability, DbError> {
    let sql = "SELECT CAST(COALESCE(sum(pending), 0) AS BIGINT), CAST(COALESCE(sum(active), 0) AS BIGINT), \
               CAST(COALESCE(sum(pending * unit), 0) AS BIGINT), CAST(COALESCE(sum(active * unit), 0) AS BIGINT) \
               FROM reward_lot WHERE reward = ? AND (pending <> 0 OR active <> 0)";
    let (pending_points, active_points, pending, active): (i64, i64, i64, i64) = db.one(sql, args![reward]).await?;
    Ok(Liability { pending, active, pending_points, active_points })
}

/// What grants of the rules that begin with a prefix came to.
pub(in crate::reward) async fn granted(db: &mut impl Query, prefix: &str) -> Result<Sum, DbError> {
    let sql = "SELECT count(*), CAST(COALESCE(sum(granted), 0) AS BIGINT), CAST(COALESCE(sum(granted * unit), 0) AS BIGINT), \
               CAST(COALESCE(sum(reversed), 0) AS BIGINT), CAST(COALESCE(sum(reversed * unit), 0) AS BIGINT), \
               CAST(COALESCE(sum(spent), 0) AS BIGINT), CAST(COALESCE(sum(spent * unit), 0) AS BIGINT), \
               CAST(COALESCE(sum(expired), 0) AS BIGINT), CAST(COALESCE(sum(CASE WHEN spent > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) \
               FROM reward_lot WHERE rule >= ? AND rule < ?";
    // the last character of all stands behind whatever goes on after the prefix
    let row: (i64, i64, i64, i64, i64, i64, i64, i64, i64) =
        db.one(sql, args![prefix, format!("{prefix}{}", char::MAX)]).await?;
    let (count, points, cost, reversed, reversed_cost, spent, spent_cost, expired, used) = row;
    Ok(Sum { count, points, cost, reversed, reversed_cost, spent, spent_cost, expired, used })
}

impl FromRow for Entry {
    fn from_row(row: &mut Row<'_>) -> Result<Entry, DbError> {
        let (id, at) = (row.take()?, row.take()?);
        let kind: String = row.take()?;
        Ok(Entry {
            id,
            at,
            kind: Kind::of(&kind).ok_or(DbError::Shape(kind))?,
            reward: row.take()?,
            lot: row.take()?,
            by: amounts(row)?,
            cost: row.take()?,
            rule: row.take()?,
            period: row.take()?,
            coupon: row.take()?,
            expires_at: row.take()?,
            message: row.take()?,
            redemption: row.take()?,
        })
    }
}

/// A customer's lines of a reward, the oldest first, and what they add up to in the balance.
pub(in crate::reward) async fn entries(
    db: &mut impl Query,
    customer: i64,
    reward: &str,
) -> Result<(Vec<Entry>, Amounts), DbError> {
    let sql = "SELECT e.id, e.at, e.kind, e.reward, e.lot_id, e.granted, e.pending, e.active, e.spent, e.expired, e.reversed, \
               e.cost, l.rule, l.period, l.coupon, l.expires_at, l.message_id, r.key FROM reward_entry e \
               JOIN reward_lot l ON l.id = e.lot_id LEFT JOIN reward_redemption r ON r.id = e.redemption_id \
               WHERE e.customer_id = ? AND e.reward = ? ORDER BY e.id";
    let lines = db.all(sql, args![customer, reward]).await?;
    let sql = "SELECT granted, pending, active, spent, expired, reversed FROM reward_balance WHERE customer_id = ? AND reward = ?";
    type Row6 = (i64, i64, i64, i64, i64, i64);
    let found: Option<Row6> = db.optional(sql, args![customer, reward]).await?;
    let balance = found.map(|(granted, pending, active, spent, expired, reversed)| Amounts {
        granted,
        pending,
        active,
        spent,
        expired,
        reversed,
    });
    Ok((lines, balance.unwrap_or_default()))
}

/// How often a reward was redeemed, and what that came to.
pub(in crate::reward) async fn redemptions(db: &mut impl Query, reward: &str) -> Result<(i64, i64), DbError> {
    let sql = "SELECT count(*), CAST(COALESCE(sum(cost), 0) AS BIGINT) FROM reward_redemption WHERE reward = ?";
    db.one(sql, args![reward]).await
}

//! Orders as they stand, and the lots that they earned.

use super::super::lot::Lot;
use super::{CHUNK, by, ints};
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows};
use crate::types::Timestamp;

/// An order, as far as points go.
pub(in crate::reward) struct OrderRow {
    pub event: i64,
    pub customer: i64,
    pub at: Timestamp,
    pub amount: i64,
    pub refunded: i64,
    pub currency: String,
    pub status: String,
    /// The customer was erased.
    pub erased: bool,
}

impl FromRow for OrderRow {
    fn from_row(row: &mut Row<'_>) -> Result<OrderRow, DbError> {
        Ok(OrderRow {
            event: row.take()?,
            customer: row.take()?,
            at: row.take()?,
            amount: row.take()?,
            refunded: row.take()?,
            currency: row.take()?,
            status: row.take()?,
            erased: row.take()?,
        })
    }
}

/// These orders as they stand now, by event.
pub(in crate::reward) async fn orders(db: &mut impl Query, events: &[i64]) -> Result<Vec<OrderRow>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT p.event_id, p.customer_id, p.at, p.amount, p.refunded, p.currency, p.status, \
               CAST(CASE WHEN c.erased_at IS NULL THEN 0 ELSE 1 END AS BIGINT) \
               FROM input CROSS JOIN purchase p CROSS JOIN customer c WHERE p.event_id = input.k AND c.id = p.customer_id ORDER BY p.event_id";
    let mut all = Vec::new();
    for chunk in Rows::pieces(events, CHUNK) {
        all.extend(db.all_with_rows::<OrderRow>(sql, ints(chunk), args![]).await?);
    }
    Ok(all)
}

/// The lots that these orders earned.
pub(in crate::reward) async fn lots_of(db: &mut impl Query, orders: &[i64]) -> Result<Vec<Lot>, DbError> {
    by(db, orders, "order_id").await
}

/// Orders whose pending points count as confirmed by now, at most `limit`.
pub(in crate::reward) async fn due_to_confirm(db: &mut impl Query, now: i64, limit: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT order_id FROM reward_lot WHERE confirm_at <= ? AND pending > 0 AND order_id IS NOT NULL \
               ORDER BY confirm_at LIMIT ?";
    Ok(db.all::<(i64,)>(sql, args![now, limit]).await?.into_iter().map(|(id,)| id).collect())
}

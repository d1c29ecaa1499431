//! The SQL of the reward stage, one text for both databases: accounts and lots here, what bounds grants in `bounds.rs`,
//! orders in `orders.rs`, what is live in `live.rs`, coupons in `coupons.rs`, redemptions in `redemptions.rs`, what others
//! read in `look.rs`.

mod bounds;
mod coupons;
mod live;
mod look;
mod orders;
mod redemptions;
mod write;

pub(super) use bounds::{budget_now, budget_used, earned, give_back, granted_cost, living, margins, reserve};
pub(super) use coupons::{add, count_free, coupon, free, free_again, give};
pub(super) use live::{LiveRow, forget_after, live, margins_known, put, put_tiers, reward};
pub(super) use look::{attached, entries, granted, liability, open, redemptions};
pub(super) use orders::{OrderRow, due_to_confirm, lots_of, orders};
pub(super) use redemptions::{Known, by_key, insert};
pub(super) use write::{attach, insert_lines, insert_lots, move_balances, set_confirm, update_lots};

use super::lot::{Amounts, Lot};
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};

/// Rows a statement.
const CHUNK: usize = 512;

const LOT: &str = "l.id, l.customer_id, l.reward, l.rule, l.period, l.granted, l.pending, l.active, l.spent, l.expired, \
     l.reversed, l.moves, l.unit, l.budget, l.rate, l.order_id, l.message_id, l.coupon, l.granted_at, l.expires_at, l.confirm_at";

pub(super) fn amounts(row: &mut Row<'_>) -> Result<Amounts, DbError> {
    Ok(Amounts {
        granted: row.take()?,
        pending: row.take()?,
        active: row.take()?,
        spent: row.take()?,
        expired: row.take()?,
        reversed: row.take()?,
    })
}

impl FromRow for Lot {
    fn from_row(row: &mut Row<'_>) -> Result<Lot, DbError> {
        Ok(Lot {
            id: row.take()?,
            customer: row.take()?,
            reward: row.take()?,
            rule: row.take()?,
            period: row.take()?,
            amounts: amounts(row)?,
            moves: row.take()?,
            unit: row.take()?,
            budget: row.take()?,
            rate: row.take()?,
            order: row.take()?,
            message: row.take()?,
            coupon: row.take()?,
            granted_at: row.take()?,
            expires_at: row.take()?,
            confirm_at: row.take()?,
        })
    }
}

pub(super) fn ints(chunk: &[i64]) -> Rows {
    let mut rows = Rows::new(&[Type::Int]);
    chunk.iter().for_each(|id| rows.push(args![*id]));
    rows
}

fn pairs(chunk: &[(i64, String)]) -> Rows {
    let mut rows = Rows::new(&[Type::Int, Type::Text]);
    chunk.iter().for_each(|(id, text)| rows.push(args![*id, text]));
    rows
}

/// Makes sure that these accounts are there, and holds them to the end of the transaction; in order, so that two
/// transactions do not wait for each other.
pub(super) async fn hold(tx: &mut Tx, accounts: &[(i64, String)]) -> Result<(), DbError> {
    let insert = "WITH input(c, w) AS ({rows}) INSERT INTO reward_balance (customer_id, reward) SELECT c, w FROM input \
                  WHERE true ON CONFLICT (customer_id, reward) DO NOTHING";
    let lock = format!(
        "WITH input(c, w) AS ({{rows}}) SELECT b.customer_id FROM input CROSS JOIN reward_balance b \
         WHERE b.customer_id = input.c AND b.reward = input.w ORDER BY b.customer_id, b.reward {}",
        match tx.dialect().for_update() {
            "" => "",
            _ => "FOR UPDATE OF b",
        }
    );
    for chunk in Rows::pieces(accounts, CHUNK) {
        tx.execute_rows(insert, pairs(chunk), args![]).await?;
        tx.all_with_rows::<(i64,)>(&lock, pairs(chunk), args![]).await?;
    }
    Ok(())
}

/// The lots of these accounts in which anything can move by itself.
pub(super) async fn open_lots(tx: &mut Tx, accounts: &[(i64, String)]) -> Result<Vec<Lot>, DbError> {
    let sql = format!(
        "WITH input(c, w) AS ({{rows}}) SELECT {LOT} FROM input JOIN reward_lot l ON l.customer_id = input.c \
         AND l.reward = input.w WHERE (l.pending <> 0 OR l.active <> 0)"
    );
    let mut all = Vec::new();
    for chunk in Rows::pieces(accounts, CHUNK) {
        all.extend(tx.all_with_rows::<Lot>(&sql, pairs(chunk), args![]).await?);
    }
    Ok(all)
}

async fn by(db: &mut impl Query, ids: &[i64], column: &str) -> Result<Vec<Lot>, DbError> {
    let sql = format!(
        "WITH input(k) AS ({{rows}}) SELECT {LOT} FROM input CROSS JOIN reward_lot l WHERE l.{column} = input.k ORDER BY l.id"
    );
    let mut all = Vec::new();
    for chunk in Rows::pieces(ids, CHUNK) {
        all.extend(db.all_with_rows::<Lot>(&sql, ints(chunk), args![]).await?);
    }
    Ok(all)
}

/// Lots by id.
pub(super) async fn lots(db: &mut impl Query, ids: &[i64]) -> Result<Vec<Lot>, DbError> {
    by(db, ids, "id").await
}

/// The lots that hang on these mails: one statement for up to 512 of them.
pub(super) async fn lots_of_messages(db: &mut impl Query, messages: &[i64]) -> Result<Vec<Lot>, DbError> {
    let sql = format!(
        "WITH input(k) AS ({{rows}}) SELECT {LOT} FROM reward_lot l WHERE l.message_id IN (SELECT k FROM input) ORDER BY l.id"
    );
    let mut all = Vec::new();
    for chunk in messages.chunks(CHUNK) {
        // filled up with the last to a power of two: there are few statements to compile
        let mut filled = chunk.to_vec();
        filled.resize(chunk.len().next_power_of_two(), chunk.last().copied().unwrap_or(0));
        all.extend(db.all_with_rows::<Lot>(&sql, ints(&filled), args![]).await?);
    }
    Ok(all)
}

/// The lots of these grants, where they were made before.
pub(super) async fn lots_of_grants(tx: &mut Tx, grants: &[(i64, String, String)]) -> Result<Vec<Lot>, DbError> {
    let sql = format!(
        "WITH input(c, r, p) AS ({{rows}}) SELECT {LOT} FROM input JOIN reward_lot l ON l.customer_id = input.c \
         AND l.rule = input.r AND l.period = input.p"
    );
    let mut all = Vec::new();
    for chunk in Rows::pieces(grants, CHUNK) {
        let mut rows = Rows::new(&[Type::Int, Type::Text, Type::Text]);
        chunk.iter().for_each(|(c, r, p)| rows.push(args![*c, r, p]));
        all.extend(tx.all_with_rows::<Lot>(&sql, rows, args![]).await?);
    }
    Ok(all)
}

/// Lots of which something is left though their time is over, at most `limit`.
pub(super) async fn due(db: &mut impl Query, now: i64, limit: i64) -> Result<Vec<i64>, DbError> {
    let sql =
        "SELECT id FROM reward_lot WHERE expires_at <= ? AND (pending > 0 OR active > 0) ORDER BY expires_at LIMIT ?";
    Ok(db.all::<(i64,)>(sql, args![now, limit]).await?.into_iter().map(|(id,)| id).collect())
}

/// Pending lots with mails, after a lot: the lot, its mail, and what became of the mail.
pub(super) async fn waiting(
    db: &mut impl Query,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, i64, Option<String>)>, DbError> {
    let sql = "SELECT l.id, l.message_id, m.state FROM reward_lot l LEFT JOIN message m ON m.id = l.message_id \
               WHERE l.pending > 0 AND l.message_id IS NOT NULL AND l.id > ? ORDER BY l.id LIMIT ?";
    db.all(sql, args![after, limit]).await
}

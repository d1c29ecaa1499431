//! Writing lots, lines and balances.

use super::super::lot::{Amounts, Line, Lot};
use super::CHUNK;
use crate::args;
use crate::db::{DbError, Rows, Tx, Type};
use std::collections::BTreeMap;

const INT: Type = Type::Int;
const TEXT: Type = Type::Text;

/// Writes new lots, which have their ids.
pub(in crate::reward) async fn insert_lots(
    tx: &mut Tx,
    lots: &[&Lot],
    lines: &BTreeMap<i64, i64>,
) -> Result<(), DbError> {
    const NAMES: &str = "id, customer_id, reward, rule, period, granted, pending, active, spent, expired, reversed, moves, unit, \
         budget, rate, order_id, message_id, coupon, granted_at, expires_at, confirm_at";
    let sql = format!("WITH input({NAMES}) AS ({{rows}}) INSERT INTO reward_lot ({NAMES}) SELECT {NAMES} FROM input");
    for chunk in Rows::pieces(lots, CHUNK) {
        let mut rows = Rows::new(&[
            INT, INT, TEXT, TEXT, TEXT, INT, INT, INT, INT, INT, INT, INT, INT, TEXT, INT, INT, INT, TEXT, INT, INT,
            INT,
        ]);
        for lot in chunk {
            let a = &lot.amounts;
            rows.push(args![
                lot.id,
                lot.customer,
                &lot.reward,
                &lot.rule,
                &lot.period,
                a.granted,
                a.pending,
                a.active,
                a.spent,
                a.expired,
                a.reversed,
                lines.get(&lot.id).copied().unwrap_or(0),
                lot.unit,
                &lot.budget,
                lot.rate,
                lot.order,
                lot.message,
                lot.coupon.as_deref(),
                lot.granted_at,
                lot.expires_at,
                lot.confirm_at,
            ]);
        }
        tx.execute_rows(&sql, rows, args![]).await?;
    }
    Ok(())
}

/// Writes where lots stand, each with the number of lines that it has now; gives how many were as they were loaded.
pub(in crate::reward) async fn update_lots(
    tx: &mut Tx,
    lots: &[&Lot],
    lines: &BTreeMap<i64, i64>,
) -> Result<u64, DbError> {
    let sql = "WITH input(id, p, a, s, x, r, g, was, now, coupon) AS ({rows}) UPDATE reward_lot SET pending = input.p, \
               active = input.a, spent = input.s, expired = input.x, reversed = input.r, granted = input.g, \
               moves = input.now, coupon = input.coupon FROM input \
               WHERE reward_lot.id = input.id AND reward_lot.moves = input.was";
    let mut changed = 0;
    for chunk in Rows::pieces(lots, CHUNK) {
        let mut rows = Rows::new(&[INT, INT, INT, INT, INT, INT, INT, INT, INT, TEXT]);
        for lot in chunk {
            let (a, new) = (&lot.amounts, lines.get(&lot.id).copied().unwrap_or(0));
            rows.push(args![
                lot.id,
                a.pending,
                a.active,
                a.spent,
                a.expired,
                a.reversed,
                a.granted,
                lot.moves,
                lot.moves + new,
                lot.coupon.as_deref(),
            ]);
        }
        changed += tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(changed)
}

/// Writes when pending orders count as confirmed.
pub(in crate::reward) async fn set_confirm(tx: &mut Tx, lots: &[(i64, Option<i64>)]) -> Result<(), DbError> {
    let sql = "WITH input(id, at) AS ({rows}) UPDATE reward_lot SET confirm_at = input.at FROM input WHERE reward_lot.id = input.id";
    for chunk in Rows::pieces(lots, CHUNK) {
        let mut rows = Rows::new(&[INT, INT]);
        chunk.iter().for_each(|(id, at)| rows.push(args![*id, *at]));
        tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(())
}

/// Hangs lots on mails, where they hang on none; gives how many.
pub(in crate::reward) async fn attach(tx: &mut Tx, lots: &[(i64, i64)]) -> Result<u64, DbError> {
    let sql = "WITH input(id, m) AS ({rows}) UPDATE reward_lot SET message_id = input.m FROM input \
               WHERE reward_lot.id = input.id AND reward_lot.message_id IS NULL";
    let mut all = 0;
    for chunk in Rows::pieces(lots, CHUNK) {
        let mut rows = Rows::new(&[INT, INT]);
        chunk.iter().for_each(|(id, message)| rows.push(args![*id, *message]));
        all += tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(all)
}

/// Appends lines, in their order.
pub(in crate::reward) async fn insert_lines(
    tx: &mut Tx,
    lines: &[Line],
    lots: &BTreeMap<i64, Lot>,
    now: i64,
) -> Result<(), DbError> {
    let sql = "WITH input(n, c, w, l, k, g, p, a, s, x, r, cost, b, e) AS ({rows}) INSERT INTO reward_entry (customer_id, \
               reward, lot_id, kind, granted, pending, active, spent, expired, reversed, cost, budget, redemption_id, at) \
               SELECT c, w, l, k, g, p, a, s, x, r, cost, b, e, CAST(? AS BIGINT) FROM input ORDER BY n";
    for chunk in Rows::pieces(lines, CHUNK) {
        let mut rows = Rows::new(&[INT, INT, TEXT, INT, TEXT, INT, INT, INT, INT, INT, INT, INT, TEXT, INT]);
        for (n, line) in (0_i64..).zip(chunk) {
            let Some(lot) = lots.get(&line.lot) else { continue };
            let by = &line.by;
            rows.push(args![
                n,
                lot.customer,
                &lot.reward,
                lot.id,
                line.kind.name(),
                by.granted,
                by.pending,
                by.active,
                by.spent,
                by.expired,
                by.reversed,
                line.cost,
                &lot.budget,
                line.redemption,
            ]);
        }
        tx.execute_rows(sql, rows, args![now]).await?;
    }
    Ok(())
}

/// Moves the balances of accounts that are held.
pub(in crate::reward) async fn move_balances(
    tx: &mut Tx,
    moves: &BTreeMap<(i64, String), Amounts>,
) -> Result<(), DbError> {
    let sql = "WITH input(c, w, g, p, a, s, x, r) AS ({rows}) UPDATE reward_balance SET granted = granted + input.g, \
               pending = pending + input.p, active = active + input.a, spent = spent + input.s, \
               expired = expired + input.x, reversed = reversed + input.r FROM input \
               WHERE reward_balance.customer_id = input.c AND reward_balance.reward = input.w";
    let moves: Vec<_> = moves.iter().collect();
    for chunk in Rows::pieces(&moves, CHUNK) {
        let mut rows = Rows::new(&[INT, TEXT, INT, INT, INT, INT, INT, INT]);
        for ((customer, reward), by) in chunk {
            rows.push(args![*customer, reward, by.granted, by.pending, by.active, by.spent, by.expired, by.reversed]);
        }
        tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(())
}

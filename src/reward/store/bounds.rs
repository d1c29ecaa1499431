//! What bounds grants: budgets, and what a customer's orders brought against what their grants cost.

use super::{CHUNK, ints};
use crate::args;
use crate::db::{DbError, Query, Rows, Tx};
use crate::event::purchase::net_margin;
use std::collections::{HashMap, HashSet};

/// What of a period's budget is used. In a transaction its row is made and held, so that no two grants see the same room.
pub(in crate::reward) async fn budget_used(tx: &mut Tx, reward: &str, period: &str) -> Result<i64, DbError> {
    let sql = "INSERT INTO reward_budget (reward, period) VALUES (?, ?) ON CONFLICT (reward, period) DO NOTHING";
    tx.execute(sql, args![reward, period]).await?;
    let sql = format!("SELECT used FROM reward_budget WHERE reward = ? AND period = ? {}", tx.dialect().for_update());
    Ok(tx.one::<(i64,)>(&sql, args![reward, period]).await?.0)
}

/// The same for those who only read.
pub(in crate::reward) async fn budget_now(db: &mut impl Query, reward: &str, period: &str) -> Result<i64, DbError> {
    let sql = "SELECT used FROM reward_budget WHERE reward = ? AND period = ?";
    Ok(db.optional::<(i64,)>(sql, args![reward, period]).await?.map_or(0, |(used,)| used))
}

/// Takes `cost` out of a budget, when it holds so much; true: taken.
pub(in crate::reward) async fn reserve(
    tx: &mut Tx,
    (reward, period): (&str, &str),
    cost: i64,
    limit: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE reward_budget SET used = used + ? WHERE reward = ? AND period = ? AND used + ? <= ?";
    Ok(tx.execute(sql, args![cost, reward, period, cost, limit]).await? == 1)
}

/// Gives `cost` back to a budget.
pub(in crate::reward) async fn give_back(tx: &mut Tx, reward: &str, period: &str, cost: i64) -> Result<(), DbError> {
    let sql = "UPDATE reward_budget SET used = used - ? WHERE reward = ? AND period = ?";
    tx.execute(sql, args![cost, reward, period]).await?;
    Ok(())
}

async fn sums(
    db: &mut impl Query,
    customers: &[i64],
    sql: &str,
    rest: crate::db::Args,
) -> Result<HashMap<i64, i64>, DbError> {
    let mut all = HashMap::new();
    for chunk in Rows::pieces(customers, CHUNK) {
        all.extend(db.all_with_rows::<(i64, i64)>(sql, ints(chunk), rest.clone()).await?);
    }
    Ok(all)
}

/// What the orders of these customers brought since a moment: margins in the site's currency, a part refund taking its
/// share along, cancelled and returned orders nothing.
pub(in crate::reward) async fn margins(
    db: &mut impl Query,
    customers: &[i64],
    currency: &str,
    since: i64,
    until: i64,
) -> Result<HashMap<i64, i64>, DbError> {
    let sql = format!(
        "WITH input(k) AS ({{rows}}) SELECT p.customer_id, sum({margin}) \
         FROM input JOIN purchase p ON p.customer_id = input.k WHERE p.margin IS NOT NULL AND p.currency = ? AND p.at > ? \
         AND p.at <= ? AND p.status NOT IN ('cancelled', 'returned') GROUP BY p.customer_id",
        margin = net_margin(db, "p"),
    );
    let mut all = HashMap::new();
    for chunk in Rows::pieces(customers, CHUNK) {
        let found: Vec<(i64, f64)> = db.all_with_rows(&sql, ints(chunk), args![currency, since, until]).await?;
        // whole units: a fraction of one buys nothing
        all.extend(found.into_iter().map(|(customer, margin)| (customer, margin.floor() as i64)));
    }
    Ok(all)
}

/// What the grants of a reward to these customers cost since a moment, less what of them was taken back.
pub(in crate::reward) async fn granted_cost(
    db: &mut impl Query,
    customers: &[i64],
    reward: &str,
    since: i64,
) -> Result<HashMap<i64, i64>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT l.customer_id, CAST(sum((l.granted - l.reversed) * l.unit) AS BIGINT) \
               FROM input JOIN reward_lot l ON l.customer_id = input.k WHERE l.reward = ? AND l.granted_at > ? \
               GROUP BY l.customer_id";
    sums(db, customers, sql, args![reward, since]).await
}

/// What these customers have earned since a moment: granted, less what is pending or was taken back.
pub(in crate::reward) async fn earned(
    db: &mut impl Query,
    customers: &[i64],
    reward: &str,
    since: i64,
) -> Result<HashMap<i64, i64>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT l.customer_id, CAST(sum(l.granted - l.reversed - l.pending) AS BIGINT) \
               FROM input JOIN reward_lot l ON l.customer_id = input.k WHERE l.reward = ? AND l.granted_at > ? \
               GROUP BY l.customer_id";
    sums(db, customers, sql, args![reward, since]).await
}

/// Those of these customers who are there and not erased.
pub(in crate::reward) async fn living(db: &mut impl Query, customers: &[i64]) -> Result<HashSet<i64>, DbError> {
    let sql =
        "WITH input(k) AS ({rows}) SELECT c.id FROM input JOIN customer c ON c.id = input.k WHERE c.erased_at IS NULL";
    let mut all = HashSet::new();
    for chunk in Rows::pieces(customers, CHUNK) {
        let found: Vec<(i64,)> = db.all_with_rows(sql, ints(chunk), args![]).await?;
        all.extend(found.into_iter().map(|(id,)| id));
    }
    Ok(all)
}

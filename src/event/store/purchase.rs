//! The present state of each order that the log tells of. The log says "paid, then returned", this says "returned".
//! Written in the transaction that appends the events, so the two cannot part.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const CHUNK: usize = 512;

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each name is the status")]
pub enum Status {
    Paid,
    Shipped,
    Delivered,
    Confirmed,
    Cancelled,
    Returned,
}

const STATUS: [(&str, Status); 6] = [
    ("paid", Status::Paid),
    ("shipped", Status::Shipped),
    ("delivered", Status::Delivered),
    ("confirmed", Status::Confirmed),
    ("cancelled", Status::Cancelled),
    ("returned", Status::Returned),
];

impl Status {
    /// Its name in the database and in files.
    pub fn name(self) -> &'static str {
        STATUS.iter().find(|(_, status)| *status == self).map_or("", |(name, _)| name)
    }
    /// The status of a name.
    pub fn of(name: &str) -> Option<Status> {
        STATUS.iter().find(|(n, _)| *n == name).map(|(_, status)| *status)
    }
    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        STATUS.iter().map(|(name, _)| *name)
    }
}

/// An order as it is now. Amounts are in minor units of `currency`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each name is the column")]
pub struct Purchase {
    /// The order event that opened it; 0 before it is appended.
    pub event: i64,
    pub key: String,
    pub customer: i64,
    pub at: Timestamp,
    pub amount: i64,
    pub currency: Currency,
    pub margin: Option<i64>,
    pub discount: Option<i64>,
    pub refunded: i64,
    pub status: Status,
    pub batch: Option<i64>,
}

/// A thing that was bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each name is the column")]
pub struct Item {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub category: Option<String>,
    pub quantity: f64,
    pub amount: Option<i64>,
}

impl FromRow for Purchase {
    fn from_row(row: &mut Row<'_>) -> Result<Purchase, DbError> {
        Ok(Purchase {
            event: row.take()?,
            key: row.take()?,
            customer: row.take()?,
            at: row.take()?,
            amount: row.take()?,
            currency: row.take::<String>()?.parse().map_err(DbError::Shape)?,
            margin: row.take()?,
            discount: row.take()?,
            refunded: row.take()?,
            status: row.take::<String>().map(|name| Status::of(&name).ok_or(DbError::Shape(name)))??,
            batch: row.take()?,
        })
    }
}

/// SQL: what is left of the margin of the order `p`, as a real number: a part refund takes its share along. NULL where no
/// margin is known. One text for the ceiling of rewards and the reports of campaigns.
pub fn net_margin(db: &impl Query, p: &str) -> String {
    let real = |expression: &str| db.dialect().real(expression);
    let margin = real(&format!("{p}.margin"));
    let net = real(&format!("CASE WHEN {p}.refunded > {p}.amount THEN 0 ELSE {p}.amount - {p}.refunded END"));
    let amount = real(&format!("{p}.amount"));
    format!("CASE WHEN {p}.amount > 0 AND {p}.refunded > 0 THEN {margin} * {net} / {amount} ELSE {margin} END")
}

const NAMES: &str =
    "event_id, order_key, customer_id, at, amount, currency, margin, discount, refunded, status, batch_id";
const TYPES: &[Type] = &[
    Type::Int,
    Type::Text,
    Type::Int,
    Type::Int,
    Type::Int,
    Type::Text,
    Type::Int,
    Type::Int,
    Type::Int,
    Type::Text,
    Type::Int,
];

fn rows(purchases: &[&Purchase]) -> Rows {
    let mut rows = Rows::new(TYPES);
    for p in purchases {
        rows.push(args![
            p.event,
            &p.key,
            p.customer,
            p.at,
            p.amount,
            p.currency.code(),
            p.margin,
            p.discount,
            p.refunded,
            p.status.name(),
            p.batch,
        ]);
    }
    rows
}

/// The orders of these keys that are known.
///
/// # Errors
/// What the database says.
pub async fn by_keys(tx: &mut Tx, keys: &[&str]) -> Result<HashMap<String, Purchase>, DbError> {
    let sql =
        format!("WITH input(k) AS ({{rows}}) SELECT {NAMES} FROM purchase WHERE order_key IN (SELECT k FROM input)");
    let mut all = HashMap::with_capacity(keys.len());
    for chunk in Rows::pieces(keys, CHUNK) {
        let found: Vec<Purchase> = tx.all_with_rows(&sql, Rows::texts(chunk), args![]).await?;
        all.extend(found.into_iter().map(|purchase| (purchase.key.clone(), purchase)));
    }
    Ok(all)
}

/// The orders of these events.
///
/// # Errors
/// What the database says.
pub async fn by_events(tx: &mut Tx, events: &[i64]) -> Result<HashMap<i64, Purchase>, DbError> {
    let sql =
        format!("WITH input(k) AS ({{rows}}) SELECT {NAMES} FROM purchase WHERE event_id IN (SELECT k FROM input)");
    let mut all = HashMap::with_capacity(events.len());
    for chunk in Rows::pieces(events, CHUNK) {
        let found: Vec<Purchase> = tx.all_with_rows(&sql, Rows::ids(chunk), args![]).await?;
        all.extend(found.into_iter().map(|purchase| (purchase.event, purchase)));
    }
    Ok(all)
}

/// The next orders that import `batch` opened and that stand, after event `after`.
///
/// # Errors
/// What the database says.
pub async fn of_batch(tx: &mut Tx, batch: i64, after: i64, limit: i64) -> Result<Vec<Purchase>, DbError> {
    let sql = format!("SELECT {NAMES} FROM purchase WHERE batch_id = ? AND event_id > ? ORDER BY event_id LIMIT ?");
    tx.all(&sql, args![batch, after, limit]).await
}

/// Takes orders and what was bought in them away, as if they had never been; in the transaction that appends the
/// corrections which say so. Their events stay in the log and give up their keys, so that the orders can come again.
///
/// # Errors
/// What the database says.
pub async fn take_back(tx: &mut Tx, events: &[i64]) -> Result<(), DbError> {
    for chunk in Rows::pieces(events, CHUNK) {
        for change in [
            "DELETE FROM order_item WHERE event_id",
            "DELETE FROM purchase WHERE event_id",
            "UPDATE event SET dedupe_key = 'undone:' || CAST(id AS TEXT) WHERE id",
        ] {
            let sql = format!("WITH input(k) AS ({{rows}}) {change} IN (SELECT k FROM input)");
            tx.execute_rows(&sql, Rows::ids(chunk), args![]).await?;
        }
    }
    Ok(())
}

/// Those of these orders' events that were taken back.
///
/// # Errors
/// What the database says.
pub async fn gone(tx: &mut Tx, events: &[i64]) -> Result<Vec<i64>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT e.id FROM input JOIN event e ON e.id = input.k WHERE e.dedupe_key LIKE 'undone:%'";
    let mut all = Vec::new();
    for chunk in Rows::pieces(events, CHUNK) {
        all.extend(tx.all_with_rows::<(i64,)>(sql, Rows::ids(chunk), args![]).await?.into_iter().map(|(id,)| id));
    }
    Ok(all)
}

/// Writes new orders, whose events are appended.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, purchases: &[&Purchase], now: Timestamp) -> Result<(), DbError> {
    let sql = format!(
        "WITH input({NAMES}) AS ({{rows}}) INSERT INTO purchase ({NAMES}, updated_at) SELECT {NAMES}, CAST(? AS BIGINT) FROM input"
    );
    for chunk in Rows::pieces(purchases, CHUNK) {
        tx.execute_rows(&sql, rows(chunk), args![now]).await?;
    }
    Ok(())
}

/// Writes what has changed of known orders; their customer, key and batch never do.
///
/// # Errors
/// What the database says.
pub async fn update(tx: &mut Tx, purchases: &[&Purchase], now: Timestamp) -> Result<(), DbError> {
    let sql = format!(
        "WITH input({NAMES}) AS ({{rows}}) UPDATE purchase SET at = input.at, amount = input.amount, currency = input.currency, \
         margin = input.margin, discount = input.discount, refunded = input.refunded, status = input.status, updated_at = ? \
         FROM input WHERE purchase.event_id = input.event_id"
    );
    for chunk in Rows::pieces(purchases, CHUNK) {
        tx.execute_rows(&sql, rows(chunk), args![now]).await?;
    }
    Ok(())
}

/// What was bought in each of these orders.
///
/// # Errors
/// What the database says.
pub async fn items(db: &mut impl Query, events: &[i64]) -> Result<HashMap<i64, Vec<Item>>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT event_id, sku, name, category, quantity, amount FROM order_item \
               WHERE event_id IN (SELECT k FROM input) ORDER BY id";
    let mut all: HashMap<i64, Vec<Item>> = HashMap::new();
    for chunk in Rows::pieces(events, CHUNK) {
        type Line = (i64, Option<String>, Option<String>, Option<String>, f64, Option<i64>);
        let found: Vec<Line> = db.all_with_rows(sql, Rows::ids(chunk), args![]).await?;
        for (event, sku, name, category, quantity, amount) in found {
            all.entry(event).or_default().push(Item { sku, name, category, quantity, amount });
        }
    }
    Ok(all)
}

/// Sets what was bought in these orders, in place of what was there.
///
/// # Errors
/// What the database says.
pub async fn set_items(tx: &mut Tx, orders: &[(i64, &[Item])], replaces: bool) -> Result<(), DbError> {
    const TYPES: &[Type] = &[Type::Int, Type::Text, Type::Text, Type::Text, Type::Real, Type::Int];
    if replaces {
        for (event, _) in orders {
            tx.execute("DELETE FROM order_item WHERE event_id = ?", args![*event]).await?;
        }
    }
    let all: Vec<(i64, &Item)> =
        orders.iter().flat_map(|(event, items)| items.iter().map(|item| (*event, item))).collect();
    let sql =
        "INSERT INTO order_item (event_id, sku, name, category, quantity, amount) SELECT * FROM ({rows}) AS input";
    for chunk in Rows::pieces(&all, CHUNK) {
        let mut rows = Rows::new(TYPES);
        for (event, item) in chunk {
            rows.push(args![
                *event,
                item.sku.as_deref(),
                item.name.as_deref(),
                item.category.as_deref(),
                item.quantity,
                item.amount
            ]);
        }
        tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(())
}

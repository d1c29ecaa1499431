//! The evidence behind the sums: orders, mails, what was said. All in bulk, by index; nothing here writes.

use super::super::buying::{COUNTS, Day, Purchase};
use crate::args;
use crate::db::{DbError, Query, Rows, Type};
use crate::event::Event;
use jiff::Timestamp;

const PURCHASE: &str =
    "p.event_id, p.customer_id, p.at, p.amount, p.currency, p.margin, p.discount, p.refunded, p.status";
const EVENT: &str = "e.id, e.customer_id, e.kind, e.at, e.value, e.currency, e.campaign_id, e.message_id, e.data";

/// The orders that these events opened, as they stand now.
///
/// # Errors
/// What the database says.
pub async fn purchases(db: &mut impl Query, events: &[i64]) -> Result<Vec<Purchase>, DbError> {
    let sql =
        format!("WITH input(id) AS ({{rows}}) SELECT {PURCHASE} FROM input JOIN purchase p ON p.event_id = input.id");
    db.all_with_rows(&sql, Rows::ids(events), args![]).await
}

/// All orders of these customers that events up to `upto` opened, in the order of those events.
///
/// # Errors
/// What the database says.
pub async fn purchases_of(db: &mut impl Query, customers: &[i64], upto: i64) -> Result<Vec<Purchase>, DbError> {
    let sql = format!(
        "WITH input(id) AS ({{rows}}) SELECT {PURCHASE} FROM input JOIN purchase p ON p.customer_id = input.id \
         WHERE p.event_id <= ? ORDER BY p.event_id"
    );
    db.all_with_rows(&sql, Rows::ids(customers), args![upto]).await
}

/// For each `(order event, customer, from, to)`: what counts of that customer's earlier orders in from..to. Orders that
/// stand alone on their day are left out.
///
/// # Errors
/// What the database says.
pub async fn day_mates(db: &mut impl Query, orders: &[(i64, i64, i64, i64)]) -> Result<Vec<(i64, Day)>, DbError> {
    let mut rows = Rows::new(&[Type::Int; 4]);
    orders.iter().for_each(|(event, customer, from, to)| rows.push(args![*event, *customer, *from, *to]));
    let sql = format!(
        "WITH input(event, customer, day_from, day_to) AS ({{rows}}) \
         SELECT input.event, count(*), CAST(sum(CASE WHEN p.discount > 0 THEN 1 ELSE 0 END) AS BIGINT) \
         FROM input CROSS JOIN purchase p WHERE p.customer_id = input.customer AND p.at >= input.day_from \
         AND p.at < input.day_to AND p.event_id < input.event AND {COUNTS} GROUP BY input.event"
    );
    let found: Vec<(i64, i64, i64)> = db.all_with_rows(&sql, rows, args![]).await?;
    Ok(found.into_iter().map(|(event, orders, discounted)| (event, Day { orders, discounted })).collect())
}

/// The credit of these messages.
///
/// # Errors
/// What the database says.
pub async fn messages(db: &mut impl Query, messages: &[i64]) -> Result<Vec<(i64, f64)>, DbError> {
    let sql = "WITH input(id) AS ({rows}) SELECT m.id, m.credit FROM input JOIN message m ON m.id = input.id";
    db.all_with_rows(sql, Rows::ids(messages), args![]).await
}

/// For each `(customer, message)`: its deliveries and bounces among the events up to `upto`, in their order, as
/// `(message, whether it bounced, when)`. They are looked for from a day before it was sent on, so a fresh mail costs
/// little, however many the customer ever got.
///
/// # Errors
/// What the database says.
pub async fn deliveries(
    db: &mut impl Query,
    mails: &[(i64, i64)],
    upto: i64,
) -> Result<Vec<(i64, bool, i64)>, DbError> {
    let mut rows = Rows::new(&[Type::Int; 2]);
    mails.iter().for_each(|(customer, message)| rows.push(args![*customer, *message]));
    // CROSS JOIN keeps SQLite to this order of the tables
    let sql = "WITH input(customer, message) AS ({rows}) \
               SELECT m.id, CAST(CASE WHEN e.kind = 'bounce' THEN 1 ELSE 0 END AS BIGINT), e.at \
               FROM input CROSS JOIN message m CROSS JOIN event e \
               WHERE m.id = input.message AND e.customer_id = input.customer AND e.kind IN ('delivered', 'bounce') \
               AND e.at >= coalesce(m.sent_at, 0) - 86400000 AND e.message_id = m.id AND e.id <= ? ORDER BY e.id";
    db.all_with_rows(sql, rows, args![upto]).await
}

/// These customers' events up to `upto` of the kinds in `kinds` (SQL literals from this stage's own constants), and
/// their corrections, in the order of the log.
///
/// # Errors
/// What the database says.
pub async fn events_of(
    db: &mut impl Query,
    customers: &[i64],
    kinds: &'static str,
    upto: i64,
) -> Result<Vec<Event>, DbError> {
    let sql = format!(
        "WITH input(id) AS ({{rows}}) SELECT {EVENT} FROM input CROSS JOIN event e WHERE e.customer_id = input.id \
         AND e.kind IN ({kinds}, 'correction') AND e.id <= ? ORDER BY e.id"
    );
    db.all_with_rows(&sql, Rows::ids(customers), args![upto]).await
}

/// An event that another one corrects.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Its id.
    pub id: i64,
    /// To whom it happened.
    pub customer: Option<i64>,
    /// Its kind, by name.
    pub kind: String,
}

/// Whom and what these events are about.
///
/// # Errors
/// What the database says.
pub async fn corrected(db: &mut impl Query, events: &[i64]) -> Result<Vec<Reported>, DbError> {
    let sql =
        "WITH input(id) AS ({rows}) SELECT e.id, e.customer_id, e.kind FROM input JOIN event e ON e.id = input.id";
    let found: Vec<(i64, Option<i64>, String)> = db.all_with_rows(sql, Rows::ids(events), args![]).await?;
    Ok(found.into_iter().map(|(id, customer, kind)| Reported { id, customer, kind }).collect())
}

/// The campaign and step of each of these messages.
///
/// # Errors
/// What the database says.
pub async fn campaigns(db: &mut impl Query, messages: &[i64]) -> Result<Vec<(i64, String, String)>, DbError> {
    let sql = "WITH input(id) AS ({rows}) SELECT m.id, c.name, m.step FROM input JOIN message m ON m.id = input.id \
               JOIN campaign c ON c.id = m.campaign_id";
    db.all_with_rows(sql, Rows::ids(messages), args![]).await
}

/// Where a customer's consent stands, topic by topic: topic, state, since when.
///
/// # Errors
/// What the database says.
pub async fn permissions(db: &mut impl Query, customer: i64) -> Result<Vec<(String, String, Timestamp)>, DbError> {
    let sql = "SELECT topic, state, at FROM consent_state WHERE customer_id = ? ORDER BY topic";
    db.all(sql, args![customer]).await
}

/// Why the customer's address gets no mail, if so: reason, since when.
///
/// # Errors
/// What the database says.
pub async fn suppressions(
    db: &mut impl Query,
    customer: i64,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, DbError> {
    let sql = "SELECT s.reason, s.created_at FROM customer c JOIN suppression s ON s.address = c.email \
               WHERE c.id = ? AND s.lifted_at IS NULL AND (s.until IS NULL OR s.until > ?) ORDER BY s.id";
    db.all(sql, args![customer, now]).await
}

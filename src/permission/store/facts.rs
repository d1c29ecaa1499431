//! What the rule looks at, read for one customer, and the judgement for many in one statement.

use super::super::rule::{Facts, Reason, Rule};
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows};

impl FromRow for Facts {
    fn from_row(row: &mut Row<'_>) -> Result<Facts, DbError> {
        let erased = row.take::<Option<i64>>()?.is_some();
        let address = row.take::<Option<String>>()?;
        let address = address.map(|text| text.parse()).transpose();
        let paused_until = row.take()?;
        let suppressed = row.take()?;
        let state: Option<String> = row.take()?;
        let state = state.map(|text| text.parse()).transpose().map_err(DbError::Shape)?;
        let basis: Option<String> = row.take()?;
        Ok(Facts {
            erased,
            address: address.map_err(|_| DbError::Shape("customer.email is no address".into()))?,
            paused_until,
            suppressed,
            consent: state.map(|state| (state, basis)),
            last_purchase: row.take()?,
        })
    }
}

/// What `rule` looks at for a customer; `None` when there is no such customer.
///
/// # Errors
/// What the database says.
pub async fn facts(db: &mut impl Query, customer: i64, rule: &Rule) -> Result<Option<Facts>, DbError> {
    let sql = "SELECT c.erased_at, c.email, c.paused_until, \
               CASE WHEN EXISTS (SELECT 1 FROM suppression s WHERE s.address = c.email AND s.lifted_at IS NULL \
               AND (s.until IS NULL OR s.until > ?)) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, \
               k.state, k.basis, (SELECT max(p.at) FROM purchase p WHERE p.customer_id = c.id AND p.status NOT IN ('cancelled', 'returned')) \
               FROM customer c LEFT JOIN consent_state k ON k.customer_id = c.id AND k.topic = ? WHERE c.id = ?";
    db.optional(sql, args![rule.now(), rule.topic(), customer]).await
}

/// Those of `customers` to whom the rule's mail may not go, and why; nobody who is not there may be mailed. Most may, and
/// are not told of: an answer of many rows costs more than the question.
///
/// # Errors
/// What the database says.
pub async fn reasons(db: &mut impl Query, customers: &[i64], rule: &Rule) -> Result<Vec<(i64, Reason)>, DbError> {
    let reason = rule.reason();
    let sql = format!(
        "WITH input(wanted) AS ({{rows}}) SELECT id, reason FROM (SELECT i.wanted AS id, \
         CASE WHEN c.id IS NULL THEN 'erased' ELSE {} END AS reason FROM input i LEFT JOIN customer c ON c.id = i.wanted \
         WHERE i.wanted IS NOT NULL) AS judged WHERE reason IS NOT NULL ORDER BY id",
        reason.sql
    );
    let mut all = Vec::new();
    for chunk in customers.chunks(512) {
        let rows = Rows::ids(chunk).padded();
        let found: Vec<(i64, String)> = db.all_with_rows(&sql, rows, reason.args.clone()).await?;
        for (id, name) in found {
            all.push((id, Reason::of(&name).ok_or(DbError::Shape(name))?));
        }
    }
    Ok(all)
}

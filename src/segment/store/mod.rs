//! A condition in the database: written as SQL, and asked. Statements here are one text for both databases.

mod condition;
mod test;
mod value;

pub use condition::{CompileError, Condition, Context};

use super::Expr;
use crate::args;
use crate::db::{DbError, FromRow, Query, Row};

/// A customer who is in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The customer.
    pub id: i64,
    /// The shop's own number.
    pub external_id: Option<String>,
    /// The address.
    pub email: Option<String>,
}

impl FromRow for Member {
    fn from_row(row: &mut Row<'_>) -> Result<Member, DbError> {
        Ok(Member { id: row.take()?, external_id: row.take()?, email: row.take()? })
    }
}

/// How many customers the condition is true of. Erased customers never are.
///
/// # Errors
/// What the database says.
pub async fn size(db: &mut impl Query, condition: &Condition) -> Result<i64, DbError> {
    let sql = format!("SELECT count(*) FROM {} WHERE c.erased_at IS NULL AND {}", condition.from(), condition.sql);
    let (size,): (i64,) = db.one(&sql, condition.args.clone()).await?;
    Ok(size)
}

/// Up to `limit` members with an id above `after`, by id.
///
/// # Errors
/// What the database says.
pub async fn members(
    db: &mut impl Query,
    condition: &Condition,
    after: i64,
    limit: i64,
) -> Result<Vec<Member>, DbError> {
    let sql = format!(
        "SELECT c.id, c.external_id, c.email FROM {} WHERE c.id > ? AND c.erased_at IS NULL AND {} ORDER BY c.id LIMIT ?",
        condition.from(),
        condition.sql
    );
    let mut args = args![after];
    args.extend(condition.args.iter().cloned());
    args.extend(args![limit]);
    db.all(&sql, args).await
}

/// Whether the condition is true of one customer.
///
/// # Errors
/// What the database says.
pub async fn contains(db: &mut impl Query, condition: &Condition, customer: i64) -> Result<bool, DbError> {
    let sql =
        format!("SELECT c.id FROM {} WHERE c.id = ? AND c.erased_at IS NULL AND {}", condition.from(), condition.sql);
    let mut args = args![customer];
    args.extend(condition.args.iter().cloned());
    let found: Option<(i64,)> = db.optional(&sql, args).await?;
    Ok(found.is_some())
}

/// Why a customer is in or not: each test of the condition as it is written, and whether it is true of the customer. A
/// `NOT` before a test is not part of it. Empty when there is no such customer.
///
/// # Errors
/// What the database says, and a segment that is not there.
pub async fn explain(
    db: &mut impl Query,
    expr: &Expr,
    context: &Context<'_>,
    customer: i64,
) -> Result<Vec<(String, bool)>, ExplainError> {
    let leaves = condition::leaves(expr, context)?;
    let mut said = Vec::with_capacity(leaves.len());
    // a statement of its own for every hundred, so that none is too long for the database
    for chunk in leaves.chunks(100) {
        let digits: Vec<String> =
            chunk.iter().map(|(_, leaf)| format!("CASE WHEN {} THEN '1' ELSE '0' END", leaf.sql)).collect();
        let sql = format!("SELECT {} FROM {} WHERE c.id = ?", digits.join(" || "), Condition::FROM);
        let mut args: Vec<_> = chunk.iter().flat_map(|(_, leaf)| leaf.args.iter().cloned()).collect();
        args.extend(args![customer]);
        let Some((truths,)) = db.optional::<(String,)>(&sql, args).await? else { return Ok(Vec::new()) };
        said.extend(chunk.iter().zip(truths.chars()).map(|((text, _), truth)| (text.clone(), truth == '1')));
    }
    Ok(said)
}

/// Why a condition could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// It cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

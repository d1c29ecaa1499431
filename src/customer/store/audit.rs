//! Who changed what by hand: one line each, never changed. For every stage above.

use crate::args;
use crate::db::{DbError, Query, Tx};
use crate::types::Timestamp;

/// Writes a line. `subject` names things by id, never a person by address where the person may be erased.
///
/// # Errors
/// What the database says.
pub async fn audit(
    tx: &mut Tx,
    actor: &str,
    action: &str,
    subject: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)";
    tx.execute(sql, args![now, actor, action, subject, detail]).await?;
    Ok(())
}

/// The lines about `subject`, oldest first: when, who, what, and the detail.
///
/// # Errors
/// What the database says.
pub async fn audit_of(
    db: &mut impl Query,
    subject: &str,
) -> Result<Vec<(Timestamp, String, String, Option<String>)>, DbError> {
    db.all("SELECT at, actor, action, detail FROM audit WHERE subject = ? ORDER BY id", args![subject]).await
}

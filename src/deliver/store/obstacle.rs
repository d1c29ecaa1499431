//! The SQL of what is in mail's way.

use crate::args;
use crate::db::{Db, DbError, Query, Rows, Type};
use crate::types::Timestamp;
use std::collections::BTreeMap;

/// What nobody has repeated for so long is of a process that died.
const OLD: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// Puts what a node says in place of what it said: what, why, since when.
pub(in crate::deliver) async fn set_obstacles(
    db: &Db,
    node: i64,
    obstacles: &BTreeMap<String, (String, Timestamp)>,
    now: Timestamp,
) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    let old = now.checked_sub(OLD).unwrap_or(now);
    tx.execute("DELETE FROM obstacle WHERE node_id = ? OR seen_at < ?", args![node, old]).await?;
    if !obstacles.is_empty() {
        let mut rows = Rows::new(&[Type::Text, Type::Text, Type::Int]);
        for (what, (why, since)) in obstacles {
            rows.push(args![what.as_str(), why.as_str(), *since]);
        }
        let sql = "WITH input(what, why, since) AS ({rows}) INSERT INTO obstacle (node_id, what, why, since, seen_at) \
                   SELECT CAST(? AS BIGINT), what, why, since, CAST(? AS BIGINT) FROM input";
        tx.execute_rows(sql, rows, args![node, now]).await?;
    }
    tx.commit().await
}

/// What is in mail's way: `relay NAME` or `campaign ID`, and why.
///
/// # Errors
/// What the database says.
pub async fn obstacles(db: &mut impl Query, now: Timestamp) -> Result<BTreeMap<String, String>, DbError> {
    let old = now.checked_sub(OLD).unwrap_or(now);
    let sql = "SELECT what, why FROM obstacle WHERE seen_at >= ? ORDER BY seen_at";
    Ok(db.all::<(String, String)>(sql, args![old]).await?.into_iter().collect())
}

//! The SQL of processes that send, and of what dead ones leave behind.

use crate::args;
use crate::db::{DbError, Query, Tx};
use crate::types::Timestamp;

/// The claims of a dead node: `claimed` goes back, `transmitting` is unknown, or, for service mail, goes out again under
/// the same Message-ID. Gives how many of each.
pub(in crate::deliver) async fn recover(tx: &mut Tx, node: i64, now: Timestamp) -> Result<(u64, u64), DbError> {
    let sql = "UPDATE message SET state = 'queued', node_id = NULL, token = NULL, updated_at = ? \
               WHERE node_id = ? AND state = 'claimed'";
    let back = tx.execute(sql, args![now, node]).await?;
    let sql = "UPDATE message SET state = CASE WHEN service = 1 THEN 'queued' ELSE 'unknown' END, \
               reason = 'the sending process died before the server answered', \
               settled_at = CASE WHEN service = 1 THEN NULL ELSE CAST(? AS BIGINT) END, node_id = NULL, \
               token = NULL, updated_at = ? WHERE node_id = ? AND state = 'transmitting'";
    let unknown = tx.execute(sql, args![now, now, node]).await?;
    let sql = "UPDATE node SET recovered_at = ? WHERE id = ?";
    tx.execute(sql, args![now, node]).await?;
    Ok((back, unknown))
}

/// Registers a process that sends; gives its id.
pub(in crate::deliver) async fn register_node(tx: &mut Tx, name: &str, now: Timestamp) -> Result<i64, DbError> {
    let sql = "INSERT INTO node (name, started_at) VALUES (?, ?) RETURNING id";
    Ok(tx.one::<(i64,)>(sql, args![name, now]).await?.0)
}

/// Says that a process ended in good order.
pub(in crate::deliver) async fn stop_node(tx: &mut Tx, node: i64, now: Timestamp) -> Result<(), DbError> {
    tx.execute("UPDATE node SET stopped_at = ? WHERE id = ?", args![now, node]).await?;
    Ok(())
}

/// Processes that may still hold messages, this one left out.
pub(in crate::deliver) async fn other_nodes(db: &mut impl Query, node: i64) -> Result<Vec<i64>, DbError> {
    // whoever holds nothing needs no recovery: a node that is just starting is not in the way
    let sql = "SELECT id FROM node WHERE id <> ? AND EXISTS \
               (SELECT 1 FROM message m WHERE m.node_id = node.id AND m.state IN ('claimed', 'transmitting'))";
    Ok(db.all::<(i64,)>(sql, args![node]).await?.into_iter().map(|(id,)| id).collect())
}

/// Processes that have not said that they ended.
pub(in crate::deliver) async fn unstopped_nodes(db: &mut impl Query) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT id FROM node WHERE stopped_at IS NULL";
    Ok(db.all::<(i64,)>(sql, args![]).await?.into_iter().map(|(id,)| id).collect())
}

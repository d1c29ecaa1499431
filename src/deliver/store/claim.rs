//! The SQL of a message on its way out: claimed, begun, settled. Every change is a compare-and-set on the claim.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::deliver::{Claimed, State};
use crate::types::Timestamp;
use std::collections::HashSet;

/// The columns that [`Claimed`] reads, in its order.
const CLAIMED: &str = "id, token, campaign_id, revision_id, occurrence_id, step, customer_id, address, topic, service, variant, attempts, due_at, expires_at, next_at, rewarded";

impl FromRow for Claimed {
    fn from_row(row: &mut Row<'_>) -> Result<Claimed, DbError> {
        Ok(Claimed {
            id: row.take()?,
            token: row.take()?,
            campaign: row.take()?,
            revision: row.take()?,
            occurrence: row.take()?,
            step: row.take()?,
            customer: row.take()?,
            address: row.take()?,
            topic: row.take()?,
            service: row.take()?,
            variant: row.take()?,
            attempts: row.take()?,
            due_at: row.take()?,
            expires_at: row.take()?,
            next_at: row.take()?,
            rewarded: row.take()?,
        })
    }
}

/// Campaigns whose lane is open and that have mail due, and whether it is service mail, which comes first.
pub(in crate::deliver) async fn lanes_with_due(
    db: &mut impl Query,
    now: Timestamp,
) -> Result<Vec<(i64, bool)>, DbError> {
    let sql = "SELECT l.campaign_id, l.service FROM lane l WHERE l.state = 'open' AND EXISTS (SELECT 1 FROM message m \
               WHERE m.campaign_id = l.campaign_id AND m.state IN ('queued', 'deferred') AND m.next_at <= ? AND m.address IS NOT NULL) \
               ORDER BY l.service DESC, l.campaign_id";
    db.all(sql, args![now]).await
}

/// Due messages of a campaign, those of the most engaged readers first. Read outside of the transaction that claims
/// them: it may have to look at all that are due.
pub(in crate::deliver) async fn ranked(
    db: &mut impl Query,
    campaign: i64,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT m.id FROM message m LEFT JOIN relationship r ON r.customer_id = m.customer_id \
               WHERE m.campaign_id = ? AND m.state IN ('queued', 'deferred') AND m.next_at <= ? AND m.address IS NOT NULL \
               ORDER BY CASE WHEN r.score IS NULL THEN 1 ELSE 0 END, r.score DESC, m.next_at, m.id LIMIT ?";
    Ok(db.all::<(i64,)>(sql, args![campaign, now, limit]).await?.into_iter().map(|(id,)| id).collect())
}

/// Claims these messages, those of them that are still due.
pub(in crate::deliver) async fn claim_these(
    tx: &mut Tx,
    ids: &[i64],
    node: i64,
    token: i64,
    now: Timestamp,
) -> Result<Vec<Claimed>, DbError> {
    let lock = tx.dialect().skip_locked();
    let sql = format!(
        "WITH input(id) AS ({{rows}}) UPDATE message SET state = 'claimed', node_id = ?, token = ?, updated_at = ? \
         WHERE id IN (SELECT id FROM message WHERE id IN (SELECT id FROM input) AND state IN ('queued', 'deferred') {lock}) \
         RETURNING {CLAIMED}"
    );
    tx.all_with_rows(&sql, Rows::ids(ids), args![node, token, now]).await
}

/// Claims up to `limit` due messages of a campaign, the longest due first.
pub(in crate::deliver) async fn claim(
    tx: &mut Tx,
    campaign: i64,
    node: i64,
    token: i64,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Claimed>, DbError> {
    let lock = tx.dialect().skip_locked();
    let sql = format!(
        "UPDATE message SET state = 'claimed', node_id = ?, token = ?, updated_at = ? WHERE id IN (\
           SELECT id FROM message WHERE campaign_id = ? AND state IN ('queued', 'deferred') AND next_at <= ? \
           AND address IS NOT NULL ORDER BY next_at, id LIMIT ? {lock}) RETURNING {CLAIMED}"
    );
    tx.all(&sql, args![node, token, now, campaign, now, limit]).await
}

/// Gives back everything that was claimed under a token.
pub(in crate::deliver) async fn unclaim(
    db: &crate::db::Db,
    node: i64,
    token: i64,
    now: Timestamp,
) -> Result<u64, DbError> {
    let sql = "UPDATE message SET state = 'queued', node_id = NULL, token = NULL, updated_at = ? \
               WHERE node_id = ? AND token = ? AND state = 'claimed'";
    db.execute(sql, args![now, node, token]).await
}

/// A change of state to make durable. Compare-and-set on the claim's token.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct Change {
    pub id: i64,
    pub token: i64,
    pub state: State,
    pub reason: Option<String>,
    pub reply: Option<String>,
    /// When it is next due, if that changes.
    pub next_at: Option<Timestamp>,
    /// What is known of the message, where it is.
    pub of: Option<Changed>,
}

/// How it is found out which of many changes took hold. Nearly always all do, which the number of changed rows says; a
/// row for each would cost more than the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deliver) enum Check {
    /// By their number. When it is another than was asked for, nobody knows which: the transaction is to be rolled back,
    /// and begun anew by rows.
    Number,
    /// Row by row.
    Rows,
}

/// A message that was changed.
#[derive(Clone, Copy, Debug)]
pub(in crate::deliver) struct Changed {
    pub id: i64,
    pub campaign: i64,
    /// Whether a reward hangs on it.
    pub rewarded: bool,
}

impl FromRow for Changed {
    fn from_row(row: &mut Row<'_>) -> Result<Changed, DbError> {
        Ok(Changed { id: row.take()?, campaign: row.take()?, rewarded: row.take()? })
    }
}

// `state || ''` below keeps PostgreSQL from looking through the index of what is claimed, which it takes for almost empty,
// and which holds an entry of every mail that has passed it since the last vacuum: it is to go by the ids.

/// Makes results durable; gives those that were still ours to change, or `None` when the check by number says that not
/// all were. Where the address is gone, the reader was erased while the mail was on its way, and a server's reply, which
/// often repeats the address, is not kept.
pub(in crate::deliver) async fn finish(
    tx: &mut Tx,
    changes: &[Change],
    check: Check,
    now: Timestamp,
) -> Result<Option<Vec<Changed>>, DbError> {
    let mut changed = Vec::with_capacity(changes.len());
    for chunk in changes.chunks(512) {
        let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Text, Type::Text, Type::Text, Type::Int, Type::Int]);
        for change in chunk {
            let settled = matches!(change.state, State::Accepted | State::Refused | State::Unknown).then_some(now);
            rows.push(args![
                change.id,
                change.token,
                change.state.name(),
                change.reason.as_deref(),
                change.reply.as_deref(),
                change.next_at,
                settled,
            ]);
        }
        let sql = "WITH input(id, token, state, reason, reply, next_at, settled_at) AS ({rows}) \
                   UPDATE message SET state = input.state, reason = input.reason, \
                   reply = CASE WHEN message.address IS NULL THEN NULL ELSE COALESCE(input.reply, message.reply) END, next_at = COALESCE(input.next_at, message.next_at), \
                   settled_at = input.settled_at, node_id = NULL, token = NULL, updated_at = ? FROM input \
                   WHERE message.id = input.id AND message.token = input.token \
                   AND message.state || '' IN ('claimed', 'transmitting')";
        let known: Option<Vec<Changed>> = chunk.iter().map(|change| change.of).collect();
        match known {
            Some(known) if check == Check::Number => {
                if tx.execute_rows(sql, rows.padded(), args![now]).await? != known.len() as u64 {
                    return Ok(None);
                }
                changed.extend(known);
            }
            _ => {
                let sql = format!("{sql} RETURNING message.id, message.campaign_id, message.rewarded");
                changed.extend(tx.all_with_rows::<Changed>(&sql, rows.padded(), args![now]).await?);
            }
        }
    }
    Ok(Some(changed))
}

/// `claimed → transmitting` for those that still hold their claim; gives their ids, or `None` when the check by number
/// says that not all do. Can be said again after a commit of which nobody knows whether it happened.
pub(in crate::deliver) async fn transmit(
    tx: &mut Tx,
    begins: &[(i64, i64, &str)],
    check: Check,
    now: Timestamp,
) -> Result<Option<Vec<i64>>, DbError> {
    let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Text]);
    for (id, token, relay) in begins {
        rows.push(args![*id, *token, *relay]);
    }
    let rows = rows.padded();
    let sql = "WITH input(id, token, relay) AS ({rows}) \
               UPDATE message SET state = 'transmitting', relay = input.relay, sent_at = ?, attempts = attempts + 1, \
               reason = NULL, updated_at = ? FROM input WHERE message.id = input.id AND message.token = input.token \
               AND message.state || '' IN ('claimed', 'transmitting')";
    if check == Check::Number {
        let changed = tx.execute_rows(sql, rows, args![now, now]).await?;
        return Ok((changed == begins.len() as u64).then(|| begins.iter().map(|(id, ..)| *id).collect()));
    }
    let sql = format!("{sql} RETURNING message.id");
    let ids = tx.all_with_rows::<(i64,)>(&sql, rows, args![now, now]).await?;
    Ok(Some(ids.into_iter().map(|(id,)| id).collect()))
}

/// Locks customers' rows in the order of their ids, until the transaction ends; SQLite's one writer needs no lock.
pub(in crate::deliver) async fn lock_customers(tx: &mut Tx, customers: &HashSet<i64>) -> Result<(), DbError> {
    let lock = tx.dialect().for_update();
    if !lock.is_empty() {
        let sql = format!("SELECT id FROM customer WHERE id IN ({{rows}}) ORDER BY id {lock}");
        tx.all_with_rows::<(i64,)>(&sql, Rows::ids(customers), args![]).await?;
    }
    Ok(())
}

/// Message, customer and time of each marketing mail sent to these customers after `start`; what may have arrived counts.
pub(in crate::deliver) async fn sent_since(
    tx: &mut Tx,
    customers: &HashSet<i64>,
    start: Timestamp,
) -> Result<Vec<(i64, i64, Timestamp)>, DbError> {
    let sql = "SELECT id, customer_id, sent_at FROM message WHERE customer_id IN ({rows}) AND sent_at > ? AND service = 0 \
               AND state IN ('transmitting', 'accepted', 'unknown', 'bounced', 'complained')";
    tx.all_with_rows(sql, Rows::ids(customers).padded(), args![start]).await
}

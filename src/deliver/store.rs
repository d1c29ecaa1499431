//! The SQL of delivery: claims, compare-and-set changes of state, lanes, nodes, daily quotas.

mod states;

pub use states::states;

use super::lane::{Counts, Lane};
use super::{Claimed, State};
use crate::args;
use crate::db::{Args, DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::Timestamp;
use std::collections::HashSet;

/// The columns that [`Claimed`] reads, in its order.
const CLAIMED: &str = "id, token, campaign_id, revision_id, occurrence_id, step, customer_id, address, topic, service, variant, attempts, due_at, expires_at";

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
        })
    }
}

/// Campaigns whose lane is open and that have mail due, service mail first.
pub(super) async fn lanes_with_due(db: &mut impl Query, now: Timestamp) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT l.campaign_id FROM lane l WHERE l.state = 'open' AND EXISTS (SELECT 1 FROM message m \
               WHERE m.campaign_id = l.campaign_id AND m.state IN ('queued', 'deferred') AND m.next_at <= ? AND m.address IS NOT NULL) \
               ORDER BY l.service DESC, l.campaign_id";
    Ok(db.all::<(i64,)>(sql, args![now]).await?.into_iter().map(|(id,)| id).collect())
}

/// Claims up to `limit` due messages of a campaign, the longest due first.
pub(super) async fn claim(
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
pub(super) async fn unclaim(db: &crate::db::Db, node: i64, token: i64, now: Timestamp) -> Result<u64, DbError> {
    let sql = "UPDATE message SET state = 'queued', node_id = NULL, token = NULL, updated_at = ? \
               WHERE node_id = ? AND token = ? AND state = 'claimed'";
    db.execute(sql, args![now, node, token]).await
}

/// A change of state to make durable. Compare-and-set on the claim's token.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub id: i64,
    pub token: i64,
    pub state: State,
    pub reason: Option<String>,
    pub reply: Option<String>,
    /// When it is next due, if that changes.
    pub next_at: Option<Timestamp>,
}

/// Makes results durable; gives the ids that were still ours to change.
pub(super) async fn finish(tx: &mut Tx, changes: &[Change], now: Timestamp) -> Result<Vec<i64>, DbError> {
    let mut changed = Vec::with_capacity(changes.len());
    for chunk in changes.chunks(500) {
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
                   reply = COALESCE(input.reply, message.reply), next_at = COALESCE(input.next_at, message.next_at), \
                   settled_at = input.settled_at, node_id = NULL, token = NULL, updated_at = ? FROM input \
                   WHERE message.id = input.id AND message.token = input.token \
                   AND message.state IN ('claimed', 'transmitting') RETURNING message.id";
        changed.extend(tx.all_with_rows::<(i64,)>(sql, rows, args![now]).await?.into_iter().map(|(id,)| id));
    }
    Ok(changed)
}

/// `claimed → transmitting` for those that still hold their claim; gives their ids. Can be said again after a commit
/// of which nobody knows whether it happened.
pub(super) async fn transmit(tx: &mut Tx, begins: &[(i64, i64, &str)], now: Timestamp) -> Result<Vec<i64>, DbError> {
    let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Text]);
    for (id, token, relay) in begins {
        rows.push(args![*id, *token, *relay]);
    }
    let sql = "WITH input(id, token, relay) AS ({rows}) \
               UPDATE message SET state = 'transmitting', relay = input.relay, sent_at = ?, attempts = attempts + 1, \
               reason = NULL, updated_at = ? FROM input WHERE message.id = input.id AND message.token = input.token \
               AND message.state IN ('claimed', 'transmitting') RETURNING message.id";
    Ok(tx.all_with_rows::<(i64,)>(sql, rows, args![now, now]).await?.into_iter().map(|(id,)| id).collect())
}

/// Locks customers' rows in the order of their ids, until the transaction ends; SQLite's one writer needs no lock.
pub(super) async fn lock_customers(tx: &mut Tx, customers: &HashSet<i64>) -> Result<(), DbError> {
    let lock = tx.dialect().for_update();
    if !lock.is_empty() {
        let sql = format!("SELECT id FROM customer WHERE id IN ({{rows}}) ORDER BY id {lock}");
        tx.all_with_rows::<(i64,)>(&sql, ids(customers), args![]).await?;
    }
    Ok(())
}

/// Message, customer and time of each marketing mail sent to these customers after `start`; what may have arrived counts.
pub(super) async fn sent_since(
    tx: &mut Tx,
    customers: &HashSet<i64>,
    start: Timestamp,
) -> Result<Vec<(i64, i64, Timestamp)>, DbError> {
    let sql = "SELECT id, customer_id, sent_at FROM message WHERE customer_id IN ({rows}) AND sent_at > ? AND service = 0 \
               AND state IN ('transmitting', 'accepted', 'unknown', 'bounced', 'complained')";
    tx.all_with_rows(sql, ids(customers), args![start]).await
}

fn ids(of: &HashSet<i64>) -> Rows {
    let mut rows = Rows::new(&[Type::Int]);
    of.iter().for_each(|id| rows.push(args![*id]));
    rows
}

/// The claims of a dead node: `claimed` goes back, `transmitting` is unknown, or, for service mail, goes out again under
/// the same Message-ID. Gives how many of each.
pub(super) async fn recover(tx: &mut Tx, node: i64, now: Timestamp) -> Result<(u64, u64), DbError> {
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
pub(super) async fn register_node(tx: &mut Tx, name: &str, now: Timestamp) -> Result<i64, DbError> {
    let sql = "INSERT INTO node (name, started_at) VALUES (?, ?) RETURNING id";
    Ok(tx.one::<(i64,)>(sql, args![name, now]).await?.0)
}

/// Says that a process ended in good order.
pub(super) async fn stop_node(tx: &mut Tx, node: i64, now: Timestamp) -> Result<(), DbError> {
    tx.execute("UPDATE node SET stopped_at = ? WHERE id = ?", args![now, node]).await?;
    Ok(())
}

/// Processes that may still hold messages, this one left out.
pub(super) async fn other_nodes(db: &mut impl Query, node: i64) -> Result<Vec<i64>, DbError> {
    // whoever holds nothing needs no recovery: a node that is just starting is not in the way
    let sql = "SELECT id FROM node WHERE id <> ? AND EXISTS \
               (SELECT 1 FROM message m WHERE m.node_id = node.id AND m.state IN ('claimed', 'transmitting'))";
    Ok(db.all::<(i64,)>(sql, args![node]).await?.into_iter().map(|(id,)| id).collect())
}

/// Processes that have not said that they ended.
pub(super) async fn unstopped_nodes(db: &mut impl Query) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT id FROM node WHERE stopped_at IS NULL";
    Ok(db.all::<(i64,)>(sql, args![]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn set_lane(tx: &mut Tx, campaign: i64, lane: &Lane, now: Timestamp) -> Result<(), DbError> {
    let (state, reason) = match lane {
        Lane::Open => ("open", None),
        Lane::Held(reason) => ("held", Some(reason.as_str())),
    };
    let sql = "INSERT INTO lane (campaign_id, state, reason, since) VALUES (?, ?, ?, ?) \
               ON CONFLICT (campaign_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since";
    tx.execute(sql, args![campaign, state, reason, now]).await?;
    Ok(())
}

/// The lane of a campaign as it stands; open lanes are service or not.
///
/// # Errors
/// What the database says.
pub async fn lane(db: &mut impl Query, campaign: i64) -> Result<Option<Lane>, DbError> {
    let row: Option<(String, Option<String>)> =
        db.optional("SELECT state, reason FROM lane WHERE campaign_id = ?", args![campaign]).await?;
    Ok(row.map(|(state, reason)| Lane::of(&state, reason)))
}

/// Makes the lane of a campaign that has none, open.
///
/// # Errors
/// What the database says.
pub async fn open_lane(tx: &mut Tx, campaign: i64, service: bool, now: Timestamp) -> Result<(), DbError> {
    let sql = "INSERT INTO lane (campaign_id, service, state, since) VALUES (?, ?, 'open', ?) \
               ON CONFLICT (campaign_id) DO UPDATE SET service = excluded.service";
    tx.execute(sql, args![campaign, service, now]).await?;
    Ok(())
}

/// Campaigns whose lane is open, with what has gone wrong since it was opened: a launch or a resume begins anew.
///
/// # Errors
/// What the database says.
pub async fn open_lane_counts(db: &mut impl Query) -> Result<Vec<(i64, Counts)>, DbError> {
    let sql = "SELECT l.campaign_id, \
               CAST(sum(CASE WHEN m.state IN ('accepted', 'refused', 'bounced', 'complained') THEN 1 ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE WHEN m.state IN ('refused', 'bounced') THEN 1 ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE WHEN m.state = 'complained' THEN 1 ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE WHEN m.state = 'skipped' AND m.reason LIKE 'render%' THEN 1 ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE WHEN m.state <> 'skipped' OR m.reason LIKE 'render%' THEN 1 ELSE 0 END) AS BIGINT) \
               FROM lane l JOIN campaign c ON c.id = l.campaign_id \
               JOIN message m ON m.campaign_id = l.campaign_id AND m.updated_at >= l.since \
               WHERE l.state = 'open' AND c.state IN ('running', 'closed') GROUP BY l.campaign_id";
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> = db.all(sql, args![]).await?;
    Ok(rows
        .into_iter()
        .map(|(campaign, settled, hard, complaints, unrendered, meant)| {
            (campaign, Counts { settled, hard, complaints, unrendered, meant })
        })
        .collect())
}

/// Adds to what a relay has sent today.
pub(super) async fn add_relay_day(tx: &mut Tx, relay: &str, day: &str, n: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO relay_day (relay, day, sent) VALUES (?, ?, ?) \
               ON CONFLICT (relay, day) DO UPDATE SET sent = relay_day.sent + excluded.sent";
    tx.execute(sql, args![relay, day, n]).await?;
    Ok(())
}

/// What a relay has sent on a day (UTC, `2027-03-03`).
///
/// # Errors
/// What the database says.
pub async fn relay_day(db: &mut impl Query, relay: &str, day: &str) -> Result<i64, DbError> {
    let sql = "SELECT sent FROM relay_day WHERE relay = ? AND day = ?";
    Ok(db.optional::<(i64,)>(sql, args![relay, day]).await?.map_or(0, |(sent,)| sent))
}

/// How many messages stand in each state.
///
/// # Errors
/// What the database says.
pub async fn counts(db: &mut impl Query, campaign: Option<i64>) -> Result<Vec<(String, i64)>, DbError> {
    let (condition, args): (&str, Args) = match campaign {
        Some(id) => ("WHERE campaign_id = ?", args![id]),
        None => ("", args![]),
    };
    db.all(&format!("SELECT state, count(*) FROM message {condition} GROUP BY state ORDER BY state"), args).await
}

/// When the next message of an open lane falls due.
///
/// # Errors
/// What the database says.
pub async fn next_due(db: &mut impl Query) -> Result<Option<Timestamp>, DbError> {
    let sql = "SELECT min(m.next_at) FROM lane l JOIN message m ON m.campaign_id = l.campaign_id \
               WHERE l.state = 'open' AND m.state IN ('queued', 'deferred')";
    Ok(db.one::<(Option<Timestamp>,)>(sql, args![]).await?.0)
}

/// Sets messages of unknown fate to another state. Gives those that were: message, customer, campaign.
pub(super) async fn settle_unknown(
    tx: &mut Tx,
    ids: &[i64],
    to: State,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<(i64, i64, i64)>, DbError> {
    let mut rows = Rows::new(&[Type::Int]);
    for id in ids {
        rows.push(args![*id]);
    }
    let settled = (to == State::Accepted).then_some(now);
    let sql = "WITH input(id) AS ({rows}) UPDATE message SET state = ?, reason = ?, next_at = ?, settled_at = ?, \
               expires_at = CASE WHEN expires_at <= ? THEN CAST(? AS BIGINT) ELSE expires_at END, updated_at = ? \
               FROM input WHERE message.id = input.id AND message.state = 'unknown' AND message.address IS NOT NULL \
               RETURNING message.id, message.customer_id, message.campaign_id";
    // whoever sends an old mail again wants it sent: it gets a day
    let day = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
    tx.all_with_rows(sql, rows, args![to.name(), reason, now, settled, now, day, now]).await
}

/// Says why the lanes of paused campaigns are held.
///
/// # Errors
/// What the database says.
pub async fn hold_paused(tx: &mut Tx, reason: &str, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE lane SET state = 'held', reason = ?, since = ? \
               WHERE campaign_id IN (SELECT id FROM campaign WHERE state = 'paused')";
    tx.execute(sql, args![reason, now]).await?;
    Ok(())
}

/// After a restore nobody knows what went out since the backup: what was in hand or due becomes unknown. Gives how many.
///
/// # Errors
/// What the database says.
pub async fn distrust_due(tx: &mut Tx, reason: &str, now: Timestamp) -> Result<u64, DbError> {
    let sql = "UPDATE message SET state = 'unknown', reason = ?, settled_at = ?, node_id = NULL, token = NULL, updated_at = ? \
               WHERE state IN ('claimed', 'transmitting') OR (state IN ('queued', 'deferred') AND next_at <= ?)";
    tx.execute(sql, args![reason, now, now, now]).await
}

/// A message, for `dangol message list`.
#[derive(Clone, Debug, serde::Serialize)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct Listed {
    pub id: i64,
    pub campaign: String,
    pub step: String,
    pub customer: i64,
    pub address: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub reply: Option<String>,
    pub attempts: i64,
    pub relay: Option<String>,
    pub at: Timestamp,
}

impl FromRow for Listed {
    fn from_row(row: &mut Row<'_>) -> Result<Listed, DbError> {
        Ok(Listed {
            id: row.take()?,
            campaign: row.take()?,
            step: row.take()?,
            customer: row.take()?,
            address: row.take()?,
            state: row.take()?,
            reason: row.take()?,
            reply: row.take()?,
            attempts: row.take()?,
            relay: row.take()?,
            at: row.take()?,
        })
    }
}

/// Messages, the newest change first.
///
/// # Errors
/// What the database says.
pub async fn list(
    db: &mut impl Query,
    state: Option<State>,
    campaign: Option<&str>,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    let mut conditions = vec!["1 = 1"];
    let mut args = args![];
    if let Some(state) = state {
        conditions.push("m.state = ?");
        args.push(state.name().into());
    }
    if let Some(campaign) = campaign {
        conditions.push("c.name = ?");
        args.push(campaign.into());
    }
    args.push(limit.into());
    let sql = format!(
        "SELECT m.id, c.name, m.step, m.customer_id, m.address, m.state, m.reason, m.reply, m.attempts, m.relay, m.updated_at \
         FROM message m JOIN campaign c ON c.id = m.campaign_id WHERE {} ORDER BY m.updated_at DESC, m.id DESC LIMIT ?",
        conditions.join(" AND ")
    );
    db.all(&sql, args).await
}

//! The SQL of what people ask about mails: counts, lists, quotas, fates settled by hand.

use crate::args;
use crate::db::{Args, DbError, FromRow, Query, Row, Rows, Tx};
use crate::deliver::State;
use crate::types::Timestamp;

/// Adds to what a relay has sent today.
pub(in crate::deliver) async fn add_relay_day(tx: &mut Tx, relay: &str, day: &str, n: i64) -> Result<(), DbError> {
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
pub(in crate::deliver) async fn settle_unknown(
    tx: &mut Tx,
    ids: &[i64],
    to: State,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<(i64, i64, i64)>, DbError> {
    let settled = (to == State::Accepted).then_some(now);
    let sql = "WITH input(id) AS ({rows}) UPDATE message SET state = ?, reason = ?, next_at = ?, settled_at = ?, \
               expires_at = CASE WHEN expires_at <= ? THEN CAST(? AS BIGINT) ELSE expires_at END, updated_at = ? \
               FROM input WHERE message.id = input.id AND message.state = 'unknown' AND message.address IS NOT NULL \
               RETURNING message.id, message.customer_id, message.campaign_id";
    // whoever sends an old mail again wants it sent: it gets a day
    let day = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
    tx.all_with_rows(sql, Rows::ids(ids), args![to.name(), reason, now, settled, now, day, now]).await
}

/// Those of these messages that are of unknown fate: customer, topic, and why their lane is held, if it is.
pub(in crate::deliver) async fn unknown(
    db: &mut impl Query,
    ids: &[i64],
) -> Result<Vec<(i64, i64, String, Option<String>)>, DbError> {
    let sql = "WITH input(id) AS ({rows}) SELECT m.id, m.customer_id, m.topic, CASE WHEN l.state = 'held' THEN l.reason END \
               FROM input JOIN message m ON m.id = input.id LEFT JOIN lane l ON l.campaign_id = m.campaign_id \
               WHERE m.state = 'unknown' AND m.address IS NOT NULL";
    db.all_with_rows(sql, Rows::ids(ids), args![]).await
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

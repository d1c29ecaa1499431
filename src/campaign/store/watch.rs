//! What triggers look at: who is in the segment that a campaign waits for and was not, and which events came.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx};
use crate::segment::Condition;
use crate::types::Timestamp;

/// A campaign that may admit or move on its customers now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the campaign")]
pub struct Running {
    pub id: i64,
    pub state: String,
    pub revision: i64,
    pub launched_at: Timestamp,
}

/// Campaigns that run, or are closed and still have customers inside, and whose lane is open; with `held`, those that
/// are paused or held as well, for a restore.
///
/// # Errors
/// What the database says.
pub async fn running(db: &mut impl Query, held: bool) -> Result<Vec<Running>, DbError> {
    let which = if held {
        "c.state IN ('running', 'closed', 'paused')"
    } else {
        "c.state IN ('running', 'closed') AND l.state = 'open'"
    };
    let sql = format!(
        "SELECT c.id, c.state, c.revision_id, COALESCE(c.launched_at, 0) FROM campaign c JOIN lane l ON l.campaign_id = c.id \
         WHERE {which} AND c.revision_id IS NOT NULL ORDER BY c.id"
    );
    let rows: Vec<(i64, String, i64, Timestamp)> = db.all(&sql, args![]).await?;
    let campaign = |(id, state, revision, launched_at)| Running { id, state, revision, launched_at };
    Ok(rows.into_iter().map(campaign).collect())
}

/// Whether a campaign stands as it was found, now that something is to be done in this transaction: somebody may have
/// launched, paused, closed or cancelled it meanwhile, and then nothing more may follow from what it was.
///
/// # Errors
/// What the database says.
pub async fn stands(tx: &mut Tx, campaign: &Running) -> Result<bool, DbError> {
    let share = if tx.dialect().for_update().is_empty() { "" } else { "FOR SHARE" };
    let sql = format!(
        "SELECT c.id FROM campaign c JOIN lane l ON l.campaign_id = c.id \
         WHERE c.id = ? AND c.state = ? AND c.revision_id = ? AND l.state = 'open' {share}"
    );
    let args = args![campaign.id, &campaign.state, campaign.revision];
    Ok(tx.optional::<(i64,)>(&sql, args).await?.is_some())
}

/// How far a watch over a segment is.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the columns of the watch")]
pub struct Watch {
    pub position: i64,
    pub swept_at: Option<Timestamp>,
    pub next_at: Timestamp,
}

impl FromRow for Watch {
    fn from_row(row: &mut Row<'_>) -> Result<Watch, DbError> {
        Ok(Watch { position: row.take()?, swept_at: row.take()?, next_at: row.take()? })
    }
}

/// The watch of a campaign.
///
/// # Errors
/// What the database says.
pub async fn watch(db: &mut impl Query, campaign: i64) -> Result<Option<Watch>, DbError> {
    db.optional("SELECT position, swept_at, next_at FROM watch WHERE campaign_id = ?", args![campaign]).await
}

/// Begins a watch, or gives one that stands another segment to look at; those whom it has seen stay seen. `anew`: it is
/// to be seen first who is in the segment.
///
/// # Errors
/// What the database says.
pub async fn put_watch(tx: &mut Tx, campaign: i64, segment: &str, anew: bool, now: Timestamp) -> Result<(), DbError> {
    let sql = "INSERT INTO watch (campaign_id, segment, next_at) VALUES (?, ?, ?) \
               ON CONFLICT (campaign_id) DO UPDATE SET segment = excluded.segment, next_at = excluded.next_at, position = 0";
    tx.execute(sql, args![campaign, segment, now]).await?;
    if anew {
        tx.execute("UPDATE watch SET swept_at = NULL WHERE campaign_id = ?", args![campaign]).await?;
    }
    Ok(())
}

/// Ends a watch: the campaign waits for no segment any more.
///
/// # Errors
/// What the database says.
pub async fn end_watch(tx: &mut Tx, campaign: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM watch WHERE campaign_id = ?", args![campaign]).await?;
    tx.execute("DELETE FROM segment_member WHERE campaign_id = ?", args![campaign]).await?;
    Ok(())
}

/// The segment that a campaign's watch looks at.
///
/// # Errors
/// What the database says.
pub async fn watched_segment(db: &mut impl Query, campaign: i64) -> Result<Option<String>, DbError> {
    let found: Option<(String,)> =
        db.optional("SELECT segment FROM watch WHERE campaign_id = ?", args![campaign]).await?;
    Ok(found.map(|(segment,)| segment))
}

/// Moves a sweep on; false when another node has meanwhile. `ended`: when the next one begins.
///
/// # Errors
/// What the database says.
pub async fn move_watch(
    tx: &mut Tx,
    campaign: i64,
    (from, to): (i64, i64),
    ended: Option<(Timestamp, Timestamp)>,
) -> Result<bool, DbError> {
    let changed = match ended {
        None => {
            let sql = "UPDATE watch SET position = ? WHERE campaign_id = ? AND position = ?";
            tx.execute(sql, args![to, campaign, from]).await?
        }
        Some((now, next)) => {
            let sql = "UPDATE watch SET position = 0, swept_at = ?, next_at = ? WHERE campaign_id = ? AND position = ?";
            tx.execute(sql, args![now, next, campaign, from]).await?
        }
    };
    Ok(changed == 1)
}

/// The next sweep begins now.
///
/// # Errors
/// What the database says.
pub async fn sweep_now(tx: &mut Tx, campaign: i64, now: Timestamp) -> Result<(), DbError> {
    tx.execute("UPDATE watch SET next_at = ? WHERE campaign_id = ?", args![now, campaign]).await?;
    Ok(())
}

/// The highest customer id.
///
/// # Errors
/// What the database says.
pub async fn last_customer(db: &mut impl Query) -> Result<i64, DbError> {
    Ok(db.one::<(Option<i64>,)>("SELECT max(id) FROM customer", args![]).await?.0.unwrap_or(0))
}

/// Whose membership is to be looked at.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Customers with an id after the first, up to and with the second.
    Range(i64, i64),
    /// These.
    These(Vec<i64>),
}

/// Who has come into the segment, and who has left it, since it was last looked at; remembers it. The caller's
/// transaction must also hold what follows from it. `before`: what the segment was before it was changed; then only those
/// are looked at whom the change alone brought in, or out.
///
/// # Errors
/// What the database says.
pub async fn difference(
    tx: &mut Tx,
    campaign: i64,
    (condition, before): (&Condition, Option<&Condition>),
    whom: &Whom,
    now: Timestamp,
) -> Result<(Vec<i64>, Vec<i64>), DbError> {
    let inside = |condition: &Condition| {
        format!("CAST(CASE WHEN c.erased_at IS NULL AND {} THEN 1 ELSE 0 END AS BIGINT)", condition.sql)
    };
    let from = if before.is_some() { Condition::FROM } else { condition.from() };
    let select = |scope: &str| {
        format!(
            "SELECT id, inside FROM (SELECT c.id, {} AS inside, {} AS before_it, \
             CASE WHEN m.customer_id IS NULL THEN 0 ELSE 1 END AS was FROM {from} \
             LEFT JOIN segment_member m ON m.campaign_id = ? AND m.customer_id = c.id WHERE {scope}) AS d \
             WHERE inside <> was AND inside <> before_it ORDER BY id",
            inside(condition),
            before.map_or("-1".into(), inside),
        )
    };
    let mut args = condition.args.clone();
    args.extend(before.iter().flat_map(|before| before.args.clone()));
    args.extend(args![campaign]);
    let changed: Vec<(i64, i64)> = match whom {
        Whom::Range(after, to) => {
            args.extend(args![*after, *to]);
            tx.all(&select("c.id > ? AND c.id <= ?"), args).await?
        }
        Whom::These(ids) => {
            let sql = format!("WITH wanted(id) AS ({{rows}}) {}", select("c.id IN (SELECT id FROM wanted)"));
            tx.all_with_rows(&sql, Rows::ids(ids), args).await?
        }
    };
    let (now_inside, gone): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, inside)| *inside == 1);
    let (mut entered, mut left) = (Vec::new(), Vec::new());
    // only what this transaction really changed is new: another node may have seen the same person
    for chunk in Rows::pieces(&now_inside, 512) {
        let ids: Vec<i64> = chunk.iter().map(|(id, _)| *id).collect();
        let sql = "WITH wanted(id) AS ({rows}) INSERT INTO segment_member (campaign_id, customer_id, since) \
                   SELECT CAST(? AS BIGINT), id, CAST(? AS BIGINT) FROM wanted WHERE true \
                   ON CONFLICT (campaign_id, customer_id) DO NOTHING RETURNING customer_id";
        entered.extend(tx.all_with_rows::<(i64,)>(sql, Rows::ids(&ids), args![campaign, now]).await?);
    }
    for chunk in Rows::pieces(&gone, 512) {
        let ids: Vec<i64> = chunk.iter().map(|(id, _)| *id).collect();
        let sql = "WITH wanted(id) AS ({rows}) DELETE FROM segment_member WHERE campaign_id = ? \
                   AND customer_id IN (SELECT id FROM wanted) RETURNING customer_id";
        left.extend(tx.all_with_rows::<(i64,)>(sql, Rows::ids(&ids), args![campaign]).await?);
    }
    let plain = |rows: Vec<(i64,)>| {
        let mut ids: Vec<i64> = rows.into_iter().map(|(id,)| id).collect();
        ids.sort_unstable();
        ids
    };
    Ok((plain(entered), plain(left)))
}

/// The customers of whom the log tells after one position, up to another.
///
/// # Errors
/// What the database says.
pub async fn touched(db: &mut impl Query, after: i64, to: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT DISTINCT customer_id FROM event WHERE id > ? AND id <= ? AND customer_id IS NOT NULL ORDER BY customer_id";
    Ok(db.all::<(i64,)>(sql, args![after, to]).await?.into_iter().map(|(id,)| id).collect())
}

/// Events of a kind after one position, up to another, of customers: id, customer, when. Orders that do not stand any more
/// are left out, and so is what the campaign's own mail brought about: it would go round and round.
///
/// # Errors
/// What the database says.
pub async fn happened(
    db: &mut impl Query,
    (campaign, kind): (i64, &str),
    (after, to): (i64, i64),
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(i64, i64, Timestamp)>, DbError> {
    let sql = "SELECT e.id, e.customer_id, e.at FROM event e WHERE e.id > ? AND e.id <= ? AND e.kind = ? AND e.at >= ? \
               AND e.customer_id IS NOT NULL AND (e.campaign_id IS NULL OR e.campaign_id <> ?) \
               AND (e.kind <> 'order' OR EXISTS (SELECT 1 FROM purchase p WHERE p.event_id = e.id \
               AND p.status NOT IN ('cancelled', 'returned'))) ORDER BY e.id LIMIT ?";
    db.all(sql, args![after, to, kind, since, campaign, limit]).await
}

/// Where the log ends.
///
/// # Errors
/// What the database says.
pub async fn last_event(db: &mut impl Query) -> Result<i64, DbError> {
    Ok(db.one::<(Option<i64>,)>("SELECT max(id) FROM event", args![]).await?.0.unwrap_or(0))
}

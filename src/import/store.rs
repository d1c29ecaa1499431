//! The list of imports.

use super::Kind;
use super::kinds::Landed;
use crate::args;
use crate::db::{Db, DbError, FromRow, Query, Row, Rows, Tx};
use crate::types::Timestamp;

/// An import, as it stands in the list.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each name is the column")]
pub struct Batch {
    pub id: i64,
    pub kind: String,
    pub file: String,
    /// `running` (or broken off), `done`, `undone`.
    pub state: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub rows: i64,
    pub inserted: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub rejected: i64,
}

impl FromRow for Batch {
    fn from_row(row: &mut Row<'_>) -> Result<Batch, DbError> {
        Ok(Batch {
            id: row.take()?,
            kind: row.take()?,
            file: row.take()?,
            state: row.take()?,
            started_at: row.take()?,
            finished_at: row.take()?,
            rows: row.take()?,
            inserted: row.take()?,
            updated: row.take()?,
            unchanged: row.take()?,
            rejected: row.take()?,
        })
    }
}

const COLUMNS: &str = "id, kind, file, state, started_at, finished_at, total, inserted, updated, unchanged, rejected";

/// All imports, the latest first.
///
/// # Errors
/// What the database says.
pub async fn batches(db: &mut impl Query, limit: i64) -> Result<Vec<Batch>, DbError> {
    db.all(&format!("SELECT {COLUMNS} FROM import_batch ORDER BY id DESC LIMIT ?"), args![limit]).await
}

pub(super) async fn batch(db: &mut impl Query, id: i64) -> Result<Option<Batch>, DbError> {
    db.optional(&format!("SELECT {COLUMNS} FROM import_batch WHERE id = ?"), args![id]).await
}

pub(super) async fn begin(db: &Db, kind: Kind, file: &str, now: Timestamp) -> Result<i64, DbError> {
    let mut tx = db.begin().await?;
    let sql = "INSERT INTO import_batch (kind, file, state, started_at) VALUES (?, ?, 'running', ?) RETURNING id";
    let (id,): (i64,) = tx.one(sql, args![kind.name(), file, now]).await?;
    tx.commit().await?;
    Ok(id)
}

pub(super) async fn finish(db: &Db, batch: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE import_batch SET state = 'done', finished_at = ? WHERE id = ? AND state = 'running'";
    db.execute(sql, args![now, batch]).await?;
    Ok(())
}

/// What a slice adds to its batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    rows: i64,
    inserted: i64,
    updated: i64,
    unchanged: i64,
}

impl Counts {
    /// Of `found` rows, those that landed.
    pub(super) fn of(outcomes: &[Landed], found: usize) -> Counts {
        let count = |what: Landed| i64::try_from(outcomes.iter().filter(|o| **o == what).count()).unwrap_or(0);
        Counts {
            rows: i64::try_from(found).unwrap_or(0),
            inserted: count(Landed::Inserted),
            updated: count(Landed::Updated),
            unchanged: count(Landed::Unchanged),
        }
    }
}

pub(super) async fn count(tx: &mut Tx, batch: i64, c: Counts) -> Result<(), DbError> {
    let sql = "UPDATE import_batch SET total = total + ?, inserted = inserted + ?, updated = updated + ?, \
               unchanged = unchanged + ?, rejected = rejected + ? WHERE id = ?";
    let rejected = c.rows - c.inserted - c.updated - c.unchanged;
    tx.execute(sql, args![c.rows, c.inserted, c.updated, c.unchanged, rejected, batch]).await?;
    Ok(())
}

/// How far every reader of the log has read: what it has not seen, nothing has used. Cursors with a dot in their names
/// go through other tables.
pub(super) async fn unread_after(tx: &mut Tx) -> Result<i64, DbError> {
    let sql = "SELECT CAST(coalesce(max(position), 0) AS BIGINT) FROM cursor WHERE name NOT LIKE '%.%'";
    let (position,): (i64,) = tx.one(sql, args![]).await?;
    Ok(position)
}

/// The next customers on whom the batch recorded consent.
pub(super) async fn consented(tx: &mut Tx, batch: i64, after: i64, limit: i64) -> Result<Vec<i64>, DbError> {
    let sql =
        "SELECT DISTINCT customer_id FROM consent WHERE batch_id = ? AND customer_id > ? ORDER BY customer_id LIMIT ?";
    Ok(tx.all::<(i64,)>(sql, args![batch, after, limit]).await?.into_iter().map(|(id,)| id).collect())
}

/// Takes back events that no reader of the log has seen, at most `limit`; gives how many. Orders go another way, and
/// what was redeemed stays: the ledger has it.
pub(super) async fn take_back_events(tx: &mut Tx, batch: i64, after: i64, limit: i64) -> Result<u64, DbError> {
    let these = "SELECT e.id FROM event e WHERE e.batch_id = ? AND e.id > ? AND e.kind NOT IN ('order', 'correction', 'redemption') \
                 AND NOT EXISTS (SELECT 1 FROM event x WHERE x.customer_id = e.customer_id AND x.kind = 'correction' AND x.id > e.id) \
                 ORDER BY e.id LIMIT ?";
    let ids: Vec<(i64,)> = tx.all(these, args![batch, after, limit]).await?;
    let Some((last,)) = ids.last().copied() else { return Ok(0) };
    let ids: Vec<i64> = ids.into_iter().map(|(id,)| id).collect();
    for chunk in Rows::pieces(&ids, 512) {
        tx.execute_rows(&of_events("DELETE FROM event WHERE id"), Rows::ids(chunk), args![]).await?;
    }
    debug_assert!(last > after);
    Ok(ids.len() as u64)
}

/// A correction of the log: its id, of which import it is, and what it says.
pub(super) type Correction = (i64, Option<i64>, String);

/// Of `e`, a correction: that nothing has put right again what it did. `undo:` is the key of what puts an event right.
const STANDS: &str = "NOT EXISTS (SELECT 1 FROM event u WHERE u.dedupe_key = 'undo:' || CAST(e.id AS TEXT))";

/// The last corrections that the batch brought and that stand, before event `before`.
pub(super) async fn corrections_of(
    tx: &mut Tx,
    batch: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<Correction>, DbError> {
    let sql = format!(
        "SELECT e.id, e.batch_id, e.data FROM event e WHERE e.batch_id = ? AND e.kind = 'correction' AND e.id < ? AND {STANDS} \
         ORDER BY e.id DESC LIMIT ?"
    );
    tx.all(&sql, args![batch, before, limit]).await
}

/// The corrections about these customers that others than the batch have made and that stand.
pub(super) async fn corrections_by_others(
    tx: &mut Tx,
    batch: i64,
    customers: &[i64],
) -> Result<Vec<Correction>, DbError> {
    let sql = format!(
        "WITH input(k) AS ({{rows}}) SELECT e.id, e.batch_id, e.data FROM input CROSS JOIN event e WHERE e.customer_id = input.k \
         AND e.kind = 'correction' AND (e.batch_id IS NULL OR e.batch_id <> ?) AND e.dedupe_key NOT LIKE 'undo:%' \
         AND {STANDS} ORDER BY e.id"
    );
    let mut all = Vec::new();
    for chunk in Rows::pieces(customers, 512) {
        all.extend(tx.all_with_rows::<Correction>(&sql, Rows::ids(chunk), args![batch]).await?);
    }
    Ok(all)
}

/// Those of these events for which rewards were granted.
pub(super) async fn rewarded(tx: &mut Tx, events: &[i64]) -> Result<Vec<i64>, DbError> {
    let sql = "WITH input(k) AS ({rows}) SELECT DISTINCT l.order_id FROM input JOIN reward_lot l ON l.order_id = input.k WHERE l.granted > l.reversed";
    let mut all = Vec::new();
    for chunk in Rows::pieces(events, 512) {
        all.extend(tx.all_with_rows::<(i64,)>(sql, Rows::ids(chunk), args![]).await?.into_iter().map(|(id,)| id));
    }
    Ok(all)
}

fn of_events(head: &str) -> String {
    format!("WITH input(k) AS ({{rows}}) {head} IN (SELECT k FROM input)")
}

/// Why customers that a batch made are kept: each condition, over `c`, with its words.
const USES: &[(&str, &str)] = &[
    ("c.erased_at IS NOT NULL", "were erased"),
    ("c.updated_at > ?", "were changed since"),
    ("EXISTS (SELECT 1 FROM message m WHERE m.customer_id = c.id)", "were mailed"),
    ("EXISTS (SELECT 1 FROM enrolment n WHERE n.customer_id = c.id)", "are in a campaign"),
    (
        // an order that was taken back is none, nor is the correction that says so
        "EXISTS (SELECT 1 FROM event e WHERE e.customer_id = c.id AND e.dedupe_key NOT LIKE 'undone:%' \
         AND NOT (e.kind = 'correction' AND e.dedupe_key LIKE 'undo:%'))",
        "have events or orders",
    ),
    (
        "EXISTS (SELECT 1 FROM consent k WHERE k.customer_id = c.id)",
        "have consents from elsewhere, or that mail relied on",
    ),
    ("EXISTS (SELECT 1 FROM survey_answer a WHERE a.customer_id = c.id)", "have answered"),
    ("EXISTS (SELECT 1 FROM reward_lot r WHERE r.customer_id = c.id)", "have rewards"),
];

/// Takes back the next customers whom the batch made and nothing uses, of at most `limit` after `after`. Gives how many
/// were looked at and taken back, and the last id.
pub(super) async fn take_back_customers(
    tx: &mut Tx,
    batch: &Batch,
    after: i64,
    limit: i64,
) -> Result<Option<(i64, u64)>, DbError> {
    let sql = "SELECT id FROM customer WHERE batch_id = ? AND id > ? ORDER BY id LIMIT ?";
    let ids: Vec<(i64,)> = tx.all(sql, args![batch.id, after, limit]).await?;
    let Some((last,)) = ids.last().copied() else { return Ok(None) };
    let unused: Vec<String> = USES.iter().map(|(used, _)| format!("NOT ({used})")).collect();
    let sql = format!(
        "SELECT c.id FROM customer c WHERE c.batch_id = ? AND c.id > ? AND c.id <= ? AND {} ORDER BY c.id",
        unused.join(" AND ")
    );
    let unused: Vec<(i64,)> = tx.all(&sql, args![batch.id, after, last, batch.started_at]).await?;
    let unused: Vec<i64> = unused.into_iter().map(|(id,)| id).collect();
    for chunk in Rows::pieces(&unused, 512) {
        for table in ["segment_member", "relationship", "consent_state"] {
            tx.execute_rows(&of_events(&format!("DELETE FROM {table} WHERE customer_id")), Rows::ids(chunk), args![])
                .await?;
        }
        tx.execute_rows(&of_events("DELETE FROM customer WHERE id"), Rows::ids(chunk), args![]).await?;
    }
    Ok(Some((last, unused.len() as u64)))
}

/// How many customers of the batch stand, and for each reason how many of them; one may have several.
pub(super) async fn kept_customers(db: &mut impl Query, batch: &Batch) -> Result<Vec<(String, i64)>, DbError> {
    let mut kept = Vec::new();
    for (used, words) in USES {
        let sql = format!("SELECT count(*) FROM customer c WHERE c.batch_id = ? AND {used}");
        let mut args = args![batch.id];
        if used.contains('?') {
            args.push(batch.started_at.into());
        }
        let (n,): (i64,) = db.one(&sql, args).await?;
        if n > 0 {
            kept.push(((*words).to_owned(), n));
        }
    }
    Ok(kept)
}

/// How many rows of a table still carry the batch.
pub(super) async fn standing(db: &mut impl Query, table: Standing, batch: i64) -> Result<i64, DbError> {
    let sql = match table {
        Standing::Customers => "SELECT count(*) FROM customer WHERE batch_id = ?",
        Standing::Events => "SELECT count(*) FROM event WHERE batch_id = ? AND kind NOT IN ('order', 'correction')",
        Standing::Consents => "SELECT count(*) FROM consent WHERE batch_id = ?",
    };
    let (n,): (i64,) = db.one(sql, args![batch]).await?;
    Ok(n)
}

/// What may still carry a batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    Customers,
    Events,
    Consents,
}

pub(super) async fn mark_undone(tx: &mut Tx, batch: i64) -> Result<(), DbError> {
    tx.execute("UPDATE import_batch SET state = 'undone' WHERE id = ?", args![batch]).await?;
    Ok(())
}

//! Addresses that get no mail, whoever has them. Only a person lifts one, and that is audited.

use crate::args;
use crate::customer::{LEDGER_LOCK, Note, audit, note};
use crate::db::{Args, DbError, FromRow, Query, Row, Rows, Tx, Type, Value};
use crate::types::Timestamp;
use std::collections::HashSet;

/// A suppression to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSuppression {
    /// The normalised address.
    pub address: String,
    /// `hard-bounce`, `soft-bounce`, `complaint`, `manual`, `import`.
    pub reason: String,
    /// Who says so.
    pub source: String,
    /// The mail that brought it about.
    pub message: Option<i64>,
    /// The import that brought it.
    pub batch: Option<i64>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// A word for people.
    pub note: Option<String>,
}

/// A suppression as it stands, or stood.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as in NewSuppression")]
pub struct Suppression {
    pub id: i64,
    pub address: String,
    pub reason: String,
    pub source: String,
    pub message: Option<i64>,
    pub batch: Option<i64>,
    pub created_at: Timestamp,
    pub until: Option<Timestamp>,
    pub lifted_at: Option<Timestamp>,
    pub lifted_by: Option<String>,
    pub note: Option<String>,
}

impl FromRow for Suppression {
    fn from_row(row: &mut Row<'_>) -> Result<Suppression, DbError> {
        Ok(Suppression {
            id: row.take()?,
            address: row.take()?,
            reason: row.take()?,
            source: row.take()?,
            message: row.take()?,
            batch: row.take()?,
            created_at: row.take()?,
            until: row.take()?,
            lifted_at: row.take()?,
            lifted_by: row.take()?,
            note: row.take()?,
        })
    }
}

/// Suppresses one address, with a line in the audit. True when it is new; one that stands for the same reason is kept,
/// and lasts as long as the longer of the two.
///
/// # Errors
/// What the database says.
pub async fn suppress(tx: &mut Tx, new: &NewSuppression, actor: &str, now: Timestamp) -> Result<bool, DbError> {
    let added = suppress_many(tx, std::slice::from_ref(new), now).await?;
    if added == [true] {
        audit(tx, actor, "suppression add", &new.address, Some(&new.reason), now).await?;
    }
    Ok(added == [true])
}

/// Suppresses many addresses; the audit of an import is its batch. Gives for each whether it changed anything.
///
/// # Errors
/// What the database says.
pub async fn suppress_many(tx: &mut Tx, new: &[NewSuppression], now: Timestamp) -> Result<Vec<bool>, DbError> {
    const TYPES: &[Type] =
        &[Type::Text, Type::Text, Type::Text, Type::Int, Type::Int, Type::Int, Type::Text, Type::Int];
    // only what is longer than what stands is an update, so that the same file twice changes nothing
    let sql = "INSERT INTO suppression (address, reason, source, message_id, batch_id, until, note, created_at) \
               SELECT * FROM ({rows}) AS input WHERE true ON CONFLICT (address, reason) WHERE lifted_at IS NULL \
               DO UPDATE SET until = excluded.until \
               WHERE suppression.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppression.until) \
               RETURNING id, address, reason";
    let mut changed = Vec::with_capacity(new.len());
    // two files with the same addresses would wait for each other's rows
    tx.serialise(LEDGER_LOCK).await?;
    for chunk in Rows::pieces(new, 512) {
        let mut rows = Rows::new(TYPES);
        let mut seen = HashSet::new();
        let mut later = Vec::new();
        for (i, s) in chunk.iter().enumerate() {
            // one statement may not meet its own row
            if !seen.insert((s.address.as_str(), s.reason.as_str())) {
                later.push(i);
                continue;
            }
            rows.push(row(s, now));
        }
        let told: Vec<(i64, String, String)> = tx.all_with_rows(sql, rows, args![]).await?;
        let mut ids: Vec<i64> = told.iter().map(|(id, ..)| *id).collect();
        let told: HashSet<(String, String)> = told.into_iter().map(|(_, address, reason)| (address, reason)).collect();
        let start = changed.len();
        changed.extend(chunk.iter().map(|s| told.contains(&(s.address.clone(), s.reason.clone()))));
        for i in later {
            let mut rows = Rows::new(TYPES);
            rows.push(row(&chunk[i], now));
            let told: Vec<(i64, String, String)> = tx.all_with_rows(sql, rows, args![]).await?;
            changed[start + i] = !told.is_empty();
            ids.extend(told.into_iter().map(|(id, ..)| id));
        }
        note(tx, Note::Suppression, &ids, None, now).await?;
    }
    Ok(changed)
}

fn row(s: &NewSuppression, now: Timestamp) -> Vec<Value> {
    args![&s.address, &s.reason, &s.source, s.message, s.batch, s.until, s.note.as_deref(), now]
}

/// Lifts every standing suppression of an address, with a line in the audit. Gives how many there were.
///
/// # Errors
/// What the database says.
pub async fn lift(tx: &mut Tx, address: &str, actor: &str, now: Timestamp) -> Result<u64, DbError> {
    let sql =
        "UPDATE suppression SET lifted_at = ?, lifted_by = ? WHERE address = ? AND lifted_at IS NULL RETURNING id";
    let lifted = noted(tx, sql, args![now, actor, address], now).await?;
    if lifted > 0 {
        audit(tx, actor, "suppression lift", address, None, now).await?;
    }
    Ok(lifted)
}

/// Takes back what an import suppressed and still stands. Gives how many there were.
///
/// # Errors
/// What the database says.
pub async fn lift_batch(tx: &mut Tx, batch: i64, actor: &str, now: Timestamp) -> Result<u64, DbError> {
    let sql =
        "UPDATE suppression SET lifted_at = ?, lifted_by = ? WHERE batch_id = ? AND lifted_at IS NULL RETURNING id";
    noted(tx, sql, args![now, actor, batch], now).await
}

/// Changes suppressions by a statement that gives their ids, and notes them; gives how many there were.
async fn noted(tx: &mut Tx, sql: &str, args: Args, now: Timestamp) -> Result<u64, DbError> {
    tx.serialise(LEDGER_LOCK).await?;
    let ids: Vec<i64> = tx.all::<(i64,)>(sql, args).await?.into_iter().map(|(id,)| id).collect();
    note(tx, Note::Suppression, &ids, None, now).await?;
    Ok(ids.len() as u64)
}

/// Which suppressions to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of addresses of this domain.
    pub domain: Option<String>,
    /// Made at or after.
    pub since: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
    /// Those that were lifted or have ended, too.
    pub all: bool,
    /// After this id, for paging.
    pub after: i64,
    /// At most so many; 0 for all.
    pub limit: i64,
}

/// Suppressions in the order in which they were made.
///
/// # Errors
/// What the database says.
pub async fn list(db: &mut impl Query, filter: &Filter, now: Timestamp) -> Result<Vec<Suppression>, DbError> {
    let mut sql = String::from(
        "SELECT id, address, reason, source, message_id, batch_id, created_at, until, lifted_at, lifted_by, note \
         FROM suppression WHERE id > ?",
    );
    let mut args = args![filter.after];
    if let Some(domain) = &filter.domain {
        // as an address has it: the domain in A-labels
        let domain = idna::domain_to_ascii(domain.trim().trim_start_matches('@')).unwrap_or_else(|_| domain.clone());
        let pattern = format!("%@{}", domain.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        sql.push_str(" AND ");
        sql.push_str(&db.dialect().like("address", "?"));
        args.push(pattern.into());
    }
    if let Some(since) = filter.since {
        sql.push_str(" AND created_at >= ?");
        args.push(since.into());
    }
    if let Some(until) = filter.until {
        sql.push_str(" AND created_at < ?");
        args.push(until.into());
    }
    if !filter.all {
        sql.push_str(" AND lifted_at IS NULL AND (until IS NULL OR until > ?)");
        args.push(now.into());
    }
    sql.push_str(" ORDER BY id");
    if filter.limit > 0 {
        sql.push_str(" LIMIT ?");
        args.push(filter.limit.into());
    }
    db.all(&sql, args).await
}

/// Whether an address is suppressed now.
///
/// # Errors
/// What the database says.
pub async fn is_suppressed(db: &mut impl Query, address: &str, now: Timestamp) -> Result<bool, DbError> {
    let sql =
        "SELECT id FROM suppression WHERE address = ? AND lifted_at IS NULL AND (until IS NULL OR until > ?) LIMIT 1";
    Ok(db.optional::<(i64,)>(sql, args![address, now]).await?.is_some())
}

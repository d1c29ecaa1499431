//! The SQL of the journal: what was noted, and what a replay looks up and changes.

use super::entry::{Entry, Line, Suppression, Withdrawal};
use crate::args;
use crate::customer::{Note, note};
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::{Timestamp, bucket::bucket};
use std::collections::{HashMap, HashSet};

/// The id of the newest note; 0 of none.
pub(super) async fn newest(db: &mut impl Query) -> Result<i64, DbError> {
    Ok(db.one::<(Option<i64>,)>("SELECT max(id) FROM journal", args![]).await?.0.unwrap_or(0))
}

/// The newest note, as the place at which a restored database stands.
pub(super) async fn newest_line(db: &mut impl Query) -> Result<Option<Line>, DbError> {
    let sql = "SELECT id, subject, at FROM journal ORDER BY id DESC LIMIT 1";
    let row: Option<(i64, i64, Timestamp)> = db.optional(sql, args![]).await?;
    Ok(row.map(|(id, subject, at)| Line { id, subject, at, entry: Entry::Restored }))
}

/// Whether a line of the file comes from this database.
pub(super) async fn holds(db: &mut impl Query, line: &Line) -> Result<bool, DbError> {
    let sql = "SELECT id FROM journal WHERE id = ? AND subject = ? AND at = ?";
    Ok(db.optional::<(i64,)>(sql, args![line.id, line.subject, line.at]).await?.is_some())
}

/// Of these lines, the ids of those that this database has noted itself.
pub(super) async fn known(db: &mut impl Query, lines: &[Line]) -> Result<HashSet<i64>, DbError> {
    let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Int]);
    lines.iter().for_each(|line| rows.push(args![line.id, line.subject, line.at]));
    let sql = "WITH input(id, subject, at) AS ({rows}) SELECT j.id FROM input \
               JOIN journal j ON j.id = input.id AND j.subject = input.subject AND j.at = input.at";
    let found: Vec<(i64,)> = db.all_with_rows(sql, rows, args![]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Up to `limit` notes after `after`, in their order, with all that a replay needs.
pub(super) async fn lines(db: &mut impl Query, after: i64, limit: i64) -> Result<Vec<Line>, DbError> {
    let sql = "SELECT id, kind, subject, data, at FROM journal WHERE id > ? ORDER BY id LIMIT ?";
    let notes: Vec<(i64, String, i64, Option<String>, Timestamp)> = db.all(sql, args![after, limit]).await?;
    let of = |kind: Note| {
        let mut rows = Rows::new(&[Type::Int]);
        notes.iter().filter(|note| note.1 == kind.name()).for_each(|note| rows.push(args![note.2]));
        rows
    };
    let mut withdrawals = withdrawals(db, of(Note::Withdrawal)).await?;
    let mut suppressions = suppressions(db, of(Note::Suppression)).await?;
    let line = |(id, kind, subject, data, at): (i64, String, i64, Option<String>, Timestamp)| {
        let entry = match kind.as_str() {
            "withdrawal" => withdrawals.remove(&subject).map(Entry::Withdrawal),
            // one row may have been noted twice: made, and lifted
            "suppression" => suppressions.get_mut(&subject).map(|found| Entry::Suppression(found.clone())),
            "erasure" => {
                let hashes = serde_json::from_str(data.as_deref().unwrap_or("[]"));
                let wrong = |e| DbError::Shape(format!("the hashes of note {id} are no list: {e}"));
                Some(Entry::Erasure { hashes: hashes.map_err(wrong)? })
            }
            "undone" => Some(Entry::Undone),
            other => return Err(DbError::Shape(format!("a note of an unknown kind `{other}`"))),
        };
        Ok(Line { id, subject, at, entry: entry.unwrap_or(Entry::Gone) })
    };
    notes.into_iter().map(line).collect()
}

async fn withdrawals(db: &mut impl Query, of: Rows) -> Result<HashMap<i64, Withdrawal>, DbError> {
    struct Found(i64, Withdrawal);
    impl FromRow for Found {
        fn from_row(row: &mut Row<'_>) -> Result<Found, DbError> {
            let id = row.take()?;
            let withdrawal = Withdrawal {
                customer: row.take()?,
                external_id: row.take()?,
                email: row.take()?,
                topic: row.take()?,
                since: row.take()?,
                own_act: row.take()?,
                source: row.take()?,
                text: row.take()?,
            };
            Ok(Found(id, withdrawal))
        }
    }
    let sql = "WITH input(id) AS ({rows}) SELECT k.id, k.customer_id, c.external_id, c.email, k.topic, k.at, k.own_act, \
               k.source, k.text_version FROM input JOIN consent k ON k.id = input.id \
               LEFT JOIN customer c ON c.id = k.customer_id";
    let found: Vec<Found> = db.all_with_rows(sql, of, args![]).await?;
    Ok(found.into_iter().map(|found| (found.0, found.1)).collect())
}

async fn suppressions(db: &mut impl Query, of: Rows) -> Result<HashMap<i64, Suppression>, DbError> {
    struct Found(i64, Suppression);
    impl FromRow for Found {
        fn from_row(row: &mut Row<'_>) -> Result<Found, DbError> {
            let id = row.take()?;
            let suppression = Suppression {
                address: row.take()?,
                reason: row.take()?,
                source: row.take()?,
                created_at: row.take()?,
                until: row.take()?,
                lifted_at: row.take()?,
                lifted_by: row.take()?,
                note: row.take()?,
            };
            Ok(Found(id, suppression))
        }
    }
    let sql = "WITH input(id) AS ({rows}) SELECT s.id, s.address, s.reason, s.source, s.created_at, s.until, s.lifted_at, \
               s.lifted_by, s.note FROM suppression s WHERE s.id IN (SELECT id FROM input)";
    let found: Vec<Found> = db.all_with_rows(sql, of, args![]).await?;
    Ok(found.into_iter().map(|found| (found.0, found.1)).collect())
}

/// A customer, as far as a replay has to tell who it is.
pub(super) struct Person {
    pub id: i64,
    pub external_id: Option<String>,
    pub email: Option<String>,
    pub created_at: Timestamp,
    pub erased: bool,
}

impl FromRow for Person {
    fn from_row(row: &mut Row<'_>) -> Result<Person, DbError> {
        Ok(Person {
            id: row.take()?,
            external_id: row.take()?,
            email: row.take()?,
            created_at: row.take()?,
            erased: row.take()?,
        })
    }
}

const PERSON: &str = "SELECT id, external_id, email, created_at, CAST(CASE WHEN erased_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM customer";

pub(super) async fn person(tx: &mut Tx, id: i64) -> Result<Option<Person>, DbError> {
    tx.optional(&format!("{PERSON} WHERE id = ?"), args![id]).await
}

pub(super) async fn by_external(tx: &mut Tx, external: &str) -> Result<Option<Person>, DbError> {
    tx.optional(&format!("{PERSON} WHERE external_id = ?"), args![external]).await
}

/// Who is known by this address only.
pub(super) async fn by_address(tx: &mut Tx, email: &str) -> Result<Option<Person>, DbError> {
    tx.optional(&format!("{PERSON} WHERE email = ? AND external_id IS NULL"), args![email]).await
}

/// Customers after an id, in the order of the ids.
pub(super) async fn people_after(db: &mut impl Query, after: i64, limit: i64) -> Result<Vec<Person>, DbError> {
    db.all(&format!("{PERSON} WHERE id > ? ORDER BY id LIMIT ?"), args![after, limit]).await
}

/// A customer of whom nothing is known but the names; under the id that it had.
pub(super) async fn revive(tx: &mut Tx, id: i64, of: &Withdrawal, now: Timestamp) -> Result<(), DbError> {
    let domain = of.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let sql = "INSERT INTO customer (id, bucket, external_id, email, email_domain, source, created_at, updated_at) \
               VALUES (?, ?, ?, ?, ?, 'journal', ?, ?)";
    let args =
        args![id, bucket(id), of.external_id.as_deref(), of.email.as_deref(), domain, of.since, now.max(of.since)];
    tx.execute(sql, args).await?;
    Ok(())
}

pub(super) async fn has_withdrawal(tx: &mut Tx, customer: i64, of: &Withdrawal) -> Result<bool, DbError> {
    let sql = "SELECT id FROM consent WHERE customer_id = ? AND topic = ? AND state = 'withdrawn' AND at = ? LIMIT 1";
    Ok(tx.optional::<(i64,)>(sql, args![customer, &of.topic, of.since]).await?.is_some())
}

/// The same suppression, by what it is: its id here, and whether it stands.
pub(super) async fn same_suppression(tx: &mut Tx, of: &Suppression) -> Result<Option<(i64, bool)>, DbError> {
    let sql = "SELECT id, CAST(CASE WHEN lifted_at IS NULL THEN 1 ELSE 0 END AS BIGINT) FROM suppression \
               WHERE address = ? AND reason = ? AND created_at = ? ORDER BY id DESC LIMIT 1";
    tx.optional(sql, args![&of.address, &of.reason, of.created_at]).await
}

pub(super) async fn lift(tx: &mut Tx, id: i64, at: Timestamp, by: Option<&str>, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE suppression SET lifted_at = ?, lifted_by = ? WHERE id = ? AND lifted_at IS NULL";
    tx.execute(sql, args![at, by, id]).await?;
    note(tx, Note::Suppression, &[id], None, now).await
}

/// Remembers the hashes of somebody erased; gives how many are new.
pub(super) async fn remember(tx: &mut Tx, hashes: &[String], at: Timestamp) -> Result<u64, DbError> {
    let mut new = 0;
    for hash in hashes {
        let sql = "INSERT INTO erased (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING";
        new += tx.execute(sql, args![hash, at]).await?;
    }
    Ok(new)
}

//! Tokens and answers in the database.

use super::tokens::Token;
use crate::args;
use crate::db::{Db, DbError, FromRow, Query, Row, Tx};
use crate::types::Timestamp;

/// By so many digits of its hash a row is found.
const LOOKUP: usize = 16;

pub(super) struct Stored {
    pub token: Token,
    pub hash: String,
}

impl FromRow for Stored {
    fn from_row(row: &mut Row<'_>) -> Result<Stored, DbError> {
        let token = Token {
            id: row.take()?,
            name: row.take()?,
            scopes: row.take::<String>()?.split(',').map(str::to_owned).collect(),
            created_at: row.take()?,
            expires_at: row.take()?,
            revoked_at: row.take()?,
            used_on: row.take()?,
        };
        Ok(Stored { token, hash: row.take()? })
    }
}

const COLUMNS: &str = "id, name, scopes, created_at, expires_at, revoked_at, used_on, hash";

pub(super) async fn insert(
    tx: &mut Tx,
    name: &str,
    scopes: &str,
    hash: &blake3::Hash,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<i64, DbError> {
    let sql = "INSERT INTO api_token (name, scopes, lookup, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id";
    let hash = hash.to_hex();
    let (id,): (i64,) = tx.one(sql, args![name, scopes, &hash[..LOOKUP], hash.as_str(), now, expires_at]).await?;
    Ok(id)
}

pub(super) async fn all(db: &mut impl Query) -> Result<Vec<Stored>, DbError> {
    db.all(&format!("SELECT {COLUMNS} FROM api_token ORDER BY id"), args![]).await
}

pub(super) async fn by_hash(db: &mut impl Query, hash: &blake3::Hash) -> Result<Option<Stored>, DbError> {
    let hash = hash.to_hex();
    db.optional(&format!("SELECT {COLUMNS} FROM api_token WHERE lookup = ?"), args![&hash[..LOOKUP]]).await
}

/// False when it was taken back already.
pub(super) async fn revoke(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool, DbError> {
    let sql = "UPDATE api_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
    Ok(tx.execute(sql, args![now, id]).await? > 0)
}

pub(super) async fn used(db: &Db, id: i64, day: i64) -> Result<(), DbError> {
    let sql = "UPDATE api_token SET used_on = ? WHERE id = ? AND (used_on IS NULL OR used_on < ?)";
    db.execute(sql, args![day, id, day]).await.map(|_| ())
}

pub(super) struct Answer {
    pub request: String,
    pub claim: String,
    pub at: Timestamp,
    pub status: Option<i64>,
    pub answer: Option<String>,
}

impl FromRow for Answer {
    fn from_row(row: &mut Row<'_>) -> Result<Answer, DbError> {
        Ok(Answer {
            request: row.take()?,
            claim: row.take()?,
            at: row.take()?,
            status: row.take()?,
            answer: row.take()?,
        })
    }
}

/// False when the key is in use.
pub(super) async fn claim(
    tx: &mut Tx,
    token: i64,
    key: &str,
    request: &str,
    claim: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql =
        "INSERT INTO api_answer (token_id, key, request, claim, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, args![token, key, request, claim, now]).await? > 0)
}

pub(super) async fn answer(db: &mut impl Query, token: i64, key: &str) -> Result<Option<Answer>, DbError> {
    let sql = "SELECT request, claim, at, status, answer FROM api_answer WHERE token_id = ? AND key = ?";
    db.optional(sql, args![token, key]).await
}

/// False when another was faster.
pub(super) async fn take_over(
    tx: &mut Tx,
    token: i64,
    key: &str,
    before: &str,
    request: &str,
    claim: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "UPDATE api_answer SET request = ?, claim = ?, at = ?, status = NULL, answer = NULL \
               WHERE token_id = ? AND key = ? AND claim = ?";
    Ok(tx.execute(sql, args![request, claim, now, token, key, before]).await? > 0)
}

pub(super) async fn keep(
    db: &Db,
    token: i64,
    key: &str,
    claim: &str,
    status: i64,
    answer: &str,
) -> Result<(), DbError> {
    let sql =
        "UPDATE api_answer SET status = ?, answer = ? WHERE token_id = ? AND key = ? AND claim = ? AND status IS NULL";
    db.execute(sql, args![status, answer, token, key, claim]).await.map(|_| ())
}

pub(super) async fn release(db: &Db, token: i64, key: &str, claim: &str) -> Result<(), DbError> {
    let sql = "DELETE FROM api_answer WHERE token_id = ? AND key = ? AND claim = ? AND status IS NULL";
    db.execute(sql, args![token, key, claim]).await.map(|_| ())
}

pub(super) async fn forget(db: &Db, before: i64, limit: i64) -> Result<u64, DbError> {
    let sql = "SELECT at FROM api_answer WHERE at < ? LIMIT 1";
    if (&mut &*db).optional::<(i64,)>(sql, args![before]).await?.is_none() {
        // nothing to write: the writer is others'
        return Ok(0);
    }
    let sql = "DELETE FROM api_answer WHERE (token_id, key) IN \
               (SELECT token_id, key FROM api_answer WHERE at < ? ORDER BY at LIMIT ?)";
    db.execute(sql, args![before, limit]).await
}

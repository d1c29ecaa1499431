//! What the database remembers of its site, in `meta`.

use crate::args;
use crate::db::{DbError, Query, Tx};

pub(super) async fn read(tx: &mut Tx, key: &str) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = tx.optional("SELECT value FROM meta WHERE key = ?", args![key]).await?;
    Ok(row.map(|(value,)| value))
}

pub(super) async fn write(tx: &mut Tx, key: &str, value: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, args![key, value]).await.map(|_| ())
}

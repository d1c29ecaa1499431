//! Where the ids of each table stand. Old mail carries ids in its links, so an id that was given once is never given
//! again, not even after a restore of a database that does not know it yet.

use super::{Db, DbError, dialect::Dialect};
use crate::args;
use std::collections::BTreeMap;

/// The last id given, by table.
///
/// # Errors
/// What the database says.
pub async fn positions(db: &Db) -> Result<BTreeMap<String, i64>, DbError> {
    let rows: Vec<(String, i64)> = match db.dialect() {
        Dialect::Sqlite => db.all("SELECT name, seq FROM sqlite_sequence", args![]).await?,
        Dialect::Postgres => {
            let sql = "SELECT c.table_name::text, COALESCE(s.last_value, 0)::bigint FROM information_schema.columns c \
                       JOIN pg_sequences s ON s.schemaname = c.table_schema \
                       AND quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) = \
                       pg_get_serial_sequence(quote_ident(c.table_schema) || '.' || quote_ident(c.table_name), c.column_name) \
                       WHERE c.table_schema = current_schema() AND c.is_identity = 'YES'";
            db.all(sql, args![]).await?
        }
    };
    Ok(rows.into_iter().collect())
}

/// Moves the sequences on, where they stand before `to`; a table that is not named stays.
///
/// # Errors
/// What the database says.
pub async fn advance(db: &Db, to: &BTreeMap<String, i64>) -> Result<(), DbError> {
    let now = positions(db).await?;
    let mut tx = db.begin().await?;
    for (table, last) in to {
        let stands = now.get(table).copied();
        if *last <= stands.unwrap_or(0) {
            continue;
        }
        match (db.dialect(), stands) {
            (Dialect::Sqlite, Some(_)) => {
                tx.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", args![*last, table]).await?;
            }
            (Dialect::Sqlite, None) => {
                // a table that this version does not have any more is passed over
                let sql = "INSERT INTO sqlite_sequence (name, seq) SELECT name, ? FROM sqlite_master WHERE type = 'table' AND name = ?";
                tx.execute(sql, args![*last, table]).await?;
            }
            (Dialect::Postgres, Some(_)) => set_postgres(&mut tx, table, *last).await?,
            (Dialect::Postgres, None) => {}
        }
    }
    tx.commit().await
}

async fn set_postgres(tx: &mut super::Tx, table: &str, last: i64) -> Result<(), DbError> {
    use super::Query as _;
    let sql = "SELECT setval(pg_get_serial_sequence(quote_ident(table_name), column_name), ?) FROM information_schema.columns \
               WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'YES'";
    tx.all::<(i64,)>(sql, args![last, table]).await?;
    Ok(())
}

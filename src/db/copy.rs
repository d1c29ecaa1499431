//! SQLite into an empty PostgreSQL database, with all ids, so that old links work.
//!
//! One snapshot of the source, one transaction of the target: it holds all of it in the end, or nothing. Tables and
//! columns are read from both databases, so a new table needs no word here. Called by `dangol db copy`.

use super::{Db, DbError, Pools, location::Location, migrate, sequence};
use crate::args;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _, ValueRef as _};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows that are read at once.
const SLICE: i64 = 1_000;
/// Bytes that are handed to PostgreSQL at once, about.
const CHUNK: usize = 256 * 1024;

/// What was copied: rows by table.
pub type Copied = BTreeMap<String, i64>;

/// Told after each slice: the table, and how many of its rows are over.
pub type Progress<'a> = &'a mut (dyn FnMut(&str, i64) + Send);

/// A column, and how PostgreSQL has it.
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Int,
    Real,
    Text,
    Blob,
}

/// Copies all of `from` into the empty database at `to`, whose tables it makes.
///
/// # Errors
/// When the target is not empty, a table differs, the source was written to meanwhile, or the counts differ in the end;
/// then nothing is in the target but empty tables.
pub async fn copy(from: &Db, to: &Location, progress: Progress<'_>) -> Result<Copied, DbError> {
    let Pools::Sqlite { read, .. } = &from.pools else {
        return Err(refused("this database is PostgreSQL already: copy it with pg_dump and pg_restore"));
    };
    let Location::Postgres(url) = to else {
        return Err(refused(
            "the target of a copy begins with postgres://; for a copy in SQLite use `dangol db backup`",
        ));
    };
    // once by itself, because a pool goes on trying for half a minute
    let tried = PgConnection::connect(url).await;
    let unreachable = |source| DbError::Open { what: to.to_string(), source };
    tried.map_err(unreachable)?.close().await.map_err(unreachable)?;
    let target = Db::open(to).await?;
    let mut source = read.acquire().await?;
    let done = into(&mut source, &target, to, progress).await;
    target.close().await;
    done
}

async fn into(
    source: &mut SqliteConnection,
    target: &Db,
    to: &Location,
    progress: Progress<'_>,
) -> Result<Copied, DbError> {
    let Pools::Postgres(pool) = &target.pools else { return Err(refused("the target is not PostgreSQL")) };
    empty(target, to).await?;
    migrate::apply(target, to, true).await?;
    let before = data_version(source).await?;
    let mut snapshot = source.begin().await?;
    let mut tx = pool.begin().await?;
    let mut copied = Copied::new();
    for table in tables(&mut snapshot).await? {
        let columns = columns(&mut snapshot, &mut tx, &table).await?;
        lock_empty(&mut tx, &table).await?;
        rows(&mut snapshot, &mut tx, &table, &columns, progress).await?;
        let sql = format!("SELECT count(*) FROM {}", quoted(&table));
        let (here,): (i64,) = sqlx::query_as(&sql).fetch_one(&mut *snapshot).await?;
        let (there,): (i64,) = sqlx::query_as(&sql).fetch_one(&mut *tx).await?;
        if here != there {
            return Err(refused(&format!("{table} has {here} rows here and {there} there: nothing was copied")));
        }
        copied.insert(table, here);
    }
    let ids: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, seq FROM sqlite_sequence").fetch_all(&mut *snapshot).await?;
    snapshot.rollback().await?;
    if data_version(source).await? != before {
        return Err(refused(
            "somebody wrote to the database while it was copied: stop every dangol of this workspace, and copy again",
        ));
    }
    // sequences stand outside of transactions: moved before the rows are there, they do no harm if those do not come
    sequence::advance(target, &ids.into_iter().collect()).await?;
    tx.commit().await?;
    Ok(copied)
}

fn refused(why: &str) -> DbError {
    DbError::Refused(why.to_owned())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Moves whenever another connection has written.
async fn data_version(source: &mut SqliteConnection) -> Result<i64, DbError> {
    let (version,): (i64,) = sqlx::query_as("PRAGMA data_version").fetch_one(source).await?;
    Ok(version)
}

/// That nothing is there that could be overwritten.
async fn empty(target: &Db, to: &Location) -> Result<(), DbError> {
    let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() \
               AND table_type = 'BASE TABLE' AND table_name <> '_sqlx_migrations' ORDER BY table_name";
    let found: Vec<(String,)> = target.all(sql, args![]).await?;
    let full = |what: String| {
        Err(refused(&format!("{to} is not empty ({what}): give a new database, such as `createdb dangol` makes")))
    };
    if migrate::version(target).await? == 0 && !found.is_empty() {
        let names: Vec<String> = found.into_iter().map(|(name,)| name).take(5).collect();
        return full(format!("it has tables of others: {}", names.join(", ")));
    }
    for (table,) in found {
        let sql = format!("SELECT 1::bigint FROM {} LIMIT 1", quoted(&table));
        if target.optional::<(i64,)>(&sql, args![]).await?.is_some() {
            return full(format!("there are rows in {table}"));
        }
    }
    Ok(())
}

/// Nobody may fill the table while we do.
async fn lock_empty(tx: &mut PgConnection, table: &str) -> Result<(), DbError> {
    sqlx::query(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", quoted(table))).execute(&mut *tx).await?;
    let found = sqlx::query(&format!("SELECT 1 FROM {} LIMIT 1", quoted(table))).fetch_optional(&mut *tx).await?;
    match found {
        None => Ok(()),
        Some(_) => Err(refused(&format!("somebody wrote into {table} of the target meanwhile: nothing was copied"))),
    }
}

async fn tables(source: &mut SqliteConnection) -> Result<Vec<String>, DbError> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND name <> '_sqlx_migrations' ORDER BY name";
    let names: Vec<(String,)> = sqlx::query_as(sql).fetch_all(source).await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

/// The source's columns in their order, each with the target's type.
async fn columns(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    table: &str,
) -> Result<Vec<Column>, DbError> {
    let here: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(source).await?;
    let sql = "SELECT column_name::text, data_type::text FROM information_schema.columns \
               WHERE table_schema = current_schema() AND table_name = $1";
    let there: Vec<(String, String)> = sqlx::query_as(sql).bind(table).fetch_all(target).await?;
    let mut there: BTreeMap<String, String> = there.into_iter().collect();
    let mut columns = Vec::with_capacity(here.len());
    for (name,) in here {
        let kind = match there.remove(&name).as_deref() {
            Some("bigint" | "integer" | "smallint") => Kind::Int,
            Some("double precision" | "real") => Kind::Real,
            Some("text" | "character varying") => Kind::Text,
            Some("bytea") => Kind::Blob,
            Some(other) => {
                return Err(refused(&format!(
                    "{table}.{name} is of type {other} in the target, which cannot be copied"
                )));
            }
            None => {
                return Err(refused(&format!("the target has no column {table}.{name}: use the same dangol for both")));
            }
        };
        columns.push(Column { name, kind });
    }
    match there.keys().next() {
        Some(more) => Err(refused(&format!("the source has no column {table}.{more}: use the same dangol for both"))),
        None => Ok(columns),
    }
}

/// All rows of a table, slice by slice in the order of their row ids, through one `COPY`.
async fn rows(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    table: &str,
    columns: &[Column],
    progress: Progress<'_>,
) -> Result<(), DbError> {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let names = names.join(", ");
    let select = format!("SELECT rowid, {names} FROM {} WHERE rowid > ? ORDER BY rowid LIMIT {SLICE}", quoted(table));
    let mut sink = target.copy_in_raw(&format!("COPY {} ({names}) FROM STDIN", quoted(table))).await?;
    let (mut after, mut done) = (i64::MIN, 0);
    let mut text = String::with_capacity(CHUNK + CHUNK / 4);
    let sent = async {
        loop {
            let slice = sqlx::query(&select).bind(after).fetch_all(&mut *source).await?;
            let Some(last) = slice.last() else { break };
            after = last.try_get_unchecked(0)?;
            for row in &slice {
                line(&mut text, row, columns).map_err(|e| shaped(table, e))?;
                if text.len() >= CHUNK {
                    sink.send(text.as_bytes()).await?;
                    text.clear();
                }
            }
            done += i64::try_from(slice.len()).unwrap_or(i64::MAX);
            progress(table, done);
        }
        sink.send(text.as_bytes()).await?;
        Ok::<(), DbError>(())
    };
    match sent.await {
        Ok(()) => sink.finish().await.map(|_| ()).map_err(DbError::from),
        Err(e) => {
            // the connection is no good before the COPY has ended
            let _ = sink.abort("the copy failed").await;
            Err(e)
        }
    }
}

fn shaped(table: &str, e: sqlx::Error) -> DbError {
    DbError::Shape(format!("a row of {table} cannot be read: {e}"))
}

/// One row in the text format of `COPY`.
fn line(out: &mut String, row: &SqliteRow, columns: &[Column]) -> Result<(), sqlx::Error> {
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push('\t');
        }
        let index = i + 1;
        if row.try_get_raw(index)?.is_null() {
            out.push_str("\\N");
            continue;
        }
        // writing to a string cannot fail
        match column.kind {
            Kind::Int => _ = write!(out, "{}", row.try_get_unchecked::<i64, _>(index)?),
            Kind::Real => match row.try_get_unchecked::<f64, _>(index)? {
                v if v.is_infinite() => out.push_str(if v > 0.0 { "Infinity" } else { "-Infinity" }),
                v => _ = write!(out, "{v:?}"),
            },
            Kind::Text => escape(out, row.try_get_unchecked::<&str, _>(index)?),
            Kind::Blob => {
                out.push_str("\\\\x");
                for byte in row.try_get_unchecked::<&[u8], _>(index)? {
                    let _ = write!(out, "{byte:02x}");
                }
            }
        }
    }
    out.push('\n');
    Ok(())
}

/// A text without what `COPY` takes for its own; a NUL, which PostgreSQL cannot hold, goes.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => {}
            c => out.push(c),
        }
    }
}

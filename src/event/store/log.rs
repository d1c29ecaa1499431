//! Appending to the log, and reading it from a cursor.
//!
//! Ids become visible in order: on PostgreSQL an append is the last act of its transaction, under a lock that is held
//! to the commit, so a reader that has seen id 7 has seen all below it. On SQLite there is one writer anyway.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type, Value};
use crate::event::Kind;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// The advisory lock of the log.
const LOCK: i64 = 0x6461_6e67_6f6c_0001;
/// Rows a statement.
const CHUNK: usize = 512;

/// An event to append.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened.
    pub kind: Kind,
    /// To whom.
    pub customer: i64,
    /// When.
    pub at: Timestamp,
    /// Who says so: `import`, `track`, `deliver`, `api`, `survey`, `demo`.
    pub source: &'static str,
    /// The same event comes under the same key, and is kept once.
    pub dedupe_key: String,
    /// An amount in minor units, or another whole number that the kind means.
    pub value: Option<i64>,
    /// The currency of `value`, when it is money.
    pub currency: Option<String>,
    /// The campaign that it belongs to.
    pub campaign: Option<i64>,
    /// The message that it belongs to.
    pub message: Option<i64>,
    /// The import that brought it.
    pub batch: Option<i64>,
    /// Everything else, a JSON object.
    pub data: serde_json::Value,
}

impl NewEvent {
    /// An event with nothing but the essentials.
    pub fn new(kind: Kind, customer: i64, at: Timestamp, source: &'static str, key: impl Into<String>) -> NewEvent {
        NewEvent {
            kind,
            customer,
            at,
            source,
            dedupe_key: key.into(),
            value: None,
            currency: None,
            campaign: None,
            message: None,
            batch: None,
            data: serde_json::Value::Object(serde_json::Map::new()),
        }
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in NewEvent")]
pub struct Event {
    pub id: i64,
    pub customer: Option<i64>,
    pub kind: Kind,
    pub at: Timestamp,
    pub value: Option<i64>,
    pub currency: Option<String>,
    pub campaign: Option<i64>,
    pub message: Option<i64>,
    pub data: serde_json::Value,
}

/// The columns that [`Event`] reads, in its order.
pub const COLUMNS: &str = "id, customer_id, kind, at, value, currency, campaign_id, message_id, data";

impl FromRow for Event {
    fn from_row(row: &mut Row<'_>) -> Result<Event, DbError> {
        Ok(Event {
            id: row.take()?,
            customer: row.take()?,
            kind: Kind::of(&row.take::<String>()?),
            at: row.take()?,
            value: row.take()?,
            currency: row.take()?,
            campaign: row.take()?,
            message: row.take()?,
            data: serde_json::from_str(&row.take::<String>()?).unwrap_or_default(),
        })
    }
}

/// Appends `events` and commits `tx`, whose last act this has to be. Gives the ids of those that are new, in the order
/// given; a known `dedupe_key` gives `None` and changes nothing.
///
/// # Errors
/// What the database says; then the whole transaction is undone.
pub async fn append(mut tx: Tx, events: &[NewEvent], now: Timestamp) -> Result<Vec<Option<i64>>, DbError> {
    let ids = append_in(&mut tx, events, now).await?;
    tx.commit().await?;
    Ok(ids)
}

/// Appends `events` in `tx`, of which the caller promises that nothing but a quick projection of these very events, a
/// cursor and the commit follows: the log's lock is held until then.
///
/// # Errors
/// What the database says.
pub async fn append_in(tx: &mut Tx, events: &[NewEvent], now: Timestamp) -> Result<Vec<Option<i64>>, DbError> {
    let mut ids = Vec::with_capacity(events.len());
    if events.is_empty() {
        return Ok(ids);
    }
    tx.serialise(LOCK).await?;
    let sql = format!("{INSERT} RETURNING dedupe_key, id");
    for chunk in events.chunks(CHUNK) {
        let inserted: Vec<(String, i64)> = tx.all_with_rows(&sql, rows(chunk, now), args![]).await?;
        let mut by_key: HashMap<String, i64> = inserted.into_iter().collect();
        ids.extend(chunk.iter().map(|event| by_key.remove(&event.dedupe_key)));
    }
    Ok(ids)
}

/// Appends `events` and commits `tx`, like [`append`], where nobody asks for their ids, which cost as much as the rest.
///
/// # Errors
/// What the database says; then the whole transaction is undone.
pub async fn append_only(mut tx: Tx, events: &[NewEvent], now: Timestamp) -> Result<(), DbError> {
    if !events.is_empty() {
        tx.serialise(LOCK).await?;
    }
    for chunk in events.chunks(CHUNK) {
        tx.execute_rows(INSERT, rows(chunk, now), args![]).await?;
    }
    tx.commit().await
}

const INSERT: &str = "WITH input(customer_id, kind, at, recorded_at, source, dedupe_key, value, currency, campaign_id, message_id, batch_id, data) AS ({rows}) \
    INSERT INTO event (customer_id, kind, at, recorded_at, source, dedupe_key, value, currency, campaign_id, message_id, batch_id, data) \
    SELECT * FROM input WHERE kind IS NOT NULL ON CONFLICT (dedupe_key) DO NOTHING";

fn rows(events: &[NewEvent], now: Timestamp) -> Rows {
    const TYPES: &[Type] = &[
        Type::Int,
        Type::Text,
        Type::Int,
        Type::Int,
        Type::Text,
        Type::Text,
        Type::Int,
        Type::Text,
        Type::Int,
        Type::Int,
        Type::Int,
        Type::Text,
    ];
    let mut rows = Rows::new(TYPES);
    let mut seen = HashSet::new();
    for event in events {
        // one statement may not conflict with itself
        if seen.insert(event.dedupe_key.as_str()) {
            rows.push(args![
                event.customer,
                event.kind.name(),
                event.at,
                now,
                event.source,
                &event.dedupe_key,
                event.value,
                event.currency.as_deref(),
                event.campaign,
                event.message,
                event.batch,
                event.data.to_string(),
            ]);
        }
    }
    rows.padded()
}

/// The kinds of all events that there are, by name. Reads the whole log.
///
/// # Errors
/// What the database says.
pub async fn kinds_seen(db: &mut impl Query) -> Result<Vec<String>, DbError> {
    let rows: Vec<(String,)> = db.all("SELECT DISTINCT kind FROM event ORDER BY kind", args![]).await?;
    Ok(rows.into_iter().map(|(kind,)| kind).collect())
}

/// Of the events of these keys that the log has: the key, whose it is, and its kind.
///
/// # Errors
/// What the database says.
pub async fn by_keys(db: &mut impl Query, keys: &[&str]) -> Result<Vec<(String, (Option<i64>, String))>, DbError> {
    let mut found = Vec::new();
    for chunk in Rows::pieces(keys, CHUNK) {
        let sql = "SELECT dedupe_key, customer_id, kind FROM event WHERE dedupe_key IN ({rows})";
        let rows: Vec<(String, Option<i64>, String)> = db.all_with_rows(sql, Rows::texts(chunk), args![]).await?;
        found.extend(rows.into_iter().map(|(key, customer, kind)| (key, (customer, kind))));
    }
    Ok(found)
}

/// Where the reader `name` stands: the id of the last event that it has dealt with.
///
/// # Errors
/// What the database says.
pub async fn cursor(db: &mut impl Query, name: &str) -> Result<i64, DbError> {
    let row: Option<(i64,)> = db.optional("SELECT position FROM cursor WHERE name = ?", args![name]).await?;
    Ok(row.map_or(0, |(position,)| position))
}

/// Lets a new reader begin at a position; one that is there already stays where it is.
///
/// # Errors
/// What the database says.
pub async fn begin_cursor(tx: &mut Tx, name: &str, position: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO cursor (name, position) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, args![name, position]).await?;
    Ok(())
}

/// Ends the reader `name`: should it begin again, then anew.
///
/// # Errors
/// What the database says.
pub async fn end_cursor(tx: &mut Tx, name: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM cursor WHERE name = ?", args![name]).await?;
    Ok(())
}

/// Moves the reader `name` from one position to another, in the transaction of what it caused. False when another node
/// has moved it meanwhile: then roll back.
///
/// # Errors
/// What the database says.
pub async fn move_cursor(tx: &mut Tx, name: &str, from: i64, to: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO cursor (name, position) VALUES (?, 0) ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, args![name]).await?;
    let sql = "UPDATE cursor SET position = ? WHERE name = ? AND position = ?";
    Ok(tx.execute(sql, args![to, name, from]).await? == 1)
}

/// Up to `limit` events after `position`, in order.
///
/// # Errors
/// What the database says.
pub async fn read_after(db: &mut impl Query, position: i64, limit: i64) -> Result<Vec<Event>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE id > ? ORDER BY id LIMIT ?");
    db.all(&sql, args![position, limit]).await
}

/// A value for SQL's `IN` over kinds.
impl From<&Kind> for Value {
    fn from(kind: &Kind) -> Value {
        Value::Text(kind.name().to_owned())
    }
}

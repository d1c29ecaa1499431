//! Reading and writing customers by the slice.

use super::super::directory::{Entered, Entry, as_address};
use super::super::hash::ErasureKey;
use super::super::profile::{Profile, attributes};
use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::{Email, Timestamp, bucket::bucket};
use std::collections::HashSet;

/// Rows a statement: long enough that its costs are shared, short of the number of parameters that SQLite takes.
const CHUNK: usize = 512;

struct Found(i64, Profile);

const COLUMNS: &str =
    "id, external_id, email, name, first_name, last_name, locale, timezone, birthday, source, attributes, created_at";

impl FromRow for Found {
    fn from_row(row: &mut Row<'_>) -> Result<Found, DbError> {
        let id = row.take()?;
        let profile = Profile {
            external_id: row.take()?,
            email: row.take()?,
            name: row.take()?,
            first_name: row.take()?,
            last_name: row.take()?,
            locale: row.take()?,
            timezone: row.take()?,
            birthday: row.take()?,
            source: row.take()?,
            attributes: attributes(row)?,
            created_at: row.take()?,
        };
        Ok(Found(id, profile))
    }
}

/// Everybody who goes by one of these, each once.
pub(in crate::customer) async fn known(
    tx: &mut Tx,
    externals: &[&str],
    addresses: &[&str],
) -> Result<Vec<(i64, Profile)>, DbError> {
    let (mut seen, mut all) = (HashSet::new(), Vec::new());
    for (keys, column) in [(externals, "external_id"), (addresses, "email")] {
        let sql = format!(
            "WITH input(k) AS ({{rows}}) SELECT {COLUMNS} FROM customer WHERE {column} IN (SELECT k FROM input) ORDER BY id"
        );
        for chunk in Rows::pieces(keys, CHUNK) {
            let found: Vec<Found> = tx.all_with_rows(&sql, Rows::texts(chunk), args![]).await?;
            all.extend(found.into_iter().filter(|found| seen.insert(found.0)).map(|found| (found.0, found.1)));
        }
    }
    all.sort_by_key(|(id, _)| *id);
    Ok(all)
}

/// The hashes, of those that these names have, under which erased people are remembered.
pub(in crate::customer) async fn erased(
    tx: &mut Tx,
    externals: &[&str],
    addresses: &[&str],
    key: &ErasureKey,
) -> Result<HashSet<String>, DbError> {
    if tx.optional::<(i64,)>("SELECT at FROM erased LIMIT 1", args![]).await?.is_none() {
        return Ok(HashSet::new());
    }
    let mut hashes: Vec<String> = externals.iter().map(|id| key.external(id)).collect();
    hashes.extend(addresses.iter().map(|email| key.address(email)));
    let mut found = HashSet::new();
    let sql = "WITH input(k) AS ({rows}) SELECT hash FROM erased WHERE hash IN (SELECT k FROM input)";
    for chunk in Rows::pieces(&hashes, CHUNK) {
        let rows: Vec<(String,)> = tx.all_with_rows(sql, Rows::texts(chunk), args![]).await?;
        found.extend(rows.into_iter().map(|(hash,)| hash));
    }
    Ok(found)
}

const WRITTEN: &[Type] = &[
    Type::Int,
    Type::Int,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Int,
];
const NAMES: &str = "id, bucket, external_id, email, email_domain, name, first_name, last_name, locale, timezone, birthday, source, attributes, created_at";

fn push(rows: &mut Rows, id: i64, p: &Profile, now: Timestamp) {
    let domain = p.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let attributes = match p.attributes.is_empty() {
        true => "{}".to_owned(),
        false => serde_json::Value::Object(p.attributes.clone()).to_string(),
    };
    rows.push(args![
        id,
        bucket(id),
        p.external_id.as_deref(),
        p.email.as_deref(),
        domain,
        p.name.as_deref(),
        p.first_name.as_deref(),
        p.last_name.as_deref(),
        p.locale.as_deref(),
        p.timezone.as_deref(),
        p.birthday.as_deref(),
        p.source.as_deref(),
        attributes,
        p.created_at.unwrap_or(now),
    ]);
}

/// Writes what is new and what has changed, and gives the new their ids.
pub(in crate::customer) async fn save(
    tx: &mut Tx,
    entries: &mut [Entry],
    batch: Option<i64>,
    now: Timestamp,
) -> Result<(), DbError> {
    let changed: Vec<&Entry> = entries.iter().filter(|e| e.state == Entered::Changed).collect();
    // before the inserts: an address may pass from one customer to another in one slice
    let sql = format!(
        "WITH input({NAMES}) AS ({{rows}}) UPDATE customer SET external_id = input.external_id, email = input.email, \
         email_domain = input.email_domain, name = input.name, first_name = input.first_name, last_name = input.last_name, \
         locale = input.locale, timezone = input.timezone, birthday = input.birthday, source = input.source, \
         attributes = input.attributes, created_at = input.created_at, updated_at = ? \
         FROM input WHERE customer.id = input.id AND customer.erased_at IS NULL"
    );
    for chunk in Rows::pieces(&changed, CHUNK) {
        let mut rows = Rows::new(WRITTEN);
        chunk.iter().for_each(|entry| push(&mut rows, entry.id, &entry.profile, now));
        tx.execute_rows(&sql, rows, args![now]).await?;
    }
    let mut new: Vec<&mut Entry> = entries.iter_mut().filter(|e| e.state == Entered::New).collect();
    if new.is_empty() {
        return Ok(());
    }
    let ids = tx.next_ids("customer", new.len()).await?;
    for (entry, id) in new.iter_mut().zip(ids) {
        entry.id = id;
    }
    let sql = format!(
        "WITH input({NAMES}) AS ({{rows}}) INSERT INTO customer ({NAMES}, batch_id, updated_at) \
         SELECT {NAMES}, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM input"
    );
    for chunk in Rows::pieces(&new, CHUNK) {
        let mut rows = Rows::new(WRITTEN);
        chunk.iter().for_each(|entry| push(&mut rows, entry.id, &entry.profile, now));
        tx.execute_rows(&sql, rows, args![batch, now]).await?;
    }
    for entry in entries.iter_mut() {
        entry.state = Entered::Known;
    }
    Ok(())
}

/// PostgreSQL: two at once would both find a customer missing.
const LOCK: i64 = 0x6461_6e67_6f6c_0002;

/// Waits until nobody else makes customers: an import, or somebody who signs up.
///
/// # Errors
/// What the database says.
pub async fn one_at_a_time(tx: &mut Tx) -> Result<(), DbError> {
    tx.serialise(LOCK).await
}

/// The customer of an address who signs up by their own act: the one known by it, else a new one. An erased person may
/// come back this way. Of several with the address, the one known by address only, else the oldest.
///
/// # Errors
/// What the database says.
pub async fn ensure(tx: &mut Tx, email: &Email, source: &str, now: Timestamp) -> Result<i64, DbError> {
    // two sign-ups at once must not make two customers
    one_at_a_time(tx).await?;
    let sql =
        "SELECT id FROM customer WHERE email = ? ORDER BY CASE WHEN external_id IS NULL THEN 0 ELSE 1 END, id LIMIT 1";
    if let Some((id,)) = tx.optional::<(i64,)>(sql, args![email.as_str()]).await? {
        return Ok(id);
    }
    let profile = Profile { email: Some(email.to_string()), source: Some(source.to_owned()), ..Profile::default() };
    let mut entries = [Entry { id: 0, profile, state: Entered::New }];
    save(tx, &mut entries, None, now).await?;
    Ok(entries[0].id)
}

/// The normalised address that a word is, if it is one.
pub fn address_of(text: &str) -> Option<String> {
    as_address(text)
}

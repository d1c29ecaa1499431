//! The SQL of customers.

pub(super) mod attributes;
pub(super) mod audit;
pub(super) mod directory;
pub(super) mod erase;
pub(super) mod export;
pub(super) mod journal;

use super::directory::as_address;
use super::profile::{COLUMNS, Customer};
use crate::args;
use crate::db::{DbError, Query, Rows, Tx};
use crate::types::Timestamp;

/// Everybody who goes by `who`: `#id`, an external id, an address, or an id without `#`. The first of these ways that
/// finds somebody counts, and an address may belong to several.
///
/// # Errors
/// What the database says.
pub async fn find(db: &mut impl Query, who: &str) -> Result<Vec<Customer>, DbError> {
    let who = who.trim();
    if let Some(id) = who.strip_prefix('#').and_then(|id| id.parse::<i64>().ok()) {
        return Ok(load(db, id).await?.into_iter().collect());
    }
    let sql = format!("SELECT {COLUMNS} FROM customer WHERE external_id = ?");
    let mut found: Vec<Customer> = db.all(&sql, args![who]).await?;
    if let Some(email) = as_address(who) {
        let sql = format!("SELECT {COLUMNS} FROM customer WHERE email = ? ORDER BY id");
        let by_address: Vec<Customer> = db.all(&sql, args![email]).await?;
        found.extend(by_address.into_iter().filter(|c| c.external_id.as_deref() != Some(who)));
    }
    if found.is_empty()
        && let Ok(id) = who.parse::<i64>()
    {
        found.extend(load(db, id).await?);
    }
    Ok(found)
}

/// The customer of an id; an erased one too, as a tombstone.
///
/// # Errors
/// What the database says.
pub async fn load(db: &mut impl Query, id: i64) -> Result<Option<Customer>, DbError> {
    db.optional(&format!("SELECT {COLUMNS} FROM customer WHERE id = ?"), args![id]).await
}

/// The customers of many ids, in the order of the ids; those that do not exist are left out.
///
/// # Errors
/// What the database says.
pub async fn load_many(db: &mut impl Query, ids: &[i64]) -> Result<Vec<Customer>, DbError> {
    let sql = format!(
        "WITH input(wanted) AS ({{rows}}) SELECT {COLUMNS} FROM customer WHERE id IN (SELECT wanted FROM input) ORDER BY id"
    );
    let mut found = Vec::with_capacity(ids.len());
    for chunk in Rows::pieces(ids, 512) {
        found.extend(db.all_with_rows::<Customer>(&sql, Rows::ids(chunk), args![]).await?);
    }
    found.sort_by_key(|customer| customer.id);
    Ok(found)
}

/// What a person says on the preference page beside topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// No counting of opens and clicks.
    pub tracking_off: bool,
    /// No marketing before this time.
    pub paused_until: Option<Timestamp>,
}

/// Sets the preferences of a living customer; false when there is none.
///
/// # Errors
/// What the database says.
pub async fn set_preferences(
    tx: &mut Tx,
    customer: i64,
    preferences: Preferences,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql =
        "UPDATE customer SET tracking_off = ?, paused_until = ?, updated_at = ? WHERE id = ? AND erased_at IS NULL";
    let args = args![preferences.tracking_off, preferences.paused_until, now, customer];
    Ok(tx.execute(sql, args).await? == 1)
}

//! The SQL of the relationship stage, one text for both databases: the rows of `relationship` and `calibration` here and
//! in `write.rs`, the evidence that they come from in `evidence.rs`.

mod evidence;
mod write;

pub use evidence::{
    Reported, campaigns, corrected, day_mates, deliveries, events_of, messages, permissions, purchases, purchases_of,
    suppressions,
};
pub use write::{forget_slice, hold, keep_calibration, keep_fingerprint, note_sampled_in_vain, write, write_credits};

use super::calibration::Calibration;
use super::decay::Decaying;
use super::error::RelationshipError;
use super::sums::Sums;
use crate::args;
use crate::db::{Args, DbError, FromRow, Query, Row, Rows, Type};
use jiff::Timestamp;

/// The columns of [`Sums`], in its order.
pub const SUMS: &[(&str, Type)] = &[
    ("purchases", Type::Int),
    ("first_purchase_at", Type::Int),
    ("previous_purchase_at", Type::Int),
    ("last_purchase_at", Type::Int),
    ("buy_sum", Type::Real),
    ("buy_at", Type::Int),
    ("revenue", Type::Int),
    ("margin", Type::Int),
    ("discounted", Type::Int),
    ("engage_trials", Type::Real),
    ("engage_credit", Type::Real),
    ("engage_at", Type::Int),
    ("delivered", Type::Int),
    ("last_human_at", Type::Int),
    ("attitude_weight", Type::Real),
    ("attitude_sum", Type::Real),
    ("attitude_at", Type::Int),
];

/// A customer with their sums; zeros when they have no row yet.
struct Loaded(i64, Sums);

impl FromRow for Loaded {
    fn from_row(row: &mut Row<'_>) -> Result<Loaded, DbError> {
        let id = row.take()?;
        Ok(Loaded(
            id,
            Sums {
                purchases: row.take::<Option<i64>>()?.unwrap_or(0),
                first_purchase_at: row.take()?,
                previous_purchase_at: row.take()?,
                last_purchase_at: row.take()?,
                buying: decaying_1(row)?,
                revenue: row.take::<Option<i64>>()?.unwrap_or(0),
                margin: row.take::<Option<i64>>()?.unwrap_or(0),
                discounted: row.take::<Option<i64>>()?.unwrap_or(0),
                engagement: decaying_2(row)?,
                delivered: row.take::<Option<i64>>()?.unwrap_or(0),
                last_human_at: row.take()?,
                attitude: decaying_2(row)?,
            },
        ))
    }
}

fn decaying_1(row: &mut Row<'_>) -> Result<Decaying<1>, DbError> {
    let sum = row.take::<Option<f64>>()?.unwrap_or(0.0);
    Ok(Decaying { sums: [sum], at: row.take()? })
}

fn decaying_2(row: &mut Row<'_>) -> Result<Decaying<2>, DbError> {
    let a = row.take::<Option<f64>>()?.unwrap_or(0.0);
    let b = row.take::<Option<f64>>()?.unwrap_or(0.0);
    Ok(Decaying { sums: [a, b], at: row.take()? })
}

fn columns() -> String {
    SUMS.iter().map(|(name, _)| format!("r.{name}")).collect::<Vec<_>>().join(", ")
}

async fn loaded(db: &mut impl Query, sql: &str, args: Args) -> Result<Vec<(i64, Sums)>, DbError> {
    let rows: Vec<Loaded> = db.all(sql, args).await?;
    Ok(rows.into_iter().map(|Loaded(id, sums)| (id, sums)).collect())
}

/// The sums of these customers. Those who do not exist or were erased are left out.
///
/// # Errors
/// What the database says.
pub async fn load(db: &mut impl Query, customers: &[i64]) -> Result<Vec<(i64, Sums)>, DbError> {
    let sql = format!(
        "WITH input(id) AS ({{rows}}) SELECT c.id, {} FROM input JOIN customer c ON c.id = input.id \
         LEFT JOIN relationship r ON r.customer_id = c.id WHERE c.erased_at IS NULL",
        columns()
    );
    let rows: Vec<Loaded> = db.all_with_rows(&sql, Rows::ids(customers), args![]).await?;
    Ok(rows.into_iter().map(|Loaded(id, sums)| (id, sums)).collect())
}

/// Up to `limit` rows after customer `position`, by customer.
///
/// # Errors
/// What the database says.
pub async fn slice(db: &mut impl Query, position: i64, limit: i64) -> Result<Vec<(i64, Sums)>, DbError> {
    let sql = format!(
        "SELECT r.customer_id, {} FROM relationship r WHERE r.customer_id > ? ORDER BY r.customer_id LIMIT ?",
        columns()
    );
    loaded(db, &sql, args![position, limit]).await
}

/// How many customers have a row.
///
/// # Errors
/// What the database says.
pub async fn count(db: &mut impl Query) -> Result<i64, DbError> {
    Ok(db.one::<(i64,)>("SELECT count(*) FROM relationship", args![]).await?.0)
}

/// Up to `limit` customers whose figures time has changed, those who wait longest first.
///
/// # Errors
/// What the database says.
pub async fn due(db: &mut impl Query, now: i64, limit: i64) -> Result<Vec<(i64, Sums)>, DbError> {
    let sql = format!(
        "SELECT r.customer_id, {} FROM relationship r WHERE r.refresh_at <= ? ORDER BY r.refresh_at LIMIT ?",
        columns()
    );
    loaded(db, &sql, args![now, limit]).await
}

/// Up to `limit` customers after `position`, whether they have a row or not.
///
/// # Errors
/// What the database says.
pub async fn everybody(db: &mut impl Query, position: i64, limit: i64) -> Result<Vec<(i64, Sums)>, DbError> {
    let sql = format!(
        "SELECT c.id, {} FROM customer c LEFT JOIN relationship r ON r.customer_id = c.id \
         WHERE c.id > ? AND c.erased_at IS NULL ORDER BY c.id LIMIT ?",
        columns()
    );
    loaded(db, &sql, args![position, limit]).await
}

/// The same of those only who have no row, or figures under another calibration.
///
/// # Errors
/// What the database says.
pub async fn behind(
    db: &mut impl Query,
    position: i64,
    calibration: i64,
    limit: i64,
) -> Result<Vec<(i64, Sums)>, DbError> {
    let sql = format!(
        "SELECT c.id, {} FROM customer c LEFT JOIN relationship r ON r.customer_id = c.id \
         WHERE c.id > ? AND c.erased_at IS NULL AND coalesce(r.calibration_id, -1) <> ? ORDER BY c.id LIMIT ?",
        columns()
    );
    loaded(db, &sql, args![position, calibration, limit]).await
}

/// The calibration that holds: the newest, or the defaults.
///
/// # Errors
/// What the database says, or that the row cannot be read.
pub async fn calibration(db: &mut impl Query) -> Result<Calibration, RelationshipError> {
    let row: Option<(i64, String)> =
        db.optional("SELECT id, data FROM calibration ORDER BY id DESC LIMIT 1", args![]).await?;
    let Some((id, data)) = row else { return Ok(Calibration::default()) };
    let found: Calibration =
        serde_json::from_str(&data).map_err(|source| RelationshipError::Calibration { id, source })?;
    Ok(Calibration { id: Some(id), ..found })
}

/// The constants with which the stored sums were made.
///
/// # Errors
/// What the database says.
pub async fn fingerprint(db: &mut impl Query) -> Result<Option<String>, DbError> {
    let sql = "SELECT value FROM meta WHERE key = ?";
    Ok(db.optional::<(String,)>(sql, args![write::FINGERPRINT]).await?.map(|(value,)| value))
}

/// When the customers were last looked at for a calibration, and too few of them had bought.
///
/// # Errors
/// What the database says.
pub async fn sampled_in_vain(db: &mut impl Query) -> Result<Option<Timestamp>, DbError> {
    let found: Option<(String,)> =
        db.optional("SELECT value FROM meta WHERE key = ?", args![write::SAMPLED_IN_VAIN]).await?;
    let at = found.and_then(|(millis,)| millis.parse().ok());
    Ok(at.and_then(|millis| Timestamp::from_millisecond(millis).ok()))
}

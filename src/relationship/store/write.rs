//! What this stage writes: figures and sums in bulk, credits on messages, calibrations. Short transactions only.

use super::super::calibration::Calibration;
use super::super::figures::Figures;
use super::super::sums::Sums;
use super::SUMS;
use crate::args;
use crate::db::{Db, DbError, Query, Rows, Tx, Type, Value};
use crate::event;
use jiff::Timestamp;

/// The key in `meta` of the constants with which the stored sums were made.
pub const FINGERPRINT: &str = "relationship.constants";
/// The key in `meta` of when too few customers were found for a calibration.
pub const SAMPLED_IN_VAIN: &str = "relationship.sampled_in_vain";

const KEEP: &str = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// The columns of [`Figures`] beside those of the sums; what other stages keep in the same row stays as it is.
const FIGURES: &[(&str, Type)] = &[
    ("as_of", Type::Int),
    ("refresh_at", Type::Int),
    ("calibration_id", Type::Int),
    ("score", Type::Real),
    ("buying", Type::Real),
    ("buying_points", Type::Real),
    ("buying_rank", Type::Real),
    ("engagement", Type::Real),
    ("engagement_points", Type::Real),
    ("attitude", Type::Real),
    ("attitude_points", Type::Real),
    ("lifecycle", Type::Text),
];

/// Statements of few sizes, so that few of them have to be kept prepared: SQLite's are as long as their rows.
const LARGEST: usize = 128;

fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let size = LARGEST.min(1 << rest.len().ilog2());
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

fn row(customer: i64, sums: &Sums, figures: &Figures) -> Vec<Value> {
    args![
        customer,
        sums.purchases,
        sums.first_purchase_at,
        sums.previous_purchase_at,
        sums.last_purchase_at,
        sums.buying.sums[0],
        sums.buying.at,
        sums.revenue,
        sums.margin,
        sums.discounted,
        sums.engagement.sums[0],
        sums.engagement.sums[1],
        sums.engagement.at,
        sums.delivered,
        sums.last_human_at,
        sums.attitude.sums[0],
        sums.attitude.sums[1],
        sums.attitude.at,
        figures.as_of,
        figures.refresh_at,
        figures.calibration,
        figures.score,
        figures.buying,
        figures.points[0],
        figures.buying_rank,
        figures.engagement,
        figures.points[1],
        figures.attitude,
        figures.points[2],
        figures.lifecycle.name(),
    ]
}

/// Writes sums and figures, making rows that are not there. A customer who was erased meanwhile gets none.
///
/// # Errors
/// What the database says.
pub async fn write(tx: &mut Tx, customers: &[(i64, Sums, Figures)]) -> Result<(), DbError> {
    let all = || SUMS.iter().chain(FIGURES);
    let names = all().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let from_input = all().map(|(name, _)| format!("input.{name}")).collect::<Vec<_>>().join(", ");
    let set = all().map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH input(customer_id, {names}) AS ({{rows}}) INSERT INTO relationship (customer_id, {names}) \
         SELECT input.customer_id, {from_input} FROM input JOIN customer c ON c.id = input.customer_id \
         WHERE c.erased_at IS NULL ON CONFLICT (customer_id) DO UPDATE SET {set}"
    );
    let types: Vec<Type> = std::iter::once(Type::Int).chain(all().map(|(_, kind)| *kind)).collect();
    for piece in pieces(customers) {
        let mut rows = Rows::new(&types);
        piece.iter().for_each(|(id, sums, figures)| rows.push(row(*id, sums, figures)));
        tx.execute_rows(&sql, rows, args![]).await?;
    }
    Ok(())
}

/// Writes the credit of messages.
///
/// # Errors
/// What the database says.
pub async fn write_credits(tx: &mut Tx, credits: &[(i64, f64)]) -> Result<(), DbError> {
    let sql = "WITH input(id, credit) AS ({rows}) UPDATE message SET credit = input.credit FROM input WHERE message.id = input.id";
    for piece in pieces(credits) {
        let mut rows = Rows::new(&[Type::Int, Type::Real]);
        piece.iter().for_each(|(id, credit)| rows.push(args![*id, *credit]));
        tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(())
}

/// Holds the cursor `name` where this writer saw it, to the end of the transaction. False when somebody has moved it
/// meanwhile: then what was read before is old, so roll back and read again.
///
/// # Errors
/// What the database says.
pub async fn hold(tx: &mut Tx, name: &str, position: i64) -> Result<bool, DbError> {
    event::move_cursor(tx, name, position, position).await
}

/// Keeps a calibration, unless another node has made one since `before`.
///
/// # Errors
/// What the database says.
pub async fn keep_calibration(
    db: &Db,
    before: Option<i64>,
    taken: &Calibration,
    now: Timestamp,
) -> Result<bool, DbError> {
    // a Calibration is numbers and a time: it cannot fail to be written as JSON
    let data = serde_json::to_string(taken).map_err(|e| DbError::Shape(e.to_string()))?;
    let mut tx = db.begin().await?;
    tx.serialise(0x6461_6e67_6f6c_0101).await?;
    let newest: Option<(i64,)> = tx.optional("SELECT id FROM calibration ORDER BY id DESC LIMIT 1", args![]).await?;
    if newest.map(|(id,)| id) != before {
        return Ok(false);
    }
    let sql = "INSERT INTO calibration (as_of, created_at, data) VALUES (?, ?, ?)";
    tx.execute(sql, args![taken.as_of, now, data]).await?;
    tx.commit().await?;
    Ok(true)
}

/// Writes down with which constants the sums are made.
///
/// # Errors
/// What the database says.
pub async fn keep_fingerprint(tx: &mut Tx, fingerprint: &str) -> Result<(), DbError> {
    tx.execute(KEEP, args![FINGERPRINT, fingerprint]).await?;
    Ok(())
}

/// Keeps when too few customers were found for a calibration.
///
/// # Errors
/// What the database says.
pub async fn note_sampled_in_vain(db: &Db, now: Timestamp) -> Result<(), DbError> {
    db.execute(KEEP, args![SAMPLED_IN_VAIN, now.as_millisecond().to_string()]).await?;
    Ok(())
}

/// Deletes up to `limit` rows of `relationship`; gives how many.
///
/// # Errors
/// What the database says.
pub async fn forget_slice(tx: &mut Tx, limit: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM relationship WHERE customer_id IN \
               (SELECT customer_id FROM relationship ORDER BY customer_id LIMIT ?)";
    tx.execute(sql, args![limit]).await
}

//! What is needed to make a mail: the message, and what is known of its reader.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows};
use crate::types::Timestamp;

/// What is known of a reader.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of customer and relationship")]
pub struct Reader {
    pub id: i64,
    pub external_id: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    pub birthday: Option<String>,
    pub source: Option<String>,
    pub attributes: String,
    pub tracking_off: bool,
    pub score: Option<f64>,
    pub lifecycle: Option<String>,
    pub purchases: Option<i64>,
    pub revenue: Option<i64>,
    pub last_purchase_at: Option<Timestamp>,
}

impl FromRow for Reader {
    fn from_row(row: &mut Row<'_>) -> Result<Reader, DbError> {
        Ok(Reader {
            id: row.take()?,
            external_id: row.take()?,
            email: row.take()?,
            name: row.take()?,
            first_name: row.take()?,
            last_name: row.take()?,
            locale: row.take()?,
            timezone: row.take()?,
            birthday: row.take()?,
            source: row.take()?,
            attributes: row.take()?,
            tracking_off: row.take()?,
            score: row.take()?,
            lifecycle: row.take()?,
            purchases: row.take()?,
            revenue: row.take()?,
            last_purchase_at: row.take()?,
        })
    }
}

/// The readers of these ids.
///
/// # Errors
/// What the database says.
pub async fn readers(db: &mut impl Query, ids: &[i64]) -> Result<Vec<Reader>, DbError> {
    let sql = "SELECT c.id, c.external_id, c.email, c.name, c.first_name, c.last_name, c.locale, c.timezone, c.birthday, \
               c.source, c.attributes, c.tracking_off, r.score, r.lifecycle, r.purchases, r.revenue, r.last_purchase_at \
               FROM customer c LEFT JOIN relationship r ON r.customer_id = c.id WHERE c.id IN ({rows})";
    db.all_with_rows(sql, Rows::ids(ids), args![]).await
}

/// A message, as far as its mail depends on it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct Mail {
    pub id: i64,
    pub campaign: i64,
    pub revision: i64,
    pub customer: i64,
    pub state: String,
    pub at: Timestamp,
}

/// A message by its id.
///
/// # Errors
/// What the database says.
pub async fn mail(db: &mut impl Query, id: i64) -> Result<Option<Mail>, DbError> {
    let sql =
        "SELECT id, campaign_id, revision_id, customer_id, state, COALESCE(sent_at, due_at) FROM message WHERE id = ?";
    let row: Option<(i64, i64, i64, i64, String, Timestamp)> = db.optional(sql, args![id]).await?;
    Ok(row.map(|(id, campaign, revision, customer, state, at)| Mail { id, campaign, revision, customer, state, at }))
}

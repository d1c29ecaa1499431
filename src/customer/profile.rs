//! A customer as a row, and what somebody tells of one.

use crate::db::{DbError, FromRow, Row};
use crate::types::locale::{Locale, Zone};
use crate::types::{Email, Timestamp};
use jiff::civil::Date;
use serde_json::{Map, Value as Json};

/// A customer, all that stands in the row.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// The number.
    pub id: i64,
    /// Hash of the id: arms are arithmetic on it.
    pub bucket: i64,
    /// The shop's own key.
    pub external_id: Option<String>,
    /// The normalised address.
    pub email: Option<Email>,
    /// The name as it is shown.
    pub name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The language.
    pub locale: Option<Locale>,
    /// The time zone.
    pub timezone: Option<Zone>,
    /// The birthday.
    pub birthday: Option<Date>,
    /// Where they came from.
    pub source: Option<String>,
    /// Everything else: `attr.NAME`.
    pub attributes: Map<String, Json>,
    /// They do not want opens and clicks counted.
    pub tracking_off: bool,
    /// No marketing before this time.
    pub paused_until: Option<Timestamp>,
    /// The import that made the row.
    pub batch: Option<i64>,
    /// Customer since.
    pub created_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
    /// Erased: only id, bucket and times are left.
    pub erased_at: Option<Timestamp>,
}

/// The columns that [`Customer`] reads, in its order.
pub(super) const COLUMNS: &str = "id, bucket, external_id, email, name, first_name, last_name, locale, timezone, birthday, source, \
     attributes, tracking_off, paused_until, batch_id, created_at, updated_at, erased_at";

impl FromRow for Customer {
    fn from_row(row: &mut Row<'_>) -> Result<Customer, DbError> {
        Ok(Customer {
            id: row.take()?,
            bucket: row.take()?,
            external_id: row.take()?,
            email: typed(row.take()?)?,
            name: row.take()?,
            first_name: row.take()?,
            last_name: row.take()?,
            locale: typed(row.take()?)?,
            timezone: typed(row.take()?)?,
            birthday: typed(row.take()?)?,
            source: row.take()?,
            attributes: attributes(row)?,
            tracking_off: row.take()?,
            paused_until: row.take()?,
            batch: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
            erased_at: row.take()?,
        })
    }
}

/// The column `attributes`, which comes next in the row.
pub(super) fn attributes(row: &mut Row<'_>) -> Result<Map<String, Json>, DbError> {
    serde_json::from_str(&row.take::<String>()?)
        .map_err(|e| DbError::Shape(format!("customer.attributes is no JSON object: {e}")))
}

fn typed<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, DbError>
where
    T::Err: std::fmt::Display,
{
    // the message of the type names the value; an address must not come into a log
    text.map(|text| text.parse().map_err(|_| DbError::Shape("a column of customer is not well written".into())))
        .transpose()
}

/// What is told of a customer, already normalised. What is absent was not said, and leaves what is known.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Profile {
    /// The shop's own key.
    pub external_id: Option<String>,
    /// The normalised address.
    pub email: Option<String>,
    /// The name as it is shown.
    pub name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The language, as [`Locale`] writes it.
    pub locale: Option<String>,
    /// The time zone, as [`Zone`] writes it.
    pub timezone: Option<String>,
    /// YYYY-MM-DD.
    pub birthday: Option<String>,
    /// Where they came from.
    pub source: Option<String>,
    /// Attributes; those not named stay as they are, null takes one away.
    pub attributes: Map<String, Json>,
    /// Customer since.
    pub created_at: Option<Timestamp>,
}

impl Profile {
    /// Takes over what `told` says; gives whether that changed anything.
    pub(super) fn merge(&mut self, told: Profile) -> bool {
        let mut changed = false;
        let mut take = |mine: &mut Option<String>, theirs: Option<String>| {
            if theirs.is_some() && *mine != theirs {
                *mine = theirs;
                changed = true;
            }
        };
        take(&mut self.external_id, told.external_id);
        take(&mut self.email, told.email);
        take(&mut self.name, told.name);
        take(&mut self.first_name, told.first_name);
        take(&mut self.last_name, told.last_name);
        take(&mut self.locale, told.locale);
        take(&mut self.timezone, told.timezone);
        take(&mut self.birthday, told.birthday);
        take(&mut self.source, told.source);
        for (name, value) in told.attributes {
            if value.is_null() {
                changed |= self.attributes.shift_remove(&name).is_some();
            } else if self.attributes.get(&name) != Some(&value) {
                self.attributes.insert(name, value);
                changed = true;
            }
        }
        if told.created_at.is_some() && told.created_at != self.created_at {
            self.created_at = told.created_at;
            changed = true;
        }
        changed
    }
}

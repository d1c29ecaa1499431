//! The names of attributes that customers have, so that `check` knows a misspelt one.

use crate::args;
use crate::db::{DbError, Query, dialect::Dialect};
use std::collections::BTreeSet;

/// The names under `attr`, of all customers.
///
/// # Errors
/// What the database says.
pub async fn attribute_names(db: &mut impl Query) -> Result<BTreeSet<String>, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT DISTINCT j.key FROM customer c, json_each(c.attributes) j WHERE c.attributes <> '{}'"
        }
        Dialect::Postgres => {
            "SELECT DISTINCT jsonb_object_keys(c.attributes::jsonb) FROM customer c WHERE c.attributes <> '{}'"
        }
    };
    Ok(db.all::<(String,)>(sql, args![]).await?.into_iter().map(|(name,)| name).collect())
}

//! Where named messages stand, for a command that could not do with them what was asked.

use crate::args;
use crate::db::{DbError, Query, Rows, Type};

/// The states of those of `ids` that there are.
///
/// # Errors
/// What the database says.
pub async fn states(db: &mut impl Query, ids: &[i64]) -> Result<Vec<(i64, String)>, DbError> {
    let mut rows = Rows::new(&[Type::Int]);
    ids.iter().for_each(|id| rows.push(args![*id]));
    db.all_with_rows("SELECT id, state FROM message WHERE id IN ({rows})", rows, args![]).await
}

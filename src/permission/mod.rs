//! stub until merge
#![allow(missing_docs)]
use crate::config::model::Consent;
use crate::db::{DbError, Query};
use crate::types::Timestamp;
pub struct Standing;
pub fn may_receive(_: &Standing, _: Consent, _: bool, _: Timestamp) -> Result<(), &'static str> {
    Ok(())
}
pub async fn standings(
    _: &mut impl Query,
    asked: &[(i64, &str, &str)],
    _: Timestamp,
) -> Result<Vec<Standing>, DbError> {
    Ok(asked.iter().map(|_| Standing).collect())
}

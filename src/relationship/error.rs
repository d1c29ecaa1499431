//! What can go wrong while relationships are kept.

use crate::db::DbError;

/// An error of the relationship stage.
#[derive(Debug, thiserror::Error)]
pub enum RelationshipError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There is no such customer, or only a tombstone.
    #[error(
        "there is no customer {0}, or they were erased: `dangol customer show` finds one by address or external id"
    )]
    NoCustomer(i64),
    /// The stored calibration cannot be read.
    #[error(
        "calibration {id} in the database cannot be read ({source}): it was written by another version; delete that row of `calibration`, the next refresh makes a new one"
    )]
    Calibration {
        /// Its id.
        id: i64,
        /// What is wrong in it.
        source: serde_json::Error,
    },
    /// Other writers kept moving the cursor.
    #[error("other nodes moved the cursor `{0}` ten times in a row while this one worked: try again")]
    Contended(&'static str),
}

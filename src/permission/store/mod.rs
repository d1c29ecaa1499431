//! The SQL of permission.

pub(super) mod consent;
pub(super) mod facts;
pub(super) mod reason;
pub(super) mod suppression;

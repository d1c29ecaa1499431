//! A line of the journal: enough to do the same to a database that has never heard of it.

use crate::customer::ErasureKey;
use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A line of the journal's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The note's id in the database from which it comes.
    pub id: i64,
    /// The row that it is about.
    pub subject: i64,
    /// When it was noted.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Entry {
    /// Somebody said no.
    Withdrawal(Withdrawal),
    /// An address is to get nothing, or, when it is lifted, again.
    Suppression(Suppression),
    /// Somebody was forgotten.
    Erasure {
        /// The keyed hashes of the names.
        hashes: Vec<String>,
    },
    /// A line of the consent ledger was taken back.
    Undone,
    /// The row was gone before it could be written here.
    Gone,
    /// A restored database stands at this note.
    Restored,
}

/// A withdrawal, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub customer: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub topic: String,
    pub since: Timestamp,
    pub own_act: bool,
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A suppression as it stood when it was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    pub address: String,
    pub reason: String,
    pub source: String,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether the hashes of an erasure are those of a person with these names. An address alone names somebody only where
/// there is no external id, because several customers may share an address.
pub(super) fn is_one_of(
    hashes: &HashSet<String>,
    key: &ErasureKey,
    external: Option<&str>,
    email: Option<&str>,
) -> bool {
    match (external, email) {
        (Some(external), _) => hashes.contains(&key.external(external)),
        (None, Some(email)) => hashes.contains(&key.address(email)),
        (None, None) => false,
    }
}

impl Withdrawal {
    /// Takes out who it was; true when there was something to take out.
    pub(super) fn forget(&mut self, hashes: &HashSet<String>, key: &ErasureKey) -> bool {
        let theirs = is_one_of(hashes, key, self.external_id.as_deref(), self.email.as_deref());
        if theirs {
            (self.external_id, self.email) = (None, None);
        }
        theirs
    }
}

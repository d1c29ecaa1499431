//! What can go wrong with rewards.

use super::redeem::Refusal;
use crate::db::DbError;

/// An error of the reward stage.
#[derive(Debug, thiserror::Error)]
pub enum RewardError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A definition cannot be used.
    #[error("the reward `{name}` cannot be used: {why}. `dangol check` says where")]
    Definition {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A grant that makes no sense.
    #[error("the reward `{reward}` cannot be granted so: {why}")]
    Grant {
        /// Which.
        reward: String,
        /// What is wrong.
        why: String,
    },
    /// A redemption that is not taken.
    #[error("{0}")]
    Refused(Refusal),
    /// Another transaction was faster.
    #[error("another process changed the same rewards at the same moment: nothing was done, try again")]
    Contended,
}

impl RewardError {
    /// For those who undo their transaction as a whole: what another did at this moment can be tried again, the rest not.
    pub fn into_db(self) -> DbError {
        match self {
            RewardError::Db(e) => e,
            RewardError::Contended => DbError::Contended(self.to_string()),
            other => DbError::Shape(other.to_string()),
        }
    }
}

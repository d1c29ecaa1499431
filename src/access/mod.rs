//! Who may use the API: tokens with scopes, of which only hashes are kept, and the answers that are given again to
//! whoever repeats a request under its key. Called by the web's door, `dangol token`, and the engine's upkeep.
//!
//! A token is `dgl_`, 256 random bits and a checksum, in hexadecimal: scanners for leaked secrets know it by its look, and
//! a typo is told without asking the database. The hash needs no salt and no key: nobody guesses 256 bits.

mod answers;
mod scope;
mod secret;
mod store;
mod tokens;

pub use answers::{Claim, Claimed, KEPT, LONGEST_KEY};
pub use scope::Scope;
pub use secret::{Malformed, Secret};
pub use tokens::{AccessError, Bearer, Created, Denied, Token, check, create, list, revoke};

use crate::db::{Db, DbError};
use crate::types::Timestamp;

/// Forgets answers that are older than [`KEPT`]; gives how many.
///
/// # Errors
/// What the database says.
pub async fn forget(db: &Db, now: Timestamp) -> Result<u64, DbError> {
    answers::forget(db, now).await
}

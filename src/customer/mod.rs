//! Who: customers, how they are named, what is known of them, and how they are forgotten.
//!
//! [`find`] answers a person who types a name at a door; [`Directory`] answers whole slices of rows for imports and the
//! API, by the rule under "Who" in the design: an `external_id` is the key, else the normalised address; a new
//! `external_id` adopts a customer known by address only; what could mean two customers is refused.

mod directory;
mod hash;
mod profile;
mod store;

pub use directory::{Directory, Outcome, Refusal};
pub use hash::ErasureKey;
pub use profile::{Customer, Profile};
pub use store::attributes::attribute_names;
pub use store::audit::{audit, audit_of};
pub use store::directory::{address_of, ensure, one_at_a_time};
pub use store::erase::erase;
pub use store::export::export;
pub use store::journal::{LEDGER_LOCK, Note, note};
pub use store::{Preferences, find, load, load_many, set_preferences};

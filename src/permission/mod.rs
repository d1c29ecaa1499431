//! Permission first: no recorded consent for the topic, no mail.
//!
//! Consent is a ledger per topic; [`standing::of`] folds it into where a person stands, in any order of arrival.
//! [`Rule::judge`] says for one customer why a mail may not go, and [`Rule::reason`] says the same in SQL for a whole
//! audience; a test holds the two together. Suppressions are of addresses and hold whoever has them.

mod acts;
mod rule;
pub mod standing;
mod store;

pub use acts::{Confirmed, confirm, request, withdraw};
pub use rule::{Facts, Reason, Rule};
pub use standing::State;
pub use store::consent::{NewConsent, Recorded, Standing, forget_batch, ledger, record_consents, state};
pub use store::facts::{facts, reasons};
pub use store::reason::Fragment;
pub use store::suppression::{
    Filter, NewSuppression, Suppression, is_suppressed, lift, lift_batch, list, suppress, suppress_many,
};

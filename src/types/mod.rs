//! The words that every stage shares: an address, money, a period, a rate, a moment. Parsed at the edge into types that
//! cannot be wrong; inside, nobody checks again. The lowest floor: it knows nobody.

pub mod bucket;
pub mod clock;
pub mod domain;
pub mod email;
pub mod locale;
pub mod money;
pub mod number;
pub mod pace;
pub mod period;
pub mod reward;
pub mod shared;
pub mod text;

pub use clock::Clock;
pub use email::Email;
pub use money::{Currency, Money};
pub use period::Period;
pub use shared::Shared;

/// A moment, UTC; `i64` milliseconds in the database.
pub use jiff::Timestamp;

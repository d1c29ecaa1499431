//! The relationship of each customer to the shop: what they buy, how they take our mail, what they say; and one score
//! of it that is explained point by point. The reader of the log moves the sums, [`explain()`] shows the evidence, and
//! segments, guards and reports read the figures in the table `relationship`. The formulas: `docs/relationship.md`.
//!
//! ```no_run
//! # async fn f(db: dangol::db::Db, settings: dangol::config::model::Settings, now: jiff::Timestamp)
//! # -> Result<(), dangol::relationship::RelationshipError> {
//! use dangol::relationship;
//! relationship::catch_up(&db, &settings, now).await?; // what the log tells since the last time
//! relationship::refresh(&db, &settings, now).await?; // what time alone has changed
//! let why = relationship::explain(&db, &settings, 7, now).await?;
//! println!("{}", why.to_text(&settings.site.locale));
//! # Ok(()) }
//! ```

pub mod attitude;
pub mod buying;
pub mod calibration;
pub mod constants;
pub mod decay;
pub mod engagement;
mod error;
pub mod explain;
pub mod fields;
pub mod figures;
pub mod lifecycle;
pub mod reader;
mod rebuild;
pub mod refresh;
pub mod score;
mod slice;
pub mod store;
pub mod sums;
mod text;

pub use calibration::{Calibration, Patience, calibrate_if_due};
pub use constants::{Model, constants};
pub use error::RelationshipError;
pub use explain::{Explanation, explain};
pub use fields::{FIELDS, FieldDef};
pub use figures::Figures;
pub use reader::{CURSOR, Progress, catch_up, catch_up_slice};
pub use refresh::{refresh, refresh_all};
pub use sums::{Input, Sums};

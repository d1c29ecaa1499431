//! Who: sets of customers, each told by a condition in a marketer's words.
//!
//! A condition is a boolean expression in the grammar of SQL: [`Expr::parse`] reads it with `sqlparser`, checks every
//! name and type against a [`Catalogue`], and keeps its own typed tree. Nothing of the text reaches the database:
//! [`Expr::compile`] writes a [`Condition`] for the database in use from constant fragments, every value a parameter.
//! Stages above register their fields in the catalogue; `campaign` embeds a condition in its own statements.
//!
//! **Absent values.** A test on an absent value is false, and its `NOT` true: `city <> 'Seoul'` leaves out those whose
//! city is unknown, `NOT (city = 'Seoul')` and `city NOT IN ('Seoul')` take them in. `count` and `sum` over nothing are
//! 0; `avg`, `min`, `max`, `days_since`, `first` and `last` of nothing are absent.
//!
//! ```
//! use dangol::segment::{Catalogue, Expr, Names};
//! let wrong = Expr::parse("consents('letters') AND loclae = 'ko'", &Catalogue::new(), &Names::default()).unwrap_err();
//! assert_eq!(wrong[0].help.as_deref(), Some("did you mean `locale`?"));
//! ```

mod catalogue;
mod check;
mod error;
mod expr;
mod moment;
mod never;
mod parse;
mod place;
mod segments;
mod source;
pub mod store;

pub use catalogue::{Catalogue, Field, Kind, Names};
pub use error::ExprError;
pub use expr::Expr;
pub use never::Never;
pub use segments::Segments;
pub use store::{Condition, Context};

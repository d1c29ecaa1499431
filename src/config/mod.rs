//! The workspace's files: found, read, checked and typed. What a marketer writes ends here; the stages get types.
//!
//! [`Workspace::load`] reads everything and never stops at the first mistake: what it could not read is in its
//! [`Problem`]s, and [`reading::Reading`] has for `check` what can be made out of the rest. Names that point from file
//! to file, templates and conditions are judged by the stages that own them, and all of it together by `campaign::check`.

pub mod document;
mod draft;
pub mod init;
pub mod model;
mod problem;
pub mod reading;
mod schema;
pub mod secret;
pub mod shape;
pub(crate) mod syntax;
pub mod workspace;

pub use problem::{Problem, Severity, nearest};
pub use workspace::Workspace;

//! The engine: wires the stages into loops and keeps them running. It holds the clock; the stages are given `now`.
//!
//! [`App`] is an opened workspace with its database and keys, [`Running`] the loops over it: the scheduler takes due
//! audiences into the queue, the senders empty it, the readers settle hits and move relationships.

mod app;
pub mod demo;
pub mod doctor;
mod doors;
pub mod journal;
pub mod relays;
pub mod restore;
mod run;
mod serve;
pub mod signals;

pub use app::{App, AppError, Environment, Open};
pub use run::{Ended, Roles, Running};
pub use serve::{Web, listen, serve_on};

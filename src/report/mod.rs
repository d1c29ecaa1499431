//! What happened, and what it came to: [`campaign`] for one campaign, [`status`] for everything that runs, [`why`] for
//! one customer. Read only.

pub mod campaign;
pub mod goal;
pub mod statistics;
pub mod status;
mod store;
pub mod why;

//! Delivery: every mail is a durable row with a state, and leaves through rate-limited SMTP connections.
//!
//! ```text
//! queue (rows) ─► claim ─► compose ─► a relay's connections ─► ledger (grouped commits) ─► rows
//! ```
//! [`queue`] has the rows, [`judge`] decides anew whether a mail may go when its turn comes, [`ledger`] makes
//! `transmitting` and results durable for many connections in one commit (`group`), [`connection`] speaks SMTP, [`relay`] keeps
//! a server's limits, [`buffer`] says which mail is next, [`sender`] wires them for one process, [`node`] tells dead processes from slow ones. What a mail says is made by whoever implements
//! [`Compose`]; delivery knows nothing of templates. The mail comes as [`Content`], ready for the wire.

pub mod blame;
pub mod buffer;
pub mod choke;
pub mod connection;
pub mod direct;
pub mod health;
pub mod judge;
pub mod lane;
pub mod ledger;
pub mod node;
pub mod pace;
pub mod queue;
pub mod quota;
pub mod relay;
pub mod reply;
pub mod route;
pub mod sender;
pub mod server;
pub mod settle;
pub mod state;
pub mod store;
pub mod verdict;

mod compose;
mod content;
mod courier;
mod dispatch;
mod group;
mod hello;
mod obstacles;
mod wire;

pub use compose::{Boxed, Claimed, Compose, Outgoing, Policy, Refusal};
pub use content::Content;
pub use state::State;

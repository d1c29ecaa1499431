//! Tracking: what readers do with a mail, as evidence, and what the evidence is worth.
//!
//! A link in a mail carries a [`token::Tokens`] token. Following it makes a [`Hit`], which the [`HitLog`] writes down in
//! grouped commits before it is answered, or spools to the disk while the database is away. Many hits are machines:
//! scanners, prefetchers, image proxies. So a hit waits until what follows it is known, is classed by [`class`], and only
//! then [`settle`] makes it an `open` or a `click` in the event log. Called by the web door and by the engine's loops.

pub mod answer;
mod bounce;
pub mod class;
mod company;
mod hit;
mod hitlog;
pub mod network;
pub mod settle;
mod spool;
mod store;
pub mod token;
mod wire;

pub use class::{Class, Verdict};
pub use hit::{Hit, HitKind};
pub use hitlog::{HitLog, NotKept};
pub use spool::{Spool, SpoolError};
pub use store::{asset, ping};
pub use token::Tokens;

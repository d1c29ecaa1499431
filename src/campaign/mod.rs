//! Campaigns: from a file to durable rows in the queue.
//!
//! ```text
//! files ─► content ─► live (compiled) ─► launch (a revision, an occurrence) ─► enrol (slices) ─► message rows
//! ```
//! [`check`] judges a whole workspace, [`plan`] says what a launch would do, [`launch`] makes it live, [`enrol`] takes
//! the audience in short slices, unless it is a [`leap`] that nobody has agreed to, [`compose`] makes the mail of a claimed row for `deliver`. Whether a mail may go when
//! its turn comes is `deliver`'s to judge.

pub mod check;
pub mod compose;
pub mod content;
pub mod control;
pub mod enrol;
mod error;
pub mod journey;
pub mod launch;
pub mod leap;
pub mod links;
pub mod live;
mod parallel;
pub mod plan;
pub mod preview;
pub mod reader;
pub mod schedule;
pub mod segments;
pub mod store;

pub use error::CampaignError;
pub use leap::Leap;
pub use live::{Live, LiveCache};

/// The one step of a campaign that is sent once.
pub const ONCE: &str = "send";

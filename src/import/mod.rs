//! Import: files as they come out of Excel and of shops, into customers, orders, events, consents and suppressions.
//!
//! ```text
//! bytes ─► encoding ─► table | ndjson ─► columns ─► record ─► kinds (parse) ─► kinds (land, by the slice) ─► report
//!                      one thread reads ahead                 │                  │
//!                                                             └──── rejects ◄────┘
//! ```
//!
//! Good rows land, bad rows go to `FILE.rejected.csv`, or `.ndjson`, with the reason. The same file twice changes nothing, so a
//! half-imported one is simply imported again. Slices keep the database's one writer free for others. The parsers take a
//! [`Record`], not CSV, so that the HTTP API is judged by the same code: [`rows`].

mod binary;
mod columns;
mod door;
mod encoding;
mod error;
pub mod kinds;
mod ndjson;
mod reader;
mod record;
mod rejects;
mod report;
mod rows;
mod run;
mod source;
mod store;
mod table;
mod undo;
mod when;

pub use columns::{Mapped, Mapping};
pub use error::ImportError;
pub use record::{Cell, Record};
pub use report::{Rejected, Report};
pub use rows::{members, rows};
pub use run::run;
pub use source::Input;
pub use store::Batch;
pub use store::batches;
pub use undo::{Undone, undo};
pub use when::Dates;

use crate::config::model::Settings;
use crate::customer::ErasureKey;
use crate::types::Currency;
use std::path::PathBuf;

/// What a file tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is the kind")]
pub enum Kind {
    Customers,
    Orders,
    Events,
    Consents,
    Suppressions,
}

impl Kind {
    /// Its name on the command line and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Customers => "customers",
            Kind::Orders => "orders",
            Kind::Events => "events",
            Kind::Consents => "consents",
            Kind::Suppressions => "suppressions",
        }
    }
}

/// How to import.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The site's zone, currency and topics.
    pub settings: &'a Settings,
    /// The key under which erased people are remembered.
    pub erasure_key: ErasureKey,
    /// `--map theirs=ours`; an empty `ours` leaves the column out.
    pub map: Vec<(String, String)>,
    /// `--currency`: of amounts that name none.
    pub currency: Option<Currency>,
    /// `--create`: orders and events of unknown customers make them.
    pub create: bool,
    /// `--consent TOPIC --evidence TEXT`: recorded for every row of customers.
    pub consent: Option<(String, String)>,
    /// Shows what would happen, and changes nothing.
    pub dry_run: bool,
    /// Where rejected rows go; without it, beside the file, as `FILE.rejected.csv` or `FILE.rejected.ndjson`.
    pub rejected: Option<PathBuf>,
}

impl<'a> Options<'a> {
    /// The usual.
    pub fn new(settings: &'a Settings, erasure_key: ErasureKey) -> Options<'a> {
        Options {
            settings,
            erasure_key,
            map: Vec::new(),
            currency: None,
            create: false,
            consent: None,
            dry_run: false,
            rejected: None,
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all, when that is known.
    pub total: Option<u64>,
    /// Rows dealt with.
    pub rows: u64,
}

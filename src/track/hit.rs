//! One piece of evidence: somebody, or something, fetched what a mail refers to.

use super::class;
use crate::types::Period;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HitKind {
    /// The pixel.
    Open,
    /// A link.
    Click,
    /// The mail as a page.
    View,
}

impl HitKind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            HitKind::Open => "open",
            HitKind::Click => "click",
            HitKind::View => "view",
        }
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<HitKind> {
        [HitKind::Open, HitKind::Click, HitKind::View].into_iter().find(|kind| kind.name() == name)
    }
}

/// A hit as it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// What was fetched.
    pub kind: HitKind,
    /// Of which message.
    pub message: i64,
    /// Of a click: which link, and of how many.
    pub link: Option<(u32, u32)>,
    /// Of a click: where it leads.
    pub url: Option<String>,
    /// When, in whole milliseconds.
    pub at: Timestamp,
    /// `GET` or `HEAD`.
    pub method: String,
    /// From where, as far as it is known.
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, cut to 512 characters.
    pub agent: Option<String>,
    /// Whether the request says that it runs ahead of the reader.
    pub prefetch: bool,
}

impl Hit {
    /// When it can be classed: at once when it is surely a machine's, else when what follows within `settle` is known.
    pub fn settle_at(&self, settle: Period) -> Timestamp {
        match class::alone(&self.into()) {
            Some(verdict) if verdict.class == class::Class::Machine => self.at,
            _ => settle.after(self.at, &TimeZone::UTC),
        }
    }
}

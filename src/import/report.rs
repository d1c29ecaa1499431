//! What an import did: the counts are a contract with whoever reads `--json`.

use super::columns::Mapped;
use serde::Serialize;
use serde_json::Value as Json;

/// What an import did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Rows found, blank ones left out: the sum of the next four.
    pub rows: u64,
    /// Rows that were new.
    pub inserted: u64,
    /// Rows that changed something known.
    pub updated: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// The file with the refused rows and reasons; none when there are none.
    pub rejected_file: Option<String>,
    /// The kind.
    pub kind: &'static str,
    /// The number for `import undo`; none of a dry run.
    pub batch: Option<i64>,
    /// Nothing was changed.
    pub dry_run: bool,
    /// The encoding that the bytes told.
    pub encoding: &'static str,
    /// `,` `;` or a tab; none of NDJSON.
    pub delimiter: Option<char>,
    /// Where each column went.
    pub mapping: Vec<Mapped>,
    /// The first rows as they were understood; of a dry run only.
    pub preview: Vec<Json>,
    /// The first refused rows.
    pub reasons: Vec<Rejected>,
    /// Grants that were recorded and do not stand, because the person had withdrawn.
    pub withdrawn_kept: u64,
}

/// A refused row.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    /// The line on which it begins.
    pub line: u64,
    /// Why.
    pub reason: String,
}

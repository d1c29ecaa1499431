//! What became of each row: the counts and words are a contract, as those of `import --json` are.

use crate::import::kinds::Landed;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// What became of the rows of a request.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Rows found: the sum of the next four.
    rows: u32,
    /// Rows that were new.
    inserted: u32,
    /// Rows that changed something known.
    updated: u32,
    /// Rows that said nothing new.
    unchanged: u32,
    /// Rows that were refused; they keep no other from landing.
    rejected: u32,
    /// Each row, in the order in which they were sent.
    results: Vec<RowResult>,
}

/// What became of a row.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct RowResult {
    /// Which, from 1; empty lines do not count.
    row: u32,
    /// What became of it.
    status: RowStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RowStatus {
    Inserted,
    Updated,
    Unchanged,
    Rejected,
}

impl Answer {
    pub(super) fn of(landed: Vec<Landed>) -> Answer {
        let mut answer = Answer::default();
        for (row, landed) in (1..).zip(landed) {
            let (status, reason) = match landed {
                Landed::Inserted => (RowStatus::Inserted, None),
                Landed::Updated => (RowStatus::Updated, None),
                Landed::Unchanged => (RowStatus::Unchanged, None),
                Landed::Rejected(reason) => (RowStatus::Rejected, Some(reason)),
            };
            *match status {
                RowStatus::Inserted => &mut answer.inserted,
                RowStatus::Updated => &mut answer.updated,
                RowStatus::Unchanged => &mut answer.unchanged,
                RowStatus::Rejected => &mut answer.rejected,
            } += 1;
            answer.rows += 1;
            answer.results.push(RowResult { row, status, reason });
        }
        answer
    }

    /// 422 when there were rows and every one was refused.
    pub(super) fn status(&self) -> StatusCode {
        if self.rows > 0 && self.rejected == self.rows { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
    }

    /// The counts, with their words.
    pub(super) fn counts(&self) -> [(&'static str, u32); 4] {
        [
            ("inserted", self.inserted),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("rejected", self.rejected),
        ]
    }
}

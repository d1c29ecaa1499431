//! What has to survive a restore is noted here, in the transaction that does it: withdrawals, suppressions and their
//! lifting, erasures. The engine's keeper reads the notes by their ids and keeps them in a file outside the database.

use crate::args;
use crate::db::{DbError, Rows, Tx};
use crate::types::Timestamp;

/// PostgreSQL: held by whatever writes permission, so that a ledger is folded by one at a time, and the ids of notes
/// become visible in order. One lock for all of it, because two would sooner or later be taken in two orders.
pub const LEDGER_LOCK: i64 = 0x6461_6e67_6f6c_0003;

/// What a note is about; its subject is the id of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of the consent ledger that says no.
    Withdrawal,
    /// A suppression that was made, lengthened or lifted.
    Suppression,
    /// A customer who was forgotten; the data are the hashes.
    Erasure,
    /// A line of the consent ledger that was taken back.
    Undone,
}

impl Note {
    /// Its name in the database and in the file.
    pub fn name(self) -> &'static str {
        match self {
            Note::Withdrawal => "withdrawal",
            Note::Suppression => "suppression",
            Note::Erasure => "erasure",
            Note::Undone => "undone",
        }
    }
}

/// Notes that these rows have to survive a restore.
///
/// # Errors
/// What the database says.
pub async fn note(
    tx: &mut Tx,
    what: Note,
    subjects: &[i64],
    data: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    if subjects.is_empty() {
        return Ok(());
    }
    tx.serialise(LEDGER_LOCK).await?;
    let sql = "WITH input(subject) AS ({rows}) INSERT INTO journal (kind, subject, data, at) \
               SELECT CAST(? AS TEXT), subject, CAST(? AS TEXT), CAST(? AS BIGINT) FROM input";
    for chunk in subjects.chunks(512) {
        tx.execute_rows(sql, Rows::ids(chunk), args![what.name(), data, now]).await?;
    }
    Ok(())
}

//! What ends an import. A bad row does not: it is rejected.

use crate::db::DbError;

/// Why a file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened or read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is no text.
    #[error("{file} seems to be {what}, and not CSV or NDJSON: {help}")]
    Binary {
        /// The file.
        file: String,
        /// What it seems to be.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// There is nothing in it.
    #[error("{0} is empty: the first line names the columns")]
    Empty(String),
    /// A row without an end.
    #[error(
        "{file}, line {line}: this row is longer than 1 MB. Is a quote opened and never closed, or is this no CSV or NDJSON file? Rows before it are imported; mend it and import the file again"
    )]
    TooLong {
        /// The file.
        file: String,
        /// Where the row begins.
        line: u64,
    },
    /// The header does not fit.
    #[error("{file}: {message}")]
    Columns {
        /// The file.
        file: String,
        /// What was found, and what to do.
        message: String,
    },
    /// An option does not fit.
    #[error("{0}")]
    Option(String),
    /// The file of rejected rows cannot be written.
    #[error("cannot write the rejected rows to {file}: {source}")]
    Rejects {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// No such import.
    #[error("there is no import {0}; `dangol import list` shows them")]
    NoBatch(i64),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

//! NDJSON: one JSON object a line.

use super::ImportError;
use super::table::{Head, LONGEST};
use serde_json::{Map, Value as Json};
use std::io::{BufRead, BufReader, Chain, Cursor, Read};

/// The lines of an NDJSON text.
pub(super) struct Lines<R> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    line: u64,
    file: String,
}

impl<R: Read> Lines<R> {
    pub(super) fn open(head: Head, rest: R, file: &str) -> Lines<R> {
        Lines { reader: BufReader::with_capacity(64 * 1024, head.chain(rest)), line: 0, file: file.to_owned() }
    }

    /// The next line that is not blank, with its number.
    pub(super) fn next(&mut self) -> Result<Option<(u64, String)>, ImportError> {
        loop {
            let mut bytes = Vec::new();
            self.line += 1;
            let limit = LONGEST as u64 + 1;
            let read = (&mut self.reader).take(limit).read_until(b'\n', &mut bytes);
            let n = read.map_err(|source| ImportError::Read { file: self.file.clone(), source })?;
            if n == 0 {
                return Ok(None);
            }
            if n > LONGEST {
                return Err(ImportError::TooLong { file: self.file.clone(), line: self.line });
            }
            // the decoder gives UTF-8 only
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            if !text.is_empty() {
                return Ok(Some((self.line, text.to_owned())));
            }
        }
    }
}

/// A line as an object.
pub(super) fn object(line: &str) -> Result<Map<String, Json>, String> {
    if line.contains('\u{fffd}') {
        return Err("this row holds bytes that are no text in the file's encoding".into());
    }
    match serde_json::from_str(line) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err("this line is no JSON object: each line is one, such as {\"customer\": \"7\"}".into()),
        Err(e) => Err(format!("this line is no JSON: {e}")),
    }
}

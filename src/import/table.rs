//! CSV, as Excel in its many countries writes it: the delimiter told from the first line, bounded rows, and never more
//! than one row in memory.

use super::ImportError;
use std::io::{self, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The longest row.
pub(super) const LONGEST: usize = 1024 * 1024;

/// What stands at the beginning of the text, read ahead.
pub(super) struct Head {
    text: Vec<u8>,
}

impl Head {
    /// Reads to the end of the first line, or as far as a row may go.
    pub(super) fn read(reader: &mut impl Read) -> io::Result<Head> {
        let mut text = Vec::new();
        let mut block = [0; 8192];
        let (mut searched, mut quoted) = (0, false);
        while text.len() < LONGEST {
            let n = reader.read(&mut block)?;
            if n == 0 {
                break;
            }
            text.extend_from_slice(&block[..n]);
            let ended = text[searched..].iter().any(|b| {
                quoted ^= *b == b'"';
                *b == b'\n' && !quoted
            });
            searched = text.len();
            // a file of empty lines has its first line further on
            if ended && text.iter().any(|b| !b.is_ascii_whitespace()) {
                break;
            }
        }
        Ok(Head { text })
    }

    fn trimmed(&self) -> &[u8] {
        let text = self.text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.text);
        text.trim_ascii_start()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.trimmed().is_empty()
    }

    /// The first character that is no blank.
    pub(super) fn first(&self) -> Option<u8> {
        self.trimmed().first().copied()
    }

    /// As far as the first line goes.
    pub(super) fn first_line(&self) -> &[u8] {
        let text = self.trimmed();
        &text[..text.iter().position(|b| *b == b'\n').unwrap_or(text.len())]
    }

    pub(super) fn chain<R: Read>(self, rest: R) -> Chain<Cursor<Vec<u8>>, R> {
        Cursor::new(self.text).chain(rest)
    }

    /// The delimiter, and whether the first line is Excel's `sep=;`, which is then taken away.
    fn delimiter(&mut self) -> (u8, bool) {
        let text = self.trimmed();
        if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep="))
            && let Some(delimiter) = text.get(4).copied().filter(|d| b",;\t|".contains(d))
        {
            let end = text.iter().position(|b| *b == b'\n').map_or(text.len(), |at| at + 1);
            self.text = text[end..].to_vec();
            return (delimiter, true);
        }
        let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
        let mut quoted = false;
        for b in text {
            match b {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => break,
                b if !quoted => counts.iter_mut().filter(|(d, _)| d == b).for_each(|(_, n)| *n += 1),
                _ => {}
            }
        }
        let best = counts.iter().max_by_key(|(d, n)| (*n, *d == b',')).map_or(b',', |(d, _)| *d);
        (best, false)
    }
}

/// Stops a row that never ends before it fills the memory.
struct Bounded<R> {
    inner: R,
    since: Arc<AtomicUsize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.load(Ordering::Relaxed) > LONGEST {
            return Err(io::Error::other("the row is too long"));
        }
        let n = self.inner.read(buffer)?;
        self.since.fetch_add(n, Ordering::Relaxed);
        Ok(n)
    }
}

/// The rows of a CSV text.
pub(super) struct Table<R> {
    reader: csv::Reader<Bounded<Chain<Cursor<Vec<u8>>, R>>>,
    since: Arc<AtomicUsize>,
    skipped: u64,
    /// The columns' names.
    pub(super) header: csv::StringRecord,
    /// What stands between cells.
    pub(super) delimiter: u8,
    file: String,
}

impl<R: Read> Table<R> {
    pub(super) fn open(mut head: Head, rest: R, file: &str) -> Result<Table<R>, ImportError> {
        let (delimiter, sep) = head.delimiter();
        let since = Arc::new(AtomicUsize::new(0));
        let bounded = Bounded { inner: head.chain(rest), since: since.clone() };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(64 * 1024)
            .from_reader(bounded);
        let mut table = Table {
            reader,
            since,
            skipped: u64::from(sep),
            header: csv::StringRecord::new(),
            delimiter,
            file: file.to_owned(),
        };
        let mut header = csv::StringRecord::new();
        loop {
            if table.next(&mut header)?.is_none() {
                return Err(ImportError::Empty(table.file));
            }
            if header.iter().any(|cell| !cell.trim().is_empty()) {
                break;
            }
        }
        // Excel leaves delimiters behind for columns that once held something
        let used =
            header.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()).last().map_or(0, |(at, _)| at + 1);
        header.truncate(used);
        table.header = header;
        Ok(table)
    }

    /// Reads the next row that is not blank into `row`; gives the line on which it begins.
    pub(super) fn next(&mut self, row: &mut csv::StringRecord) -> Result<Option<u64>, ImportError> {
        loop {
            self.since.store(0, Ordering::Relaxed);
            let read = self.reader.read_record(row);
            let line = row.position().map_or(0, csv::Position::line) + self.skipped;
            match read {
                Ok(true) if row.iter().all(str::is_empty) => {}
                Ok(true) => return Ok(Some(line)),
                Ok(false) => return Ok(None),
                Err(_) if self.since.load(Ordering::Relaxed) > LONGEST => {
                    let line = self.reader.position().line() + self.skipped;
                    return Err(ImportError::TooLong { file: self.file.clone(), line });
                }
                Err(e) => {
                    let source = match e.into_kind() {
                        csv::ErrorKind::Io(source) => source,
                        other => io::Error::other(format!("{other:?}")),
                    };
                    return Err(ImportError::Read { file: self.file.clone(), source });
                }
            }
        }
    }
}

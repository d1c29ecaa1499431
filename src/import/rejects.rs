//! The rejected rows: their own columns, the line and the reason, in a file that opens in Excel and can be mended and
//! imported again.

use super::ImportError;
use super::reader::Raw;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes rejected rows; makes no file before the first.
pub(super) struct Rejects {
    /// `None` for a dry run, which changes nothing.
    path: Option<PathBuf>,
    header: Vec<String>,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl Rejects {
    /// Takes away what an earlier run left, so that nobody reads an old reason.
    pub(super) fn begin(path: Option<PathBuf>, header: Vec<String>) -> Result<Rejects, ImportError> {
        if let Some(path) = &path
            && let Err(source) = std::fs::remove_file(path)
            && source.kind() != std::io::ErrorKind::NotFound
        {
            return Err(wrong(path, source));
        }
        Ok(Rejects { path, header, writer: None })
    }

    pub(super) fn add(&mut self, line: u64, raw: &Raw, reason: &str) -> Result<(), ImportError> {
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(open(path, &self.header)?),
        };
        let result = (|| {
            let width = self.header.len();
            match raw {
                Raw::Table(row) => {
                    for cell in row.iter().take(width).chain(std::iter::repeat_n("", width.saturating_sub(row.len()))) {
                        writer.write_field(inert(cell).as_bytes())?;
                    }
                }
                Raw::Line(text) => writer.write_field(text)?,
            }
            writer.write_field(line.to_string())?;
            writer.write_field(inert(reason).as_bytes())?;
            writer.write_record(None::<&[u8]>)
        })();
        result.map_err(|e| wrong(path, e.into()))
    }

    /// Closes the file; gives its name when there is one.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, ImportError> {
        let (Some(path), Some(mut writer)) = (self.path, self.writer) else { return Ok(None) };
        writer.flush().map_err(|source| wrong(&path, source))?;
        Ok(Some(path))
    }
}

fn wrong(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Rejects { file: path.display().to_string(), source }
}

fn open(path: &Path, header: &[String]) -> Result<csv::Writer<BufWriter<File>>, ImportError> {
    let result = (|| {
        let mut file = BufWriter::new(File::create(path)?);
        // without the mark Excel takes it for the system's encoding
        file.write_all("\u{feff}".as_bytes())?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(file);
        let names = header.iter().map(|name| inert(name));
        let names: Vec<String> = names.chain(["line".into(), "reason".into()]).collect();
        writer.write_record(&names)?;
        Ok(writer)
    })();
    result.map_err(|source| wrong(path, source))
}

/// A cell that a spreadsheet takes for text: one that begins like a formula gets a leading apostrophe.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell of a file that we wrote, as it was before.
pub(super) fn restored(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    }
}

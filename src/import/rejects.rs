//! The rejected rows, each with its line and the reason, in a file that can be mended and imported again: CSV that opens
//! in Excel for what came as CSV, NDJSON for what came as NDJSON.
//!
//! Line and reason stand before a row's own cells, so that a row with too many or too few of them is kept as it was.

use super::ImportError;
use super::ndjson;
use super::reader::Raw;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What we add to a row: the columns of CSV, the members of NDJSON. An import leaves them out.
pub(super) const COLUMNS: [&str; 2] = ["rejected_line", "rejected"];

/// Where rejected rows go.
#[derive(Debug)]
pub(super) enum Beside {
    /// There.
    Named(PathBuf),
    /// Beside the input, under a name with an ending more.
    Input(PathBuf),
}

impl Beside {
    pub(super) fn path(&self, lines: bool) -> PathBuf {
        match self {
            Beside::Named(path) => path.clone(),
            Beside::Input(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(if lines { ".rejected.ndjson" } else { ".rejected.csv" });
                name.into()
            }
        }
    }
}

/// Writes rejected rows; makes no file before the first.
pub(super) struct Rejects {
    /// `None` for a dry run, which changes nothing.
    path: Option<PathBuf>,
    header: Vec<String>,
    lines: bool,
    writer: Option<Writer>,
}

enum Writer {
    Table(Box<csv::Writer<BufWriter<File>>>),
    Lines(BufWriter<File>),
}

impl Rejects {
    /// Takes away what an earlier run left, so that nobody reads an old reason.
    pub(super) fn begin(path: Option<PathBuf>, header: Vec<String>, lines: bool) -> Result<Rejects, ImportError> {
        if let Some(path) = &path
            && let Err(source) = std::fs::remove_file(path)
            && source.kind() != std::io::ErrorKind::NotFound
        {
            return Err(wrong(path, source));
        }
        Ok(Rejects { path, header, lines, writer: None })
    }

    pub(super) fn add(&mut self, line: u64, raw: &Raw, reason: &str) -> Result<(), ImportError> {
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(open(path, &self.header, self.lines).map_err(|source| wrong(path, source))?),
        };
        write(writer, line, raw, reason).map_err(|source| wrong(path, source))
    }

    /// Closes the file; gives its name when there is one.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, ImportError> {
        let (Some(path), Some(mut writer)) = (self.path, self.writer) else { return Ok(None) };
        let flushed = match &mut writer {
            Writer::Table(writer) => writer.flush(),
            Writer::Lines(writer) => writer.flush(),
        };
        flushed.map_err(|source| wrong(&path, source))?;
        Ok(Some(path))
    }
}

fn wrong(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Rejects { file: path.display().to_string(), source }
}

fn open(path: &Path, header: &[String], lines: bool) -> std::io::Result<Writer> {
    let mut file = BufWriter::new(File::create(path)?);
    if lines {
        return Ok(Writer::Lines(file));
    }
    // without the mark Excel takes it for the system's encoding
    file.write_all("\u{feff}".as_bytes())?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(file);
    let own = header.iter().map(|name| inert(name));
    writer.write_record(COLUMNS.into_iter().map(str::to_owned).chain(own))?;
    Ok(Writer::Table(Box::new(writer)))
}

fn write(writer: &mut Writer, line: u64, raw: &Raw, reason: &str) -> std::io::Result<()> {
    match (writer, raw) {
        (Writer::Table(writer), Raw::Table(row)) => {
            let cells = row.iter().map(inert);
            writer.write_record([line.to_string(), inert(reason)].into_iter().chain(cells))?;
        }
        (Writer::Lines(writer), Raw::Line(text)) => writeln!(writer, "{}", marked(line, text, reason))?,
        // a file is one or the other
        (Writer::Table(writer), Raw::Line(text)) => writer.write_record([&line.to_string(), reason, text])?,
        (Writer::Lines(writer), Raw::Table(row)) => {
            let cells: Vec<&str> = row.iter().collect();
            writeln!(writer, "{}", json!({ COLUMNS[0]: line, COLUMNS[1]: reason, "row": cells }))?;
        }
    }
    Ok(())
}

/// An object's text with line and reason in it. What is no object is kept as a text in one.
fn marked(line: u64, text: &str, reason: &str) -> String {
    let Ok(mut object) = ndjson::object(text) else {
        return json!({ COLUMNS[0]: line, COLUMNS[1]: reason, "row": text }).to_string();
    };
    let again = COLUMNS.map(|ours| object.remove(ours).is_some()).contains(&true);
    // its own text, when that can be, keeps each number as it was written
    let own = if again { serde_json::Value::Object(object.clone()).to_string() } else { text.trim_end().to_owned() };
    let body = own.strip_suffix('}').unwrap_or(&own);
    let comma = if object.is_empty() { "" } else { ", " };
    format!("{body}{comma}\"{}\": {line}, \"{}\": {}}}", COLUMNS[0], COLUMNS[1], json!(reason))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_text_and_is_marked_once() {
        let first = marked(7, r#"{"id": 1.50, "name": "홍길동"}"#, "a \"reason\"");
        assert_eq!(first, r#"{"id": 1.50, "name": "홍길동", "rejected_line": 7, "rejected": "a \"reason\""}"#);
        let second = marked(1, &first, "another");
        assert_eq!(second.matches("rejected_line").count(), 1, "{second}");
        assert!(second.contains("another") && !second.contains("reason"), "{second}");
        assert_eq!(marked(2, "{}", "r"), r#"{"rejected_line": 2, "rejected": "r"}"#);
        assert!(marked(2, "{\"a\": ", "r").contains(r#""row":"{\"a\": ""#));
    }
}

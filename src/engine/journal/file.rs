//! The journal's file: lines are added and synced; a line that a crash cut short is cut off; an erasure rewrites the file
//! without the names of who was forgotten.

use super::entry::{Entry, Line};
use crate::customer::ErasureKey;
use crate::db::{DbError, file as disk};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

const BLOCK: u64 = 64 * 1024;

fn failed(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> DbError {
    let path = path.to_owned();
    move |source| disk::failed(what, &path, source)
}

/// The last whole line; whatever stands after it is cut off. `None` of an empty file, or of none.
pub(super) fn last(path: &Path) -> Result<Option<Line>, DbError> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("cannot open the journal", path)(e)),
    };
    let found = last_bytes(&mut file).map_err(failed("cannot read the journal", path))?;
    let Some(bytes) = found else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(line) => Ok(Some(line)),
        Err(e) => {
            tracing::warn!(error = %e, "the last line of {} cannot be read: it is written from its beginning", path.display());
            Ok(None)
        }
    }
}

fn last_bytes(file: &mut File) -> std::io::Result<Option<Vec<u8>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut start, mut tail) = (length, Vec::new());
    while start > 0 {
        let from = start.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(start - from).unwrap_or(0)];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut block)?;
        block.append(&mut tail);
        (tail, start) = (block, from);
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else { continue };
        let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        if begin.is_none() && start > 0 {
            continue;
        }
        if end + 1 < tail.len() {
            file.set_len(start + end as u64 + 1)?;
            file.sync_all()?;
        }
        return Ok(Some(tail[begin.unwrap_or(0)..end].to_vec()));
    }
    if length > 0 {
        file.set_len(0)?;
    }
    Ok(None)
}

/// Adds lines; when it returns, they are on the disk.
pub(super) fn append(path: &Path, lines: &[Line], key: &ErasureKey) -> Result<(), DbError> {
    let wrong = failed("cannot write the journal", path);
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| wrong(e.into()))?;
        text.push(b'\n');
    }
    let forgotten: HashSet<String> = lines
        .iter()
        .filter_map(|line| if let Entry::Erasure { hashes } = &line.entry { Some(hashes) } else { None })
        .flatten()
        .cloned()
        .collect();
    if !forgotten.is_empty() && path.exists() {
        return rewrite(path, &forgotten, key, &text);
    }
    if !path.exists() {
        disk::private(path)?;
    }
    let mut file = OpenOptions::new().append(true).open(path).map_err(&wrong)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(&wrong)
}

/// The file anew, without the names of the forgotten, and with `more`: all of it or nothing.
fn rewrite(path: &Path, forgotten: &HashSet<String>, key: &ErasureKey, more: &[u8]) -> Result<(), DbError> {
    let wrong = failed("cannot write the journal", path);
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    disk::remove(&new)?;
    let mut out = BufWriter::new(disk::private(&new)?);
    each(path, |bytes, line| {
        if let Some(Line { entry: Entry::Withdrawal(withdrawal), .. }) = line
            && withdrawal.forget(forgotten, key)
        {
            serde_json::to_writer(&mut out, line)?;
            return out.write_all(b"\n");
        }
        out.write_all(bytes)?;
        out.write_all(b"\n")
    })?;
    out.write_all(more).and_then(|()| out.flush()).map_err(wrong)?;
    disk::put(&new, path)
}

/// Every line with what it says; `None` of one that cannot be read.
pub(super) fn each(
    path: &Path,
    mut with: impl FnMut(&[u8], &mut Option<Line>) -> std::io::Result<()>,
) -> Result<(), DbError> {
    let wrong = failed("cannot read the journal", path);
    let mut reader = BufReader::new(File::open(path).map_err(&wrong)?);
    let mut bytes = Vec::new();
    while {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes).map_err(&wrong)? > 0
    } {
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if !line.is_empty() {
            with(line, &mut serde_json::from_slice(line).ok()).map_err(&wrong)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Timestamp;

    fn undone(id: i64) -> Line {
        Line { id, subject: id, at: Timestamp::UNIX_EPOCH, entry: Entry::Undone }
    }

    #[test]
    fn a_line_that_a_crash_cut_short_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let key = ErasureKey::new([1; 32]);
        assert_eq!(last(&path).unwrap(), None);
        append(&path, &[undone(1), undone(2)], &key).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"id\":3,\"su"].concat()).unwrap();
        assert_eq!(last(&path).unwrap().map(|line| line.id), Some(2));
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        std::fs::write(&path, "{\"id\":1").unwrap();
        assert_eq!(last(&path).unwrap(), None);
        assert!(std::fs::read(&path).unwrap().is_empty());
    }

    #[test]
    fn the_last_line_is_found_in_a_long_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let lines: Vec<Line> = (1..=5_000).map(undone).collect();
        append(&path, &lines, &ErasureKey::new([1; 32])).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 2 * BLOCK);
        assert_eq!(last(&path).unwrap().map(|line| line.id), Some(5_000));
    }
}

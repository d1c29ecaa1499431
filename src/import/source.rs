//! Where the bytes come from, counted on their way in.

use super::ImportError;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to import.
pub enum Input {
    /// A file.
    Path(PathBuf),
    /// Standard input, `-` on the command line.
    Stdin,
    /// Any bytes, under a name for messages.
    Reader(String, Box<dyn Read + Send>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Input {
    /// A file, or standard input for `-`.
    pub fn of(argument: &str) -> Input {
        if argument == "-" { Input::Stdin } else { Input::Path(argument.into()) }
    }

    /// Its name in messages and in the list of imports.
    pub fn name(&self) -> String {
        match self {
            Input::Path(path) => path.display().to_string(),
            Input::Stdin => "standard input".into(),
            Input::Reader(name, _) => name.clone(),
        }
    }

    /// Where its rejected rows go when nothing else is said, without the ending, which the way of writing decides.
    pub(super) fn rejected(&self) -> PathBuf {
        match self {
            Input::Path(path) => path.clone(),
            Input::Stdin | Input::Reader(..) => "stdin".into(),
        }
    }

    pub(super) fn open(self) -> Result<Source, ImportError> {
        let file = self.name();
        let (reader, total): (Box<dyn Read + Send>, _) = match self {
            Input::Path(path) => {
                let opened = File::open(&path).and_then(|opened| Ok((opened.metadata()?, opened)));
                let (meta, opened) = opened.map_err(|source| ImportError::Read { file, source })?;
                (Box::new(opened), meta.is_file().then_some(meta.len()))
            }
            Input::Stdin => (Box::new(io::stdin()), None),
            Input::Reader(_, reader) => (reader, None),
        };
        Ok(Source { reader, read: Arc::default(), total })
    }
}

/// Opened bytes; `read` may be watched from another thread.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    pub(super) read: Arc<AtomicU64>,
    pub(super) total: Option<u64>,
}

impl Source {
    /// The first bytes, which are read again afterwards.
    pub(super) fn peek(&mut self, wanted: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        (&mut self.reader).take(wanted).read_to_end(&mut head)?;
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(io::Cursor::new(head.clone()).chain(rest));
        Ok(head)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

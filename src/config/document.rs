//! A TOML file with its places: which bytes a key or value stands at, for messages that point.

use super::Problem;
use super::syntax::{self, Mistake};
use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's text and its tree with places.
#[derive(Debug)]
pub struct Document {
    /// The file, from the workspace.
    pub file: String,
    /// Its text.
    pub source: String,
}

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A key of a table.
    Key(String),
    /// An element of an array.
    Index(usize),
}

impl Document {
    /// A document of a file's text.
    pub fn new(file: impl Into<String>, source: impl Into<String>) -> Document {
        Document { file: file.into(), source: source.into() }
    }

    /// Its tree as far as it can be read, and what keeps it from being TOML.
    pub(crate) fn parse(&self) -> (Spanned<DeTable<'_>>, Vec<Mistake>) {
        syntax::parse(&self.source)
    }

    /// The whole as a type. Call it after the shape was checked: its one error is then a rare one.
    ///
    /// # Errors
    /// What does not fit, and where.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::from_str(&self.source).map_err(|e| {
            Problem::at(&self.file, &self.source, e.span().unwrap_or(0..0), "value", e.message().trim().to_owned())
        })
    }

    /// Where the value at `path` stands, such as `audience.exclude[1]`; the nearest that there is when it is missing.
    pub fn span(&self, path: &str) -> Range<usize> {
        self.follow(path).0
    }

    /// Whether something stands at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.follow(path).1
    }

    fn follow(&self, path: &str) -> (Range<usize>, bool) {
        let (table, _) = self.parse();
        let mut span = 0..0;
        let mut here: Option<&Spanned<DeValue<'_>>> = None;
        for step in steps(path) {
            let next = match (&step, here.map(Spanned::get_ref)) {
                (Step::Key(key), None) => table.get_ref().get(key.as_str()),
                (Step::Key(key), Some(DeValue::Table(table))) => table.get(key.as_str()),
                (Step::Index(i), Some(DeValue::Array(array))) => array.get(*i),
                _ => None,
            };
            let Some(next) = next else { return (span, false) };
            span = next.span();
            here = Some(next);
        }
        (span, true)
    }

    /// A mistake at the value at `path`.
    pub fn problem(&self, path: &str, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::at(&self.file, &self.source, self.span(path), code, message)
    }
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, indexes) = part.split_once('[').map_or((part, ""), |(key, rest)| (key, rest));
        steps.push(Step::Key(key.to_owned()));
        for index in indexes.split(['[', ']']).filter(|i| !i.is_empty()) {
            if let Ok(index) = index.parse() {
                steps.push(Step::Index(index));
            }
        }
    }
    steps
}

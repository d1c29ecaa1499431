//! A row as its kind's parser sees it: cells under known names, whether they came from CSV, NDJSON or the API.

use serde_json::Value as Json;
use std::sync::Arc;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing, which leaves what is known.
    #[default]
    Empty,
    /// Text, as CSV has it.
    Text(String),
    /// A value of JSON.
    Json(Json),
}

/// A row: the kind's own fields by their number, and whatever else there was.
#[derive(Clone, Debug, Default)]
pub struct Record {
    cells: Vec<Cell>,
    /// Fields that the kind does not have, by name.
    pub(super) extra: Vec<(Arc<str>, Cell)>,
}

impl Record {
    /// A row of a kind with so many fields, all empty.
    pub fn new(fields: usize) -> Record {
        Record { cells: vec![Cell::Empty; fields], extra: Vec::new() }
    }

    /// Puts a cell into a field.
    pub fn set(&mut self, field: usize, cell: Cell) {
        if let Some(place) = self.cells.get_mut(field) {
            *place = cell;
        }
    }

    /// Puts a cell under a name that the kind does not have.
    pub fn set_extra(&mut self, name: Arc<str>, cell: Cell) {
        self.extra.push((name, cell));
    }

    pub(super) fn take(&mut self, field: usize) -> Cell {
        self.cells.get_mut(field).map(std::mem::take).unwrap_or_default()
    }

    /// A field as trimmed text on one line; `None` when it is empty.
    pub(super) fn text(&mut self, field: usize) -> Result<Option<String>, String> {
        let Some(mut text) = self.take(field).into_text()? else { return Ok(None) };
        if text.chars().any(char::is_control) {
            // a line break in a name must never reach a header
            text = text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A field that has to be there.
    pub(super) fn needed(&mut self, field: usize, name: &str) -> Result<String, String> {
        self.text(field)?.ok_or_else(|| format!("`{name}` is empty"))
    }
}

impl Cell {
    /// Trimmed, composed text; `None` when there is nothing in it.
    pub(super) fn into_text(self) -> Result<Option<String>, String> {
        match self {
            Cell::Empty | Cell::Json(Json::Null) => Ok(None),
            Cell::Text(text) => clean(text),
            Cell::Json(Json::String(text)) => clean(text),
            Cell::Json(Json::Bool(yes)) => Ok(Some(yes.to_string())),
            Cell::Json(Json::Number(number)) => Ok(Some(number.to_string())),
            Cell::Json(Json::Array(_) | Json::Object(_)) => {
                Err("a list or object stands where a text is expected".into())
            }
        }
    }
}

fn clean(text: String) -> Result<Option<String>, String> {
    if text.contains('\0') {
        return Err("a NUL character stands in this row".into());
    }
    if text.contains('\u{fffd}') {
        return Err("this row holds bytes that are no text in the file's encoding".into());
    }
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}';
    let mut trimmed = text.trim_matches(blank);
    // Excel's way to keep the zeros of 0101234
    if let Some(inner) = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        trimmed = inner.trim_matches(blank);
    }
    if trimmed.is_empty() {
        return Ok(None);
    }
    if !trimmed.is_ascii() && is_nfc_quick(trimmed.chars()) != IsNormalized::Yes {
        return Ok(Some(trimmed.nfc().collect()));
    }
    Ok(Some(if trimmed.len() == text.len() { text } else { trimmed.to_owned() }))
}

/// Refuses a NUL anywhere in a value: PostgreSQL takes none, not even escaped.
pub(super) fn without_nul(value: &Json) -> Result<(), String> {
    let bad = match value {
        Json::String(text) => text.contains('\0') || text.contains('\u{fffd}'),
        Json::Array(items) => return items.iter().try_for_each(without_nul),
        Json::Object(map) => {
            if map.keys().any(|key| key.contains('\0')) {
                true
            } else {
                return map.values().try_for_each(without_nul);
            }
        }
        _ => false,
    };
    if bad { Err("a NUL or unreadable character stands in this row".into()) } else { Ok(()) }
}

/// The longest text kept in a column such as a name.
pub(super) const LONGEST: usize = 500;

/// Refuses a text that is too long for a column.
pub(super) fn short(text: Option<String>, name: &str) -> Result<Option<String>, String> {
    match text {
        Some(text) if text.len() > LONGEST * 3 || text.chars().count() > LONGEST => {
            Err(format!("`{name}` is longer than {LONGEST} characters"))
        }
        text => Ok(text),
    }
}

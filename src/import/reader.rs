//! The thread that reads ahead: bytes to parsed rows, in blocks, while the database takes the block before.

use super::columns::{Mapping, Shape, Target};
use super::encoding::{Decoder, Told};
use super::kinds::{Context, Rows};
use super::record::{Cell, Record, without_nul};
use super::rejects::{COLUMNS, restored};
use super::source::Source;
use super::table::{Head, Table};
use super::{ImportError, binary, ndjson};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// Rows a block, and bytes of them: blocks wait in memory, so both are bounded.
const ROWS: usize = 4_096;
const BYTES: usize = 2 * 1024 * 1024;

/// A row as it was written, for the file of rejected rows.
#[derive(Debug)]
pub(super) enum Raw {
    Table(csv::StringRecord),
    Line(String),
}

/// A row read: parsed, or refused with the reason.
#[derive(Debug)]
pub struct Item<R> {
    pub(super) line: u64,
    pub(super) raw: Raw,
    pub(super) row: Result<R, String>,
}

/// What the thread tells.
pub(super) enum News<R> {
    /// First of all: how the file is written.
    Opened { delimiter: Option<char>, mapping: Mapping, header: Vec<String>, encoding: Told },
    /// Rows.
    Block(Vec<Item<R>>),
    /// It cannot go on.
    Failed(ImportError),
}

/// Reads `source` to its end or to the first error; stops when nobody listens.
pub(super) fn read<K: Rows>(source: Source, file: &str, context: &Arc<Context>, to: &Sender<News<K::Row>>) {
    if let Err(e) = read_all::<K>(source, file, context, to) {
        // nobody listens: then nobody wants to know
        let _ = to.blocking_send(News::Failed(e));
    }
}

fn read_all<K: Rows>(
    source: Source,
    file: &str,
    context: &Arc<Context>,
    to: &Sender<News<K::Row>>,
) -> Result<(), ImportError> {
    let unread = |source| ImportError::Read { file: file.to_owned(), source };
    let mut source = source;
    if let Some((what, help)) = binary::seems(&source.peek(256).map_err(unread)?) {
        return Err(ImportError::Binary { file: file.to_owned(), what, help });
    }
    let mut decoder = Decoder::new(source);
    let head = Head::read(&mut decoder).map_err(unread)?;
    if binary::no_text(head.first_line()) {
        let help = "export it as CSV in UTF-8";
        return Err(ImportError::Binary { file: file.to_owned(), what: "no text: NUL bytes are in it", help });
    }
    if head.is_empty() {
        return Err(ImportError::Empty(file.to_owned()));
    }
    match head.first() {
        Some(b'{') => read_lines::<K>(head, decoder, file, context, to),
        Some(b'[') => {
            Err(columns(file, "this is a JSON list: write NDJSON, one object a line without the brackets".into()))
        }
        _ => read_table::<K>(head, decoder, file, context, to),
    }
}

fn columns(file: &str, message: String) -> ImportError {
    ImportError::Columns { file: file.to_owned(), message }
}

/// Collects rows into blocks and sends them.
struct Blocks<'a, R> {
    block: Vec<Item<R>>,
    bytes: usize,
    to: &'a Sender<News<R>>,
}

impl<R> Blocks<'_, R> {
    /// False when nobody listens any more.
    fn add(&mut self, item: Item<R>, bytes: usize) -> bool {
        self.block.push(item);
        self.bytes += bytes;
        if self.block.len() < ROWS && self.bytes < BYTES { true } else { self.send() }
    }
    fn send(&mut self) -> bool {
        self.bytes = 0;
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(ROWS));
        block.is_empty() || self.to.blocking_send(News::Block(block)).is_ok()
    }
}

fn read_table<K: Rows>(
    head: Head,
    decoder: Decoder<Source>,
    file: &str,
    context: &Arc<Context>,
    to: &Sender<News<K::Row>>,
) -> Result<(), ImportError> {
    let encoding = decoder.told.clone();
    let mut table = Table::open(head, decoder, file)?;
    let header: Vec<&str> = table.header.iter().collect();
    let mapping = K::SHAPE.mapping(&header, &context.map).map_err(|message| columns(file, message))?;
    let opened = News::Opened {
        delimiter: Some(char::from(table.delimiter)),
        mapping: mapping.clone(),
        header: own_columns(&header, mapping.rejected),
        encoding,
    };
    if to.blocking_send(opened).is_err() {
        return Ok(());
    }
    let mut blocks = Blocks { block: Vec::with_capacity(ROWS), bytes: 0, to };
    loop {
        let mut row = csv::StringRecord::new();
        let Some(line) = (match table.next(&mut row) {
            Ok(line) => line,
            Err(e) => {
                blocks.send();
                return Err(e);
            }
        }) else {
            break;
        };
        let bytes = row.as_slice().len();
        let parsed = record(&row, &mapping, K::SHAPE.fields.len()).and_then(|record| K::parse(record, context));
        let row = if mapping.rejected { row.iter().skip(COLUMNS.len()).collect() } else { row };
        if !blocks.add(Item { line, raw: Raw::Table(row), row: parsed }, bytes) {
            return Ok(());
        }
    }
    blocks.send();
    Ok(())
}

/// The columns that a rejected file repeats: not those that it adds itself.
fn own_columns(header: &[&str], rejected: bool) -> Vec<String> {
    let own = if rejected { &header[COLUMNS.len()..] } else { header };
    own.iter().map(|name| (*name).to_owned()).collect()
}

fn record(row: &csv::StringRecord, mapping: &Mapping, fields: usize) -> Result<Record, String> {
    let width = mapping.targets.len();
    if row.len() < width || row.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
        // the columns that we put before theirs are none of theirs
        let ours = if mapping.rejected { COLUMNS.len() } else { 0 };
        let (found, width) = (row.len().saturating_sub(ours), width - ours);
        let cells = if found == 1 { "cell" } else { "cells" };
        return Err(format!(
            "this row has {found} {cells}, and the first line has {width}: is a quote or delimiter missing?"
        ));
    }
    let mut record = Record::new(fields);
    for (cell, target) in row.iter().zip(&mapping.targets) {
        if cell.is_empty() {
            continue;
        }
        let cell = if mapping.rejected { restored(cell) } else { cell };
        match target {
            Target::Field(field) => record.set(*field, Cell::Text(cell.to_owned())),
            Target::Attribute(name) => record.set_extra(name.clone(), Cell::Text(cell.to_owned())),
            Target::Ignored => {}
        }
    }
    Ok(record)
}

fn read_lines<K: Rows>(
    head: Head,
    decoder: Decoder<Source>,
    file: &str,
    context: &Arc<Context>,
    to: &Sender<News<K::Row>>,
) -> Result<(), ImportError> {
    let encoding = decoder.told.clone();
    let mut lines = ndjson::Lines::open(head, decoder, file);
    let mut keys = Keys::new(&K::SHAPE, &context.map).map_err(|message| columns(file, message))?;
    let mut blocks = Blocks { block: Vec::with_capacity(ROWS), bytes: 0, to };
    let mut opened = Some(encoding);
    loop {
        let (line, text) = match lines.next() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(e) => {
                blocks.send();
                return Err(e);
            }
        };
        let object = ndjson::object(&text);
        if let Some(encoding) = opened.take() {
            // the first object shows the mapping; later ones may hold other keys
            let names: Vec<&str> = object.as_ref().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default();
            let mapping = keys.mapping(&names);
            let opened = News::Opened { delimiter: None, mapping, header: Vec::new(), encoding };
            if to.blocking_send(opened).is_err() {
                return Ok(());
            }
        }
        let bytes = text.len();
        let parsed = object.and_then(|object| keys.record(object)).and_then(|record| K::parse(record, context));
        if !blocks.add(Item { line, raw: Raw::Line(text), row: parsed }, bytes) {
            return Ok(());
        }
    }
    blocks.send();
    Ok(())
}

/// Where the keys of objects go. Also the API's way to a [`Record`].
#[derive(Debug)]
pub(super) struct Keys<'a> {
    shape: &'a Shape,
    /// A key that is no name of ours is refused, not left out.
    strict: bool,
    known: HashMap<String, Target>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(shape: &'a Shape, maps: &[(String, String)]) -> Result<Keys<'a>, String> {
        let mut known = HashMap::new();
        for (theirs, ours) in maps {
            known.insert(theirs.clone(), shape.asked(theirs, ours)?);
        }
        Ok(Keys { shape, strict: false, known })
    }

    /// Our own names and no others: whoever writes a program is told of a slip, not guessed at.
    pub(super) fn strict(shape: &'a Shape) -> Keys<'a> {
        Keys { shape, strict: true, known: HashMap::new() }
    }

    fn target(&mut self, key: &str) -> Result<Target, String> {
        if let Some(target) = self.known.get(key) {
            return Ok(target.clone());
        }
        let target = if self.strict { self.shape.exact(key)? } else { self.shape.target(key) };
        // a hostile file can name a new key in every row
        if self.known.len() < 10_000 {
            self.known.insert(key.to_owned(), target.clone());
        }
        Ok(target)
    }

    fn mapping(&mut self, names: &[&str]) -> Mapping {
        let rejected = COLUMNS.iter().all(|ours| names.contains(ours));
        let names: Vec<&str> = names.iter().copied().filter(|name| !rejected || !COLUMNS.contains(name)).collect();
        let targets: Vec<Target> = names.iter().map(|name| self.target(name).unwrap_or(Target::Ignored)).collect();
        let named = names
            .iter()
            .zip(&targets)
            .map(|(theirs, target)| super::Mapped { theirs: (*theirs).to_owned(), ours: self.shape.shown(target) });
        let named = named.collect();
        Mapping { targets, named, rejected }
    }

    pub(super) fn record(&mut self, object: Map<String, Json>) -> Result<Record, String> {
        let mut record = Record::new(self.shape.fields.len());
        let mut set: Vec<usize> = Vec::new();
        // a row that was rejected once, mended
        let rejected = COLUMNS.iter().all(|ours| object.contains_key(*ours));
        for (key, value) in object {
            if rejected && COLUMNS.contains(&key.as_str()) {
                continue;
            }
            without_nul(&value)?;
            match (self.target(&key)?, value) {
                (Target::Attribute(name), Json::Object(inner)) if matches!(&*name, "attributes" | "attr") => {
                    for (name, value) in inner {
                        without_nul(&Json::String(name.clone()))?;
                        record.set_extra(name.into(), Cell::Json(value));
                    }
                }
                (Target::Attribute(name), _) if self.strict && &*name == "attributes" => {
                    return Err("`attributes` is no object such as {\"city\": \"Seoul\"}".into());
                }
                (Target::Attribute(name), value) => record.set_extra(name, Cell::Json(value)),
                (Target::Field(field), value) => {
                    if set.contains(&field) {
                        let ours = self.shape.fields[field].name;
                        return Err(format!("two keys of this row both mean `{ours}`"));
                    }
                    set.push(field);
                    record.set(field, Cell::Json(value));
                }
                (Target::Ignored, _) => {}
            }
        }
        Ok(record)
    }
}

//! Whether a document has the shape of its kind of file, told against the same JSON Schema that editors use, so that
//! what completes in the editor and what `check` says cannot differ. Finds every mistake in one walk.

use super::document::Document;
use super::problem::masked;
use super::schema::{Schemas, describe, fits, name, name_of, type_name, type_of, words};
use super::syntax::line_of;
use super::{Problem, draft, nearest, syntax};
use crate::types::text;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The JSON Schema of a kind of file.
pub fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>()
}

/// The schemas of all kinds of file, by the name of the schema's own file, as text.
pub fn all() -> [(&'static str, String); 5] {
    use super::model::{Campaign, Reward, Segment, Settings, Survey};
    let text = |schema: Schema| format!("{:#}\n", schema.as_value());
    [
        ("dangol.json", text(schema::<Settings>())),
        ("segment.json", text(schema::<Segment>())),
        ("campaign.json", text(schema::<Campaign>())),
        ("reward.json", text(schema::<Reward>())),
        ("survey.json", text(schema::<Survey>())),
    ]
}

/// Whether none of these keys, at the top of a document, can be there under a misspelt name: else what seems to be missing
/// may only be misspelt.
pub fn says_what_it_means<T: JsonSchema>(document: &Document, keys: &[&str]) -> bool {
    let (table, mistakes) = document.parse();
    let root = schema::<T>();
    let Some(known) = root.as_value().get("properties").and_then(|known| known.as_object()) else { return true };
    let means = |key: &str| nearest(key, known.keys().map(String::as_str)).unwrap_or_default();
    let misspelt =
        |key: &str| !known.contains_key(key) && keys.iter().any(|wanted| means(key).contains(&format!("`{wanted}`")));
    mistakes.is_empty() && !table.get_ref().keys().any(|key| misspelt(key.get_ref()))
}

/// What a document says.
#[derive(Debug)]
pub struct Shaped<T> {
    /// Its value; with mistakes in the file, what could be made out of the rest, and only good for judging that rest:
    /// a text that is missing is empty.
    pub value: Option<T>,
    /// Every place where it departs from its shape; the value is the file's when there is none.
    pub problems: Vec<Problem>,
    /// Whether whole parts of it could not be read, so that names which it defines may be missing.
    pub lost: bool,
}

/// Reads a document as `T`, with every mistake in it.
pub fn read<T: JsonSchema + DeserializeOwned>(document: &Document) -> Shaped<T> {
    let (table, mistakes) = document.parse();
    let spoilt: Vec<Range<usize>> = mistakes.iter().map(|m| line_of(&document.source, m.span.start)).collect();
    let readable = mistakes.iter().all(|m| m.local);
    let at = |m: syntax::Mistake| {
        let line = &document.source[line_of(&document.source, m.span.start)];
        if masked(line) != line {
            let message = "this is not TOML, and looks like a password: the file goes into Git";
            return Problem::at(&document.file, &document.source, m.span, "secret", message).help(NO_SECRETS);
        }
        Problem::at(&document.file, &document.source, m.span, "toml", m.message).maybe_help(m.help)
    };
    let problems: Vec<Problem> = mistakes.into_iter().map(at).collect();
    if !readable {
        return Shaped { value: None, problems, lost: true };
    }
    let root = schema::<T>();
    let root = root.as_value();
    let value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    // a table's head, or a line above all tables
    let head = |line: &Range<usize>| {
        let above = !document.source[..line.start].lines().any(|line| line.trim_start().starts_with('['));
        above || document.source[line.clone()].trim_start().starts_with('[')
    };
    let lost = spoilt.iter().any(head);
    let mut walk = Walk { document, schemas: Schemas(root), spoilt, bad: BTreeSet::new(), problems, lost };
    walk.value(&value, root, &Place::default());
    if walk.problems.is_empty() {
        match document.read() {
            Ok(value) => return Shaped { value: Some(value), problems: Vec::new(), lost: false },
            Err(problem) => return Shaped { value: None, problems: vec![problem], lost: true },
        }
    }
    let bad = |span: &Range<usize>| walk.bad.contains(&span.start) || walk.is_spoilt(span);
    let value = draft::of(&value, walk.schemas, &bad);
    Shaped { value, problems: walk.problems, lost: walk.lost }
}

/// What stands for a document of which nothing could be read.
pub(super) fn blank<T: JsonSchema + DeserializeOwned>() -> Option<T> {
    let root = schema::<T>();
    let empty = Spanned::new(0..0, DeValue::Table(toml::de::DeTable::new()));
    draft::of(&empty, Schemas(root.as_value()), &|_| false)
}

const NO_SECRETS: &str = "take it out; a relay's password comes from DANGOL_RELAY_<NAME>_PASSWORD, the database's from DANGOL_DATABASE_URL, each also as …_FILE";

/// Where the walk is, for the words of a message.
#[derive(Clone, Default)]
struct Place {
    path: String,
    key: Option<Range<usize>>,
    depth: usize,
    /// Whether it is an item of a list.
    item: bool,
}

impl Place {
    fn down(&self, key: &str, span: Range<usize>) -> Place {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Place { path, key: Some(span), depth: self.depth + 1, item: false }
    }
    fn table(&self) -> String {
        match (self.path.is_empty(), self.item) {
            (true, _) => "this file".into(),
            (_, true) => format!("[[{}]]", self.path),
            (_, false) => format!("[{}]", self.path),
        }
    }
    fn value(&self) -> String {
        let name = self.path.rsplit('.').next().unwrap_or_default();
        if self.item { format!("a value of `{name}`") } else { format!("`{name}`") }
    }
}

struct Walk<'a> {
    document: &'a Document,
    schemas: Schemas<'a>,
    /// Lines that are not TOML: nothing more is told of them.
    spoilt: Vec<Range<usize>>,
    /// Where values begin that are wrong.
    bad: BTreeSet<usize>,
    problems: Vec<Problem>,
    lost: bool,
}

impl<'a> Walk<'a> {
    fn is_spoilt(&self, span: &Range<usize>) -> bool {
        self.spoilt.iter().any(|line| line.contains(&span.start))
    }

    fn report(&mut self, span: Range<usize>, code: &'static str, message: String, help: Option<String>) {
        if !self.is_spoilt(&span) {
            let problem = Problem::at(&self.document.file, &self.document.source, span, code, message).maybe_help(help);
            self.problems.push(problem);
        }
    }

    /// A value that cannot stand here.
    fn wrong(&mut self, span: Range<usize>, place: &Place, code: &'static str, message: String, help: Option<String>) {
        self.bad.insert(span.start);
        self.lost |= place.depth <= 1;
        self.report(span, code, message, help);
    }

    fn value(&mut self, spanned: &Spanned<DeValue<'_>>, schema: &'a Json, place: &Place) {
        let value = spanned.get_ref();
        self.lost |= place.depth == 1 && self.is_spoilt(&spanned.span());
        let described = schema;
        let schema = self.schemas.resolve(schema, type_of(value));
        if let Some(options) = words(schema) {
            let text = if let DeValue::String(text) = value { Some(text.as_ref()) } else { None };
            if !text.is_some_and(|text| options.iter().any(|option| option == text)) {
                let names = options.iter().map(|o| format!("\"{o}\"")).collect::<Vec<_>>().join(", ");
                let help = text.and_then(|text| nearest(text, options.iter().map(String::as_str)));
                let help = help.filter(|help| help.starts_with("did you mean"));
                self.wrong(spanned.span(), place, "value", format!("{} is one of {names}", place.value()), help);
            }
            return;
        }
        if !fits(schema, type_of(value)) {
            let message = format!("{} is {}, and this is {}", place.value(), name(type_name(schema)), name_of(value));
            let expected = schema.get("format").and_then(Json::as_str).and_then(text::expected);
            let help = remedy(place, type_name(schema), value)
                .or_else(|| expected.map(|expected| format!("write {expected}")))
                .or_else(|| describe(described))
                .or_else(|| describe(schema));
            self.wrong(spanned.span(), place, "type", message, help);
            return;
        }
        match value {
            DeValue::Table(table) => self.table(table, schema, place),
            DeValue::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for item in items.iter() {
                        let place = Place { key: Some(item.span()), item: true, ..place.clone() };
                        self.value(item, schema, &place);
                    }
                }
            }
            DeValue::String(text) => self.text(text, spanned.span(), schema, place),
            DeValue::Datetime(time) => self.text(&time.to_string(), spanned.span(), schema, place),
            DeValue::Integer(_) | DeValue::Float(_) => self.number(spanned, schema, place),
            DeValue::Boolean(_) => {}
        }
    }

    fn table(&mut self, table: &DeTable<'_>, schema: &'a Json, place: &Place) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
        let mut meant = Vec::new();
        for (key, value) in table.iter() {
            match self.schemas.property(schema, key.get_ref()) {
                Some(schema) => self.value(value, schema, &place.down(key.get_ref(), key.span())),
                None if closed => meant.extend(self.unknown(key, properties, place)),
                None => {}
            }
        }
        for name in self.schemas.required(schema) {
            // in a broken file it may stand on a line that could not be read, or it is there with a typo
            let typo = meant.iter().any(|help| *help == format!("did you mean `{name}`?"));
            if table.contains_key(name) || typo || !self.spoilt.is_empty() {
                continue;
            }
            let message = format!("{} lacks `{name}`", place.table());
            let help = properties.get(name).map(|schema| {
                let what = describe(schema).or_else(|| describe(self.schemas.resolve(schema, "")));
                let what = what.map(|what| format!(": {}", small(&what))).unwrap_or_default();
                format!("write {}{what}", self.schemas.written(name, schema))
            });
            match &place.key {
                Some(key) => self.report(key.clone(), "missing-key", message, help),
                None => {
                    let problem = Problem::whole(&self.document.file, "missing-key", message).maybe_help(help);
                    self.problems.push(problem);
                }
            }
        }
    }

    /// Gives what is told to do about it.
    fn unknown(
        &mut self,
        key: &Spanned<Cow<'_, str>>,
        properties: &Map<String, Json>,
        place: &Place,
    ) -> Option<String> {
        self.lost |= place.depth == 0;
        let word = key.get_ref();
        if ["password", "passwd", "secret", "token"].contains(&word.to_lowercase().as_str()) {
            let message = format!("`{word}` does not stand in a file: the file goes into Git");
            self.report(key.span(), "secret", message, Some(NO_SECRETS.into()));
            return None;
        }
        let help = nearest(word, properties.keys().map(String::as_str));
        self.report(key.span(), "unknown-key", format!("`{word}` is not a key of {}", place.table()), help.clone());
        help
    }

    fn text(&mut self, text: &str, span: Range<usize>, schema: &Json, place: &Place) {
        let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
        let judged = match format {
            "at" => super::model::At::parse(text).map(|_| ()),
            format => text::check(format, text),
        };
        if let Err(message) = judged {
            let help = (format == "timezone").then(|| zone_like(text)).flatten();
            self.wrong(span, place, "value", format!("{}: {message}", place.value()), help);
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
            self.wrong(span, place, "value", format!("{} holds a control character", place.value()), None);
        }
    }

    fn number(&mut self, spanned: &Spanned<DeValue<'_>>, schema: &Json, place: &Place) {
        let number: Option<f64> = match spanned.get_ref() {
            DeValue::Integer(n) => i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok().map(|n| n as f64),
            DeValue::Float(n) => n.as_str().replace('_', "").parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        };
        let bound = |name| schema.get(name).and_then(Json::as_f64);
        let (low, high) = (bound("minimum"), bound("maximum"));
        let inside = number.is_some_and(|n| low.is_none_or(|low| n >= low) && high.is_none_or(|high| n <= high));
        if !inside {
            let range = match (low, high) {
                (Some(low), Some(high)) => format!("a number from {low} to {high}"),
                (Some(low), None) => format!("a number from {low}"),
                _ => "a number of ordinary size".into(),
            };
            self.wrong(spanned.span(), place, "value", format!("{} is {range}", place.value()), None);
        }
    }
}

/// The time zone that was meant, such as that of a city.
fn zone_like(text: &str) -> Option<String> {
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let help = nearest(&text.replace(' ', "_"), zones.iter().map(String::as_str))?;
    help.starts_with("did you mean").then_some(help)
}

/// A description as the rest of a sentence.
fn small(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    first.chain(chars).collect()
}

/// How a value of another type is put right, where that can be said.
fn remedy(place: &Place, expected: &str, found: &DeValue<'_>) -> Option<String> {
    let path = &place.path;
    match (expected, found) {
        ("array", DeValue::Table(_)) => Some(format!("write [[{path}]], with double brackets: there can be several")),
        ("array", DeValue::String(text)) => Some(format!("write [\"{text}\"]")),
        ("object", DeValue::Array(_)) => Some(format!("write [{path}], with single brackets: there is one")),
        ("object", _) => Some(format!("write [{path}] on a line of its own, and its keys below")),
        ("integer" | "number", DeValue::String(text)) if text.parse::<f64>().is_ok() => {
            Some(format!("write {text}, without quotes"))
        }
        ("boolean", DeValue::String(text)) if ["true", "false"].contains(&text.as_ref()) => {
            Some(format!("write {text}, without quotes"))
        }
        _ => None,
    }
}

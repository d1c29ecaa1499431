//! Whether a document has the shape of its kind of file, told against the same JSON Schema that editors use, so that
//! what completes in the editor and what `check` says cannot differ. Finds every mistake in one walk.

use super::document::Document;
use super::{Problem, nearest};
use crate::types::text;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value as Json};
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

/// The JSON Schema of a kind of file.
pub fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>()
}

/// The schemas of all kinds of file, by the name of the schema's own file, as text.
pub fn all() -> [(&'static str, String); 4] {
    use super::model::{Campaign, Segment, Settings, Survey};
    let text = |schema: Schema| format!("{:#}\n", schema.as_value());
    [
        ("dangol.json", text(schema::<Settings>())),
        ("segment.json", text(schema::<Segment>())),
        ("campaign.json", text(schema::<Campaign>())),
        ("survey.json", text(schema::<Survey>())),
    ]
}

/// Every place where `document` departs from the shape of `T`.
pub fn check<T: JsonSchema>(document: &Document) -> Vec<Problem> {
    let (table, problems) = document.parse();
    let Some(table) = table else { return problems };
    let root = schema::<T>();
    let mut walk = Walk { document, root: root.as_value(), problems };
    let span = table.span();
    let value = Spanned::new(span, DeValue::Table(table.into_inner()));
    walk.value(&value, root.as_value(), &Place::default());
    walk.problems
}

/// Where the walk is, for the words of a message.
#[derive(Clone, Default)]
struct Place {
    path: String,
    key: Option<Range<usize>>,
}

impl Place {
    fn down(&self, key: &str, span: Range<usize>) -> Place {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Place { path, key: Some(span) }
    }
    fn table(&self) -> String {
        if self.path.is_empty() { "this file".into() } else { format!("[{}]", self.path) }
    }
    fn value(&self) -> String {
        format!("`{}`", self.path.rsplit('.').next().unwrap_or_default())
    }
}

struct Walk<'a> {
    document: &'a Document,
    root: &'a Json,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn report(&mut self, span: Range<usize>, code: &'static str, message: String, help: Option<String>) {
        let problem = Problem::at(&self.document.file, &self.document.source, span, code, message).maybe_help(help);
        self.problems.push(problem);
    }

    /// Follows `$ref`, and picks of several shapes the one that the value can be.
    fn resolve(&self, schema: &'a Json, value: &DeValue<'_>) -> &'a Json {
        if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
            let target = self.root.pointer(name.trim_start_matches('#')).unwrap_or(schema);
            return self.resolve(target, value);
        }
        if let Some(Json::Array(parts)) = schema.get("allOf")
            && let [part] = parts.as_slice()
        {
            return self.resolve(part, value);
        }
        let Some(Json::Array(options)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) else { return schema };
        let options: Vec<&Json> = options.iter().map(|option| self.resolve(option, value)).collect();
        if options.iter().all(|option| option.get("const").is_some()) {
            return schema;
        }
        options.iter().find(|option| self.fits(option, value)).or(options.first()).copied().unwrap_or(schema)
    }

    fn fits(&self, schema: &Json, value: &DeValue<'_>) -> bool {
        let found = type_of(value);
        match schema.get("type") {
            Some(Json::String(expected)) => expected == found || (expected == "number" && found == "integer"),
            Some(Json::Array(options)) => options.iter().any(|option| option == found),
            _ => true,
        }
    }

    fn value(&mut self, spanned: &Spanned<DeValue<'_>>, schema: &'a Json, place: &Place) {
        let value = spanned.get_ref();
        let described = schema;
        let schema = self.resolve(schema, value);
        let words = words(schema);
        if let (Some(options), found) = (&words, value) {
            let text = if let DeValue::String(text) = found { Some(text.as_ref()) } else { None };
            if !text.is_some_and(|text| options.iter().any(|option| option == text)) {
                let names = options.iter().map(|o| format!("\"{o}\"")).collect::<Vec<_>>().join(", ");
                let help = text.and_then(|text| nearest(text, options.iter().map(String::as_str)));
                self.report(spanned.span(), "value", format!("{} is one of {names}", place.value()), help);
            }
            return;
        }
        if !self.fits(schema, value) {
            let expected = expected(schema);
            let found = name_of(value);
            let help = describe(described).or_else(|| describe(schema));
            self.report(spanned.span(), "type", format!("{} is {expected}, and this is {found}", place.value()), help);
            return;
        }
        match value {
            DeValue::Table(table) => {
                let none = Map::new();
                let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
                let more = schema.get("additionalProperties").filter(|more| more.is_object());
                let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
                for (key, value) in table.iter() {
                    let inside = place.down(key.get_ref(), key.span());
                    match properties.get(key.get_ref().as_ref()).or(more) {
                        // schemas live as long as the walk; the map borrowed from is part of them
                        Some(_) => {
                            let schema = self.property(schema, key.get_ref());
                            self.value(value, schema, &inside);
                        }
                        None if closed => {
                            let help = nearest(key.get_ref(), properties.keys().map(String::as_str));
                            let message = format!("`{}` is not a key of {}", key.get_ref(), place.table());
                            self.report(key.span(), "unknown-key", message, help);
                        }
                        None => {}
                    }
                }
                for name in schema.get("required").and_then(Json::as_array).into_iter().flatten() {
                    let name = name.as_str().unwrap_or_default();
                    if !table.contains_key(name) {
                        let span = place.key.clone().unwrap_or(0..0);
                        let help = properties.get(name).and_then(describe).map(|what| format!("`{name}`: {what}"));
                        self.report(span, "missing-key", format!("{} lacks `{name}`", place.table()), help);
                    }
                }
            }
            DeValue::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for item in items.iter() {
                        let place = Place { path: place.path.clone(), key: Some(item.span()) };
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

    fn property(&self, schema: &'a Json, key: &str) -> &'a Json {
        schema
            .get("properties")
            .and_then(|properties| properties.get(key))
            .or_else(|| schema.get("additionalProperties"))
            .unwrap_or(&Json::Null)
    }

    fn text(&mut self, text: &str, span: Range<usize>, schema: &Json, place: &Place) {
        let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
        let judged = match format {
            "at" => super::model::At::parse(text).map(|_| ()),
            format => text::check(format, text),
        };
        if let Err(message) = judged {
            self.report(span, "value", format!("{}: {message}", place.value()), None);
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
            self.report(span, "value", format!("{} holds a control character", place.value()), None);
        }
    }

    fn number(&mut self, spanned: &Spanned<DeValue<'_>>, schema: &Json, place: &Place) {
        let number: Option<f64> = match spanned.get_ref() {
            DeValue::Integer(n) => i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok().map(|n| n as f64),
            DeValue::Float(n) => n.as_str().replace('_', "").parse().ok(),
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
            self.report(spanned.span(), "value", format!("{} is {range}", place.value()), None);
        }
    }
}

/// The words of which a value is one.
fn words(schema: &Json) -> Option<Vec<String>> {
    let word = |word: &Json| word.as_str().map(str::to_owned);
    if let Some(Json::Array(options)) = schema.get("enum") {
        return Some(options.iter().filter_map(word).collect());
    }
    let options = schema.get("oneOf")?.as_array()?;
    let words: Vec<String> = options.iter().filter_map(|option| option.get("const").and_then(word)).collect();
    (words.len() == options.len()).then_some(words)
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) | DeValue::Datetime(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Datetime(_) => "a date-time",
        value => name(type_of(value)),
    }
}

fn name(kind: &str) -> &'static str {
    match kind {
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list in [ ]",
        "object" => "a table",
        _ => "something else",
    }
}

fn expected(schema: &Json) -> &'static str {
    match schema.get("type") {
        Some(Json::String(kind)) => name(kind),
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).find(|k| *k != "null").map_or("", name),
        _ => "something else",
    }
}

fn describe(schema: &Json) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

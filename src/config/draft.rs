//! What can be made out of a file with mistakes, so that the rest of it, and the files that name it, are judged in the
//! same run. What is wrong is left out; what is then missing is stood in for: a text by an empty one.

use super::schema::{Schemas, fits, type_name, type_of, words};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::ops::Range;
use toml::de::DeValue;
use toml::{Spanned, Table, Value};

/// The value of `table` without what `bad` says of a value's place; none when even that does not read as `T`.
pub(super) fn of<T: DeserializeOwned>(
    table: &Spanned<DeValue<'_>>,
    schemas: Schemas<'_>,
    bad: &dyn Fn(&Range<usize>) -> bool,
) -> Option<T> {
    let draft = Draft { schemas, bad };
    T::deserialize(draft.value(table, schemas.0)?).ok()
}

struct Draft<'a> {
    schemas: Schemas<'a>,
    bad: &'a dyn Fn(&Range<usize>) -> bool,
}

impl<'a> Draft<'a> {
    fn value(&self, spanned: &Spanned<DeValue<'_>>, schema: &'a Json) -> Option<Value> {
        let value = spanned.get_ref();
        let schema = self.schemas.resolve(schema, type_of(value));
        let table = matches!(value, DeValue::Table(_));
        if !fits(schema, type_of(value)) || (!table && (self.bad)(&spanned.span())) {
            // a name that is defined stays defined
            return (type_name(schema) == "object").then(|| self.stand_in(schema));
        }
        Some(match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(n) => Value::Integer(i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok()?),
            DeValue::Float(n) => Value::Float(n.as_str().replace('_', "").parse().ok()?),
            DeValue::Boolean(yes) => Value::Boolean(*yes),
            DeValue::Datetime(at) => Value::Datetime(*at),
            DeValue::Array(items) => {
                let schema = schema.get("items").unwrap_or(&Json::Null);
                // the others keep their places
                let item = |item| self.value(item, schema).unwrap_or_else(|| self.stand_in(schema));
                Value::Array(items.iter().map(item).collect())
            }
            DeValue::Table(table) => {
                let mut kept = Table::new();
                for (key, value) in table.iter() {
                    let schema = self.schemas.property(schema, key.get_ref());
                    if let Some(value) = schema.and_then(|schema| self.value(value, schema)) {
                        kept.insert(key.get_ref().to_string(), value);
                    }
                }
                self.complete(&mut kept, schema);
                Value::Table(kept)
            }
        })
    }

    fn complete(&self, table: &mut Table, schema: &'a Json) {
        for name in self.schemas.required(schema) {
            if !table.contains_key(name)
                && let Some(schema) = self.schemas.property(schema, name)
            {
                table.insert(name.to_owned(), self.stand_in(schema));
            }
        }
    }

    fn stand_in(&self, schema: &'a Json) -> Value {
        let schema = self.schemas.resolve(schema, "string");
        if let Some(word) = words(schema).and_then(|words| words.into_iter().next()) {
            return Value::String(word);
        }
        match type_name(schema) {
            "object" => {
                let mut table = Table::new();
                self.complete(&mut table, schema);
                Value::Table(table)
            }
            "array" => Value::Array(Vec::new()),
            "integer" | "number" => Value::Integer(schema.get("minimum").and_then(Json::as_i64).unwrap_or(0)),
            "boolean" => Value::Boolean(false),
            _ => Value::String(
                match schema.get("format").and_then(Json::as_str).unwrap_or_default() {
                    "timezone" => "UTC",
                    "locale" => "en",
                    "currency" => "USD",
                    "email" | "mailbox" => "nobody@dangol.invalid",
                    "domain" => "dangol.invalid",
                    "selector" => "nothing",
                    "period" => "1d",
                    "rate" => "1/s",
                    "percent" => "0%",
                    "money" => "0",
                    "cap" | "quiet" => "off",
                    "at" => "now",
                    _ => "",
                }
                .to_owned(),
            ),
        }
    }
}

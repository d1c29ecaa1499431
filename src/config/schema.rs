//! Reading a JSON Schema as far as the walk over a file needs it: references, alternatives, and the words for types.

use serde_json::Value as Json;
use toml::de::DeValue;

/// A schema with the definitions that its parts refer to.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a>(pub &'a Json);

impl<'a> Schemas<'a> {
    /// Follows `$ref`, and picks of several shapes the one that a value of the type `found` can be.
    pub fn resolve(self, schema: &'a Json, found: &str) -> &'a Json {
        if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
            let target = self.0.pointer(name.trim_start_matches('#')).unwrap_or(schema);
            return self.resolve(target, found);
        }
        if let Some(Json::Array(parts)) = schema.get("allOf")
            && let [part] = parts.as_slice()
        {
            return self.resolve(part, found);
        }
        let Some(Json::Array(options)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) else { return schema };
        let options: Vec<&Json> = options.iter().map(|option| self.resolve(option, found)).collect();
        if options.iter().all(|option| option.get("const").is_some()) {
            return schema;
        }
        options.iter().find(|option| fits(option, found)).or(options.first()).copied().unwrap_or(schema)
    }

    /// The schema of a table's key; none when the table has no such key.
    pub fn property(self, table: &'a Json, key: &str) -> Option<&'a Json> {
        let named = table.get("properties").and_then(|properties| properties.get(key));
        named.or_else(|| table.get("additionalProperties").filter(|more| more.is_object()))
    }

    /// The names of the keys that a table cannot be without.
    pub fn required(self, table: &'a Json) -> impl Iterator<Item = &'a str> {
        table.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }

    /// How a missing key is written, such as `topic = "…"` or `[audience] with segment = "…"`.
    pub fn written(self, name: &str, schema: &'a Json) -> String {
        let schema = self.resolve(schema, "");
        match type_name(schema) {
            "object" => {
                let inside: Vec<String> = self
                    .required(schema)
                    .filter_map(|key| Some(self.written(key, self.property(schema, key)?)))
                    .collect();
                if inside.is_empty() { format!("[{name}]") } else { format!("[{name}] with {}", inside.join(", ")) }
            }
            "array" => format!("{name} = [ ]"),
            "integer" | "number" => format!("{name} = 1"),
            "boolean" => format!("{name} = true"),
            _ => match words(schema) {
                Some(words) => format!("{name} = \"{}\"", words.first().map_or("…", String::as_str)),
                None => format!("{name} = \"…\""),
            },
        }
    }
}

/// Whether a value of the type `found` is what the schema asks for.
pub(super) fn fits(schema: &Json, found: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(expected)) => expected == found || (expected == "number" && found == "integer"),
        Some(Json::Array(options)) => options.iter().any(|option| option == found),
        _ => true,
    }
}

/// The words of which a value is one.
pub(super) fn words(schema: &Json) -> Option<Vec<String>> {
    let word = |word: &Json| word.as_str().map(str::to_owned);
    if let Some(Json::Array(options)) = schema.get("enum") {
        return Some(options.iter().filter_map(word).collect());
    }
    let options = schema.get("oneOf")?.as_array()?;
    let words: Vec<String> = options.iter().filter_map(|option| option.get("const").and_then(word)).collect();
    (words.len() == options.len()).then_some(words)
}

/// The type of a value, in JSON Schema's words.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) | DeValue::Datetime(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

/// The type that a schema asks for, `null` left out.
pub(super) fn type_name(schema: &Json) -> &str {
    match schema.get("type") {
        Some(Json::String(kind)) => kind,
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or(""),
        _ => "",
    }
}

/// A value's type in a marketer's words.
pub(super) fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Datetime(_) => "a date or time",
        value => name(type_of(value)),
    }
}

/// A type in a marketer's words.
pub(super) fn name(kind: &str) -> &'static str {
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

/// What the schema says that it is for.
pub(super) fn describe(schema: &Json) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

//! The reference of the files is written from what `check` judges by: the schemas, the catalogue of conditions, the helpers
//! of templates. `DANGOL_UPDATE_GOLDEN=1` writes it anew.

use dangol::campaign::check::catalogue;
use dangol::config::shape;
use dangol::event::Kind as EventKind;
use dangol::segment::Kind;
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::path::Path;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The tables of one kind of file, from its JSON Schema.
struct Reference<'a> {
    root: &'a Json,
    out: String,
}

impl<'a> Reference<'a> {
    fn of(schema: &str) -> String {
        let root: Json = shape::all()
            .into_iter()
            .find(|(name, _)| *name == schema)
            .map(|(_, text)| serde_json::from_str(&text).unwrap())
            .unwrap();
        let mut reference = Reference { root: &root, out: String::new() };
        reference.table("", &root);
        reference.out
    }

    /// What a property is in the end, behind references and alternatives.
    fn resolve(&self, schema: &'a Json) -> &'a Json {
        if let Some(target) = schema["$ref"].as_str() {
            return self.resolve(self.root.pointer(target.trim_start_matches('#')).unwrap());
        }
        let of_one = schema["allOf"].as_array().filter(|all| all.len() == 1);
        let or_none = schema["anyOf"].as_array().filter(|any| any.len() == 2 && any[1]["type"] == "null");
        of_one.or(or_none).map_or(schema, |options| self.resolve(&options[0]))
    }

    fn table(&mut self, path: &str, schema: &'a Json) {
        let mut below = Vec::new();
        let mut rows = String::new();
        for (name, property) in schema["properties"].as_object().unwrap() {
            let inner = self.resolve(property);
            let inside = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if inner["properties"].is_object() {
                below.push((format!("[{inside}]"), inside, inner, property));
                continue;
            }
            let each = self.resolve(&inner["items"]);
            if each["properties"].is_object() {
                below.push((format!("[[{inside}]]"), inside, each, property));
                continue;
            }
            let named = self.resolve(&inner["additionalProperties"]);
            if named["properties"].is_object() {
                below.push((format!("[{inside}.NAME]"), format!("{inside}.NAME"), named, property));
                continue;
            }
            let needed = schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            let default = match (&property["default"], needed) {
                (_, true) => "needed".to_owned(),
                (Json::Null, false) => String::new(),
                (Json::Array(list), false) if list.is_empty() => String::new(),
                (default, false) => format!("`{default}`"),
            };
            let what = sentence(property);
            writeln!(rows, "| `{name}` | {} | {default} | {what} |", self.value(inner)).unwrap();
        }
        if !rows.is_empty() {
            write!(self.out, "| key | value | default | |\n|---|---|---|---|\n{rows}\n").unwrap();
        }
        for (heading, inside, inner, property) in below {
            write!(self.out, "### `{heading}`\n\n{}\n\n", sentence(property)).unwrap();
            self.table(&inside, inner);
        }
    }

    /// How a value is written.
    fn value(&self, schema: &'a Json) -> String {
        if let Some(words) = schema["oneOf"].as_array() {
            let words: Vec<String> =
                words.iter().map(|word| format!("`{}`", word["const"].as_str().unwrap())).collect();
            return words.join(", ");
        }
        if schema["anyOf"].as_array().is_some_and(|all| all.iter().any(|one| one["items"].is_object())) {
            return "table, or a list of them".into();
        }
        if schema["anyOf"].is_array() {
            return "text, or one for each language".into();
        }
        let kind = match &schema["type"] {
            Json::Array(kinds) => kinds[0].as_str().unwrap(),
            kind => kind.as_str().unwrap(),
        };
        let number = |name: &str| schema[name].as_f64().filter(|n| *n != 0.0 || name == "minimum");
        match (kind, schema["format"].as_str(), number("minimum"), number("maximum")) {
            ("string", Some(format), ..) => format!("[{format}](#{format})"),
            ("string", None, ..) => "text".into(),
            ("array", ..) => format!("list of {}", self.value(self.resolve(&schema["items"]))),
            ("boolean", ..) => "true or false".into(),
            (_, _, Some(low), Some(high)) => format!("number, {low} to {high}"),
            _ => "number".into(),
        }
    }
}

/// A description on one line of a table.
fn sentence(schema: &Json) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn fields() -> String {
    let mut out = String::from("| field | holds | |\n|---|---|---|\n");
    for field in catalogue().fields() {
        let kind = match field.kind {
            Kind::Text if !field.values.is_empty() => {
                field.values.iter().map(|value| format!("`'{value}'`")).collect::<Vec<_>>().join(", ")
            }
            Kind::Text => "text".into(),
            Kind::Number => "number".into(),
            Kind::Money => "amount in major units".into(),
            Kind::Date => "moment".into(),
            Kind::Day => "day".into(),
            Kind::Bool => "true or false".into(),
        };
        writeln!(out, "| `{}` | {kind} | {} |", field.name, field.doc).unwrap();
    }
    out + "| `attr.NAME` | text, or number where it is compared with one | an attribute of the customer |\n"
}

fn functions() -> String {
    let mut out = String::from("| function | gives |\n|---|---|\n");
    for (usage, doc) in catalogue().functions() {
        writeln!(out, "| `{usage}` | {doc} |").unwrap();
    }
    out
}

fn event_kinds() -> String {
    EventKind::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + "\n"
}

/// The part of `text` between `<!-- begin NAME -->` and `<!-- end NAME -->`.
fn part<'t>(text: &'t str, name: &str) -> &'t str {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let from = text.find(&begin).unwrap_or_else(|| panic!("docs/files.md has no `{}`", begin.trim())) + begin.len();
    let to = text[from..].find(&end).unwrap_or_else(|| panic!("docs/files.md has no `{end}`"));
    &text[from..from + to]
}

#[test]
fn the_reference_of_the_files_is_what_check_judges_by() {
    let parts = [
        ("dangol.toml", Reference::of("dangol.json")),
        ("segments", Reference::of("segment.json")),
        ("campaigns", Reference::of("campaign.json")),
        ("rewards", Reference::of("reward.json")),
        ("surveys", Reference::of("survey.json")),
        ("fields", fields()),
        ("functions", functions()),
        ("events", event_kinds()),
    ];
    let mut text = file("docs/files.md");
    let mut differ = Vec::new();
    for (name, wanted) in parts {
        let found = part(&text, name).to_owned();
        if found.trim() != wanted.trim() {
            differ.push(name);
            let mark = format!("<!-- begin {name} -->\n");
            text = text.replace(&format!("{mark}{found}"), &format!("{mark}\n{}\n\n", wanted.trim()));
        }
    }
    if std::env::var_os("DANGOL_UPDATE_GOLDEN").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files.md"), text).unwrap();
        return;
    }
    assert!(
        differ.is_empty(),
        "docs/files.md is not true any more of {differ:?}: DANGOL_UPDATE_GOLDEN=1 writes it anew"
    );
}

/// The words in quotes of a constant in a source file.
fn constant(path: &str, name: &str) -> Vec<String> {
    let text = file(path);
    let from = text.find(&format!("const {name}:")).unwrap_or_else(|| panic!("{path} has no {name}"));
    let body = &text[from..from + text[from..].find("];").unwrap()];
    let mut words = Vec::new();
    for line in body.lines().skip(1) {
        let line = line.trim().trim_start_matches('(');
        if let Some(word) = line.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            words.push(word.to_owned());
        }
    }
    assert!(words.len() > 5, "{path}: {name} was not read");
    words
}

#[test]
fn the_reference_names_every_variable_and_helper_of_templates() {
    let text = file("docs/files.md");
    let (variables, helpers) = (part(&text, "variables"), part(&text, "helpers"));
    let row = |table: &str, word: &str| {
        table.lines().any(|line| line.starts_with("| ") && line.contains(&format!("`{word}`")))
    };
    let missing: Vec<String> = constant("src/render/check.rs", "VARIABLES")
        .into_iter()
        .filter(|word| !row(variables, word))
        .chain(constant("src/render/helpers/mod.rs", "VALUES").into_iter().filter(|word| !row(helpers, word)))
        .collect();
    assert!(missing.is_empty(), "docs/files.md tells nothing of {missing:?}");
}

/// Whether a page has a place of this name: one of its own, or a heading, as forges name them.
fn has_anchor(text: &str, anchor: &str) -> bool {
    let name = |heading: &str| -> String {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    let headings = text.lines().filter(|line| line.starts_with('#'));
    text.contains(&format!("id=\"{anchor}\""))
        || headings.map(|line| name(line.trim_start_matches('#'))).any(|n| n == anchor)
}

#[test]
fn the_pages_link_to_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docker/README.md",
        "docs/api.md",
        "docs/campaigns.md",
        "docs/deliverability.md",
        "docs/delivery.md",
        "docs/files.md",
        "docs/operations.md",
        "docs/relationship.md",
        "docs/rewards.md",
        "docs/states.md",
        "docs/tutorial.md",
    ];
    let there = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    for name in there.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".md")) {
        assert!(pages.contains(&format!("docs/{name}").as_str()), "docs/{name} is not looked at here");
        assert!(file("README.md").contains(&format!("](docs/{name})")), "README.md does not lead to docs/{name}");
    }
    let mut wrong = Vec::new();
    for page in pages {
        let text = file(page);
        let dir = root.join(page).parent().unwrap().to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let there = match link.split_once('#') {
                Some(("", anchor)) => has_anchor(&text, anchor),
                Some((other, anchor)) if other.ends_with(".md") => {
                    std::fs::read_to_string(dir.join(other)).is_ok_and(|other| has_anchor(&other, anchor))
                }
                _ => true,
            };
            if !there {
                wrong.push(format!("{page}: {link}"));
            }
            if !target.is_empty() && !target.contains("://") && !dir.join(target).exists() {
                wrong.push(format!("{page}: {link}"));
            }
        }
        // paths in code marks are links, too
        for word in text.split('`').skip(1).step_by(2) {
            let path = word.split(['#', ':']).next().unwrap();
            let ours = ["src/", "tests/", "docs/", "migrations/"].iter().any(|folder| path.starts_with(folder));
            let whole = !path.contains(['*', '<', ' ', '…', '{']);
            if ours && whole && !root.join(path).exists() {
                wrong.push(format!("{page}: `{word}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n  {}", wrong.join("\n  "));
}

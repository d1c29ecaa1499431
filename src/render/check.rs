//! Everything that can be known to be wrong with a template before anybody gets it, at its place in the file.

use super::compile::{Compiled, is_helper};
use super::expand::{self, shown};
use super::expr::{self, Kind};
use super::front;
use super::helpers::{BLOCKS, VALUES, format_date};
use super::korean::Josa;
use super::library::{Library, Markup};
use super::options::CompileOptions;
use crate::config::{Problem, nearest};
use crate::types::Currency;
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Gmail shows no more of a mail.
const GMAIL_CLIPS: usize = 102 * 1024;

/// What templates can say, beside what is always there.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The attributes that customers have, when that is known; without it any `customer.attr.X` passes.
    pub attributes: Option<BTreeSet<String>>,
    /// Further variables, in full, such as `grant.points`; `event.*` is all below `event`.
    pub extra: BTreeSet<String>,
}

impl Known {
    fn has(&self, path: &str) -> bool {
        let below = |all: &String| all.strip_suffix('*').is_some_and(|table| path.starts_with(table));
        self.extra.contains(path) || self.extra.iter().any(below)
    }

    /// Whether something is below `path`, or it is all of it.
    fn has_table(&self, path: &str) -> bool {
        self.extra.iter().any(|name| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// The variables that every mail has.
const VARIABLES: [&str; 29] = [
    "customer.email",
    "customer.name",
    "customer.first_name",
    "customer.last_name",
    "customer.locale",
    "customer.timezone",
    "customer.birthday",
    "customer.source",
    "customer.external_id",
    "customer.score",
    "customer.lifecycle",
    "customer.purchases",
    "customer.revenue",
    "customer.last_purchase_at",
    "site.name",
    "site.url",
    "site.address",
    "site.phone",
    "campaign.name",
    "sender.name",
    "sender.email",
    "unsubscribe_url",
    "preferences_url",
    "view_url",
    "subject",
    "preheader",
    "now",
    "content",
    "footer",
];

/// All problems of the template `name`, in all its languages, with its layouts and partials.
pub fn check(library: &Library, name: &str, options: &CompileOptions, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    let files = files(library, name, options);
    let handed = handed(library, &files);
    for path in &files {
        let mut file = File { library, options, known, path, handed: handed.get(path), problems: &mut problems };
        file.check();
    }
    // what a file's own check found is told better there than by what comes after it
    let syntax = problems.iter().any(|p| p.code == "syntax");
    match Compiled::new(library, name, options) {
        Err(found) if syntax => {
            problems.extend(found.into_iter().filter(|p| p.code != "syntax" && p.code != "cut-element"));
        }
        Err(found) => problems.extend(found),
        Ok(compiled) if compiled.html_size() > GMAIL_CLIPS => {
            let file = files.first().map(|f| shown(f)).unwrap_or_default();
            let size = compiled.html_size() / 1024;
            problems.push(
                Problem::whole(&file, "large-html", format!("the HTML has {size} KB, and Gmail clips mails at 102 KB"))
                    .help("shorten it: the footer with the unsubscribe link is what gets cut off")
                    .warning(),
            );
        }
        Ok(_) => {}
    }
    problems.sort_by(|a, b| (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code)));
    problems.dedup();
    problems
}

/// The template's files in every language and all that they include, each once.
fn files(library: &Library, name: &str, options: &CompileOptions) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for tag in library.tags(name) {
        let language = tag.clone().unwrap_or_else(|| options.site.locale.clone());
        for markups in [&[Markup::Mjml, Markup::Html][..], &[Markup::Text]] {
            if let Some(path) = library.find(name, tag.as_ref(), markups) {
                files.extend(expand::expand(library, options, &language, path).0.files);
            }
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    files
}

/// The names of the parameters that partials are handed, by the partial's path.
fn handed(library: &Library, files: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let mut handed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files {
        let source = library.source(path);
        for part in expr::parts(source, 0).unwrap_or_default() {
            if part.kind != Some(Kind::Partial) {
                continue;
            }
            let words = expr::words(expr::inner(&source[part.range]));
            let Some(name) = words.first().map(|w| expr::unquoted(w).unwrap_or(w)) else { continue };
            let keys = words[1..].iter().filter_map(|word| word.split_once('=').map(|(key, _)| key.to_owned()));
            let keys: BTreeSet<String> = keys.collect();
            for partial in files.iter().filter(|f| super::library::file_name(f).is_some_and(|f| f.name == name)) {
                handed.entry(partial.clone()).or_default().extend(keys.clone());
            }
        }
    }
    handed
}

struct File<'a> {
    library: &'a Library,
    options: &'a CompileOptions,
    known: &'a Known,
    path: &'a str,
    handed: Option<&'a BTreeSet<String>>,
    problems: &'a mut Vec<Problem>,
}

/// A block that is open.
struct Open<'a> {
    name: &'a str,
    raw: &'a str,
    at: usize,
    /// The names after `as`, and whether plain names mean fields of an item.
    params: Vec<String>,
    item: bool,
}

impl File<'_> {
    fn check(&mut self) {
        let source = self.library.source(self.path).to_owned();
        let (front, _) = front::read(&shown(self.path), &source);
        for placed in [&front.subject, &front.preheader].into_iter().flatten() {
            let inside = placed.span.start + 1;
            let verbatim = source[inside..].starts_with(&placed.text);
            self.text(&placed.text, 0, |at| if verbatim { inside + at } else { placed.span.start });
        }
        self.text(&source, front.body, |at| at);
    }

    fn problem(&mut self, at: usize, len: usize, code: &'static str, text: String, help: Option<String>) {
        let source = self.library.source(self.path);
        self.problems.push(Problem::at(&shown(self.path), source, at..at + len, code, text).maybe_help(help));
    }

    fn text(&mut self, text: &str, from: usize, place: impl Fn(usize) -> usize) {
        let parts = match expr::parts(text, from) {
            Ok(parts) => parts,
            Err((at, message)) => return self.problem(place(at), 2, "syntax", message, None),
        };
        let mut blocks: Vec<Open<'_>> = Vec::new();
        for part in parts {
            let (Some(kind), at) = (part.kind, place(part.range.start)) else { continue };
            let raw = &text[part.range];
            let inner = expr::inner(raw);
            let words = expr::words(inner);
            let first = words.first().copied().unwrap_or_default();
            match kind {
                Kind::Comment | Kind::Escape => {}
                Kind::Close => match blocks.pop() {
                    Some(open) if open.name == first => {}
                    Some(open) => {
                        let message = format!("`{raw}` stands where `{}` has to be closed", open.raw);
                        self.problem(
                            at,
                            raw.len(),
                            "syntax",
                            message,
                            Some(format!("write {{{{/{}}}}} first", open.name)),
                        );
                    }
                    None => self.problem(at, raw.len(), "syntax", format!("`{raw}` closes nothing"), None),
                },
                Kind::Else => {
                    if blocks.is_empty() {
                        self.problem(at, raw.len(), "syntax", format!("`{raw}` stands in no block"), None);
                    } else if words.len() > 1 {
                        let rest = inner.trim_start_matches("else").trim_start_matches('^').trim();
                        let name = expr::words(rest).first().copied().unwrap_or_default().to_owned();
                        self.expression(&format!("{{{{#{rest}}}}}{{{{/{name}}}}}"), raw, at, &blocks);
                    }
                }
                Kind::Open => {
                    self.expression(&format!("{raw}{{{{/{first}}}}}"), raw, at, &blocks);
                    let params = inner.split_once(" as |").map_or("", |(_, rest)| rest.trim_end_matches('|'));
                    let params: Vec<String> = params.split_whitespace().map(str::to_owned).collect();
                    let item = matches!(first, "each" | "with");
                    blocks.push(Open { name: first, raw, at, params, item });
                }
                Kind::Value | Kind::Partial => self.expression(raw, raw, at, &blocks),
            }
        }
        for open in blocks {
            let message = format!("`{}` is not closed", open.raw);
            self.problem(open.at, open.raw.len(), "syntax", message, Some(format!("write {{{{/{}}}}}", open.name)));
        }
    }

    fn expression(&mut self, source: &str, raw: &str, at: usize, blocks: &[Open<'_>]) {
        let template = match Template::compile(source) {
            Ok(template) => template,
            Err(_) => {
                let message = format!("`{raw}` is not a Handlebars expression");
                let help = "values are {{customer.name}}, helpers {{date now \"short\"}}, with texts in quotes";
                return self.problem(at, raw.len(), "syntax", message, Some(help.into()));
            }
        };
        let place = Place { raw, at, blocks };
        for element in &template.elements {
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.call(call, &place, false)
                }
                TemplateElement::HelperBlock(call) => self.call(call, &place, true),
                TemplateElement::PartialExpression(partial) => {
                    self.parameters(&partial.params, &partial.hash, &place);
                }
                _ => {}
            }
        }
    }

    fn call(&mut self, call: &HelperTemplate, place: &Place<'_>, block: bool) {
        let name = match &call.name {
            Parameter::Subexpression(_) | Parameter::Literal(_) => return,
            name => name.as_name().unwrap_or_default().to_owned(),
        };
        let plain = !block && call.params.is_empty() && call.hash.is_empty();
        if plain && !is_helper(&name) {
            return self.variable(&name, place, false);
        }
        let known: Vec<&str> = if block { BLOCKS.to_vec() } else { VALUES.iter().map(|(name, _)| *name).collect() };
        if !known.contains(&name.as_str()) {
            let (at, len) = place.of(&name);
            let what = if block { "block" } else { "helper" };
            // a blank where a dot belongs
            let dotted = call.params.first().and_then(Parameter::as_name).map(|param| format!("{name}.{param}"));
            if let Some(dotted) = dotted.filter(|dotted| !block && VARIABLES.contains(&dotted.as_str())) {
                let help = Some(format!("did you mean `{dotted}`?"));
                return self.problem(at, len, "unknown-helper", format!("there is no {what} `{name}`"), help);
            }
            self.problem(at, len, "unknown-helper", format!("there is no {what} `{name}`"), nearest(&name, known));
            return;
        }
        self.arguments(&name, &call.params, place);
        self.parameters(&call.params, &call.hash, place);
    }

    fn parameters(&mut self, params: &[Parameter], hash: &HashMap<String, Parameter>, place: &Place<'_>) {
        for param in params.iter().chain(hash.values()) {
            match param {
                Parameter::Path(_) => self.variable(param.as_name().unwrap_or_default(), place, true),
                Parameter::Subexpression(sub) => {
                    if let TemplateElement::Expression(call) = sub.as_element() {
                        self.call(call, place, false);
                    }
                }
                _ => {}
            }
        }
    }

    /// How many values a helper takes, and whether those written out can be read.
    fn arguments(&mut self, name: &str, params: &[Parameter], place: &Place<'_>) {
        let least = match name {
            "honorific" => 0,
            "plural" => 3,
            "josa" | "default" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "lookup" => 2,
            _ => 1,
        };
        let usage = VALUES.iter().find(|(n, _)| *n == name).map(|(_, usage)| format!("write it as in {usage}"));
        if params.len() < least {
            let message = format!("`{name}` takes at least {least} value{}", if least == 1 { "" } else { "s" });
            return self.problem(place.at, place.raw.len(), "helper-values", message, usage);
        }
        let text = |index: usize| match params.get(index) {
            Some(Parameter::Literal(Json::String(text))) => Some(text.clone()),
            _ => None,
        };
        let zone = &self.options.site.timezone;
        let wrong = match name {
            "josa" => text(1).and_then(|pair| Josa::parse(&pair).err()),
            "date" => text(1).and_then(|how| {
                let noon = Json::from("2027-03-03T12:00:00Z");
                format_date(&noon, Some(&how), &self.options.site.locale, zone).err()
            }),
            "money" => text(1).and_then(|code| code.parse::<Currency>().err()),
            "survey_url" => text(0)
                .filter(|survey| !self.options.surveys.contains_key(survey))
                .map(|survey| format!("there is no surveys/{survey}.toml")),
            _ => None,
        };
        if let Some(message) = wrong {
            self.problem(place.at, place.raw.len(), "helper-values", message, usage);
        }
    }

    /// `whole`: it may also be a table of values, as in `{{#with customer}}`.
    fn variable(&mut self, path: &str, place: &Place<'_>, whole: bool) {
        let (rooted, path) = path.strip_prefix("@root.").map_or((false, path), |rest| (true, rest));
        if path.starts_with(['@', '.']) || path == "this" || path.starts_with("this.") || path.starts_with("this/") {
            return;
        }
        let head = path.split(['.', '/', '[']).next().unwrap_or_default();
        let handed = self.handed.is_some_and(|names| names.contains(head));
        if is_helper(path) || (!rooted && (handed || place.blocks.iter().any(|b| b.params.iter().any(|p| p == head)))) {
            return;
        }
        let (at, len) = place.of(path);
        let root = VARIABLES.iter().any(|v| v.split('.').next() == Some(head));
        if !rooted && let Some(open) = place.blocks.iter().rev().find(|b| b.item) {
            // a plain name is a field of the item here
            if root {
                let message = format!("within `{}`, `{path}` is looked for in the item", open.raw);
                self.problem(at, len, "unknown-variable", message, Some(format!("write `@root.{path}`")));
            }
            return;
        }
        if VARIABLES.contains(&path) || self.known.has(path) {
            return;
        }
        let table = || VARIABLES.iter().any(|v| v.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
        if whole && (path == "customer.attr" || table() || self.known.has_table(path)) {
            return;
        }
        if let Some(attribute) = path.strip_prefix("customer.attr.") {
            let Some(attributes) = &self.known.attributes else { return };
            let name = attribute.split(['.', '[']).next().unwrap_or_default();
            if !attributes.contains(name) {
                let help = nearest(name, attributes.iter().map(String::as_str));
                self.problem(at, len, "unknown-variable", format!("no customer has an attribute `{name}`"), help);
            }
            return;
        }
        let names = VARIABLES.iter().copied().filter(|v| !matches!(*v, "content" | "footer"));
        let names = names.chain(self.known.extra.iter().map(String::as_str).filter(|name| !name.ends_with('*')));
        let helper =
            nearest(path, VALUES.iter().map(|(name, _)| *name)).filter(|help| help.starts_with("did you mean"));
        let variable = nearest(path, names);
        let near = variable.as_ref().is_some_and(|help| help.starts_with("did you mean"));
        let help = if near { variable } else { helper.or(variable) };
        self.problem(at, len, "unknown-variable", format!("there is no variable `{path}`"), help);
    }
}

/// An expression and where it stands.
struct Place<'a> {
    raw: &'a str,
    at: usize,
    blocks: &'a [Open<'a>],
}

impl Place<'_> {
    /// Where a word of the expression stands, and how long it is.
    fn of(&self, word: &str) -> (usize, usize) {
        self.raw.find(word).map_or((self.at, self.raw.len()), |found| (self.at + found, word.len()))
    }
}

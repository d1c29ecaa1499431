//! Layout, partials, survey blocks and pictures: from a template's file to one sequence of pieces, each of which knows
//! the place in a file that it comes from.

use super::expr::{self, Kind};
use super::front::{self, Front};
use super::library::{Library, Markup, file_name};
use super::options::CompileOptions;
use super::words;
use crate::config::{Problem, nearest};
use crate::types::locale::Locale;

/// A stretch of the template.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Which of [`Expanded::files`].
    pub file: usize,
    /// At which byte of it.
    pub at: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Text(String),
    Expr(String, Kind),
    Footer,
}

/// A template with all that belongs into it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expanded {
    /// Paths in the library.
    pub files: Vec<String>,
    pub pieces: Vec<Piece>,
    pub front: Front,
}

/// More pieces than any mail has: partials that include partials twice would double without end.
const MOST: usize = 50_000;
const DEEPEST: usize = 20;

pub(crate) struct Expander<'a> {
    library: &'a Library,
    options: &'a CompileOptions,
    language: &'a Locale,
    markup: Markup,
    files: Vec<String>,
    stack: Vec<String>,
    pieces: usize,
    pub problems: Vec<Problem>,
}

/// A file's path as messages have it.
pub(crate) fn shown(path: &str) -> String {
    format!("templates/{path}")
}

/// Expands the file at `path` for readers of `language`.
pub(crate) fn expand(
    library: &Library,
    options: &CompileOptions,
    language: &Locale,
    path: &str,
) -> (Expanded, Vec<Problem>) {
    let markup = file_name(path).map_or(Markup::Text, |file| file.markup);
    let mut expander = Expander {
        library,
        options,
        language,
        markup,
        files: Vec::new(),
        stack: Vec::new(),
        pieces: 0,
        problems: Vec::new(),
    };
    let (front, mut pieces) = expander.file(path);
    if let Some(layout) = &front.layout {
        pieces = expander.layout(path, layout, pieces);
    }
    (Expanded { files: expander.files, pieces, front }, expander.problems)
}

impl Expander<'_> {
    fn file(&mut self, path: &str) -> (Front, Vec<Piece>) {
        let source = self.library.source(path).to_owned();
        let (front, problems) = front::read(&shown(path), &source);
        self.problems.extend(problems);
        let index = self.files.iter().position(|f| f == path).unwrap_or_else(|| {
            self.files.push(path.to_owned());
            self.files.len() - 1
        });
        self.stack.push(path.to_owned());
        let pieces = self.parts(path, index, &source, front.body);
        self.stack.pop();
        (front, pieces)
    }

    fn problem(&mut self, path: &str, at: usize, len: usize, code: &'static str, text: String, help: Option<String>) {
        let source = self.library.source(path);
        let problem = Problem::at(&shown(path), source, at..at + len, code, text).maybe_help(help);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn parts(&mut self, path: &str, file: usize, source: &str, from: usize) -> Vec<Piece> {
        let parts = match expr::parts(source, from) {
            Ok(parts) => parts,
            Err((at, message)) => {
                self.problem(path, at, 2, "syntax", message, None);
                return Vec::new();
            }
        };
        let mut pieces = Vec::new();
        for part in parts {
            let (at, raw) = (part.range.start, &source[part.range.clone()]);
            self.pieces += 1;
            if self.pieces > MOST {
                self.problem(path, at, raw.len(), "too-large", "partials make this template too large".into(), None);
                return pieces;
            }
            let inner = expr::inner(raw);
            let first = expr::words(inner).first().copied().unwrap_or_default().to_owned();
            match part.kind {
                None if self.markup == Markup::Text => {
                    pieces.push(Piece { file, at, what: What::Text(raw.to_owned()) });
                }
                None => self.pictures(path, file, at, raw, &mut pieces),
                Some(Kind::Comment) => {}
                Some(Kind::Partial) => pieces.extend(self.partial(path, file, at, raw)),
                Some(Kind::Value) if inner == "footer" => pieces.push(Piece { file, at, what: What::Footer }),
                Some(Kind::Value) if first == "survey" => {
                    if let Some(text) = self.survey(path, at, raw) {
                        for piece in self.generated(file, at, &text) {
                            pieces.push(piece);
                        }
                    }
                }
                Some(kind) => pieces.push(Piece { file, at, what: What::Expr(raw.to_owned(), kind) }),
            }
        }
        pieces
    }

    /// Pieces of text that we made ourselves; they all stand where the expression stood.
    fn generated(&self, file: usize, at: usize, text: &str) -> Vec<Piece> {
        expr::parts(text, 0)
            .unwrap_or_default()
            .into_iter()
            .map(|part| {
                let raw = text[part.range].to_owned();
                let what = match part.kind {
                    None => What::Text(raw),
                    Some(kind) => What::Expr(raw, kind),
                };
                Piece { file, at, what }
            })
            .collect()
    }

    fn partial(&mut self, path: &str, file: usize, at: usize, raw: &str) -> Vec<Piece> {
        let inner = expr::inner(raw);
        let words = expr::words(inner);
        let name = words.first().map(|w| expr::unquoted(w).unwrap_or(w)).unwrap_or_default();
        if name == "content" {
            return vec![Piece { file, at, what: What::Expr(raw.to_owned(), Kind::Partial) }];
        }
        let markups: &[Markup] = match self.markup {
            Markup::Mjml => &[Markup::Mjml, Markup::Html],
            Markup::Html => &[Markup::Html],
            Markup::Text => &[Markup::Text],
        };
        let Some(target) = self.library.find(name, Some(self.language), markups).map(str::to_owned) else {
            let help = if self.library.has(name) {
                Some("a partial has the ending of the template that it is for".into())
            } else {
                nearest(name, self.library.names_in("partials/"))
            };
            self.problem(path, at, raw.len(), "unknown-partial", format!("there is no partial `{name}`"), help);
            return Vec::new();
        };
        if self.stack.contains(&target) || self.stack.len() > DEEPEST {
            let way = self.stack.join(" → ");
            self.problem(path, at, raw.len(), "cycle", format!("this partial includes itself: {way} → {target}"), None);
            return Vec::new();
        }
        if let Some(word) = words.iter().skip(1).find(|word| !word.contains('=') || word.starts_with(['"', '\'', '(']))
        {
            let message = format!("`{word}` has no name: a partial takes `name=value`");
            self.problem(path, at, raw.len(), "partial-parameter", message, None);
            return Vec::new();
        }
        let (_, body) = self.file(&target);
        if words.len() < 2 {
            return body;
        }
        let mut scope = String::from("{{#scope");
        for word in &words[1..] {
            scope.push(' ');
            match word.split_once('=') {
                // a picture handed to a partial is found here, where its name stands
                Some((key, value)) if expr::unquoted(value).is_some_and(|v| v.starts_with("assets/")) => {
                    let picture = expr::unquoted(value).unwrap_or_default();
                    let from = at + raw.find(picture).unwrap_or(0);
                    scope.push_str(&format!("{key}=\"{}\"", self.picture(path, from, picture)));
                }
                _ => scope.push_str(word),
            }
        }
        scope.push_str("}}");
        let mut pieces = vec![Piece { file, at, what: What::Expr(scope, Kind::Open) }];
        pieces.extend(body);
        pieces.push(Piece { file, at, what: What::Expr("{{/scope}}".into(), Kind::Close) });
        pieces
    }

    fn layout(&mut self, path: &str, layout: &front::Placed, body: Vec<Piece>) -> Vec<Piece> {
        let name =
            if layout.text.starts_with("layouts/") { layout.text.clone() } else { format!("layouts/{}", layout.text) };
        let (at, len) = (layout.span.start, layout.span.len());
        let Some(target) = self.library.find(&name, Some(self.language), &[self.markup]).map(str::to_owned) else {
            let help = if self.library.has(&name) {
                Some("a layout has the ending of the template that it is for".into())
            } else {
                nearest(&name, self.library.names_in("layouts/"))
            };
            self.problem(path, at, len, "unknown-layout", format!("there is no layout `{name}`"), help);
            return body;
        };
        if self.stack.contains(&target) || self.stack.len() > DEEPEST {
            self.problem(path, at, len, "cycle", format!("layout `{name}` is its own layout"), None);
            return body;
        }
        let (front, frame) = self.file(&target);
        let is_content = |piece: &Piece| matches!(&piece.what, What::Expr(raw, Kind::Value | Kind::Partial) if expr::inner(raw) == "content");
        if frame.iter().filter(|piece| is_content(piece)).count() != 1 {
            self.problem(
                &target,
                front.body,
                1,
                "layout",
                "a layout has `{{{content}}}` once, where the template goes".into(),
                None,
            );
            return body;
        }
        let mut body = Some(body);
        let mut pieces = Vec::new();
        for piece in frame {
            if is_content(&piece) {
                pieces.extend(body.take().unwrap_or_default());
            } else {
                pieces.push(piece);
            }
        }
        match &front.layout {
            Some(outer) => {
                self.stack.push(target.clone());
                let pieces = self.layout(&target, outer, pieces);
                self.stack.pop();
                pieces
            }
            None => pieces,
        }
    }

    fn survey(&mut self, path: &str, at: usize, raw: &str) -> Option<String> {
        let words = expr::words(expr::inner(raw));
        let name = words.get(1).and_then(|w| expr::unquoted(w)).filter(|_| words.len() == 2);
        let Some(name) = name else {
            let message = "`survey` takes the name of a survey in quotes: `{{survey \"nps\"}}`".into();
            self.problem(path, at, raw.len(), "survey", message, None);
            return None;
        };
        let Some(survey) = self.options.surveys.get(name) else {
            let help = nearest(name, self.options.surveys.keys().map(String::as_str));
            self.problem(path, at, raw.len(), "unknown-survey", format!("there is no surveys/{name}.toml"), help);
            return None;
        };
        let fallback = &self.options.site.locale;
        Some(match self.markup {
            Markup::Text => words::survey_text(name, survey, self.language, fallback),
            _ => words::survey_html(name, survey, self.language, fallback),
        })
    }

    /// Text, with each `"assets/…"` and `(assets/…)` made the address of the picture.
    fn pictures(&mut self, path: &str, file: usize, at: usize, text: &str, pieces: &mut Vec<Piece>) {
        let mut done = 0;
        while let Some(found) = text[done..].find("assets/") {
            let start = done + found;
            let open = text[..start].chars().next_back();
            let close: &[char] = match open {
                Some('"') => &['"'],
                Some('\'') => &['\''],
                Some('(') => &[')'],
                _ => {
                    let next = start + "assets/".len();
                    pieces.push(Piece { file, at: at + done, what: What::Text(text[done..next].to_owned()) });
                    done = next;
                    continue;
                }
            };
            let len = text[start..].find(close);
            let name = &text[start..start + len.unwrap_or(text.len() - start)];
            if len.is_none() && start + name.len() == text.len() {
                let message = "a picture's name is written out: it cannot come from an expression".into();
                self.problem(path, at + start, name.len(), "asset", message, None);
            }
            pieces.push(Piece { file, at: at + done, what: What::Text(text[done..start].to_owned()) });
            let url = self.picture(path, at + start, name);
            pieces.push(Piece { file, at: at + start, what: What::Text(url) });
            done = start + name.len();
        }
        if done < text.len() {
            pieces.push(Piece { file, at: at + done, what: What::Text(text[done..].to_owned()) });
        }
    }

    fn picture(&mut self, path: &str, at: usize, name: &str) -> String {
        let short = name.trim_start_matches("assets/");
        match self.library.assets.get(short) {
            Some(hash) => format!("{}/a/{hash}", self.options.site.url),
            None => {
                let help = nearest(short, self.library.assets.keys().map(String::as_str));
                self.problem(path, at, name.len(), "missing-asset", format!("there is no {name}"), help);
                String::new()
            }
        }
    }
}

//! Handlebars expressions out of harm's way. An HTML parser moves text out of tables and escapes quotes, so while
//! markup is worked on each expression is a comment (where elements stand) or a plain word (where text stands), and is
//! put back afterwards.

use super::expand::{Expanded, What, shown};
use super::expr::{self, Kind};
use super::library::{Library, Markup};
use super::scan::{Place, Scan, Tag};
use super::tags;
use crate::config::{Problem, nearest};

/// The expression that stands for the footer, until the footer is put there.
pub(crate) const FOOTER: &str = "{{{footer}}}";

/// Markup whose expressions are tokens.
#[derive(Clone, Debug)]
pub(crate) struct Protected {
    pub text: String,
    pub tokens: Tokens,
    /// From this byte of the text on, it comes from that byte of that file.
    marks: Vec<(usize, usize, usize)>,
    files: Vec<String>,
}

/// The expressions, by number; a token is the prefix, the number and a `q`.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    prefix: String,
    exprs: Vec<Expr>,
}

#[derive(Clone, Debug)]
struct Expr {
    raw: String,
    kind: Kind,
    comment: bool,
    /// Its place in the protected text.
    at: usize,
}

impl Tokens {
    fn token(&self, n: usize) -> String {
        format!("{}{n}q", self.prefix)
    }

    /// The first token in `text`: where it stands (as a comment with its marks) and its number.
    pub(crate) fn next(&self, text: &str) -> Option<(std::ops::Range<usize>, usize)> {
        let mut from = 0;
        loop {
            let start = from + text[from..].find(&self.prefix)?;
            let digits = start + self.prefix.len();
            let len = text[digits..].find(|c: char| !c.is_ascii_digit())?;
            let end = digits + len + 1;
            match text[digits..digits + len].parse::<usize>() {
                Ok(n) if n < self.exprs.len() && text[digits + len..].starts_with('q') => {
                    let comment = text[..start].ends_with("<!--") && text[end..].starts_with("-->");
                    return Some((if comment { start - 4..end + 3 } else { start..end }, n));
                }
                _ => from = digits,
            }
        }
    }

    /// Puts the expressions back.
    pub(crate) fn restore(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((range, n)) = self.next(rest) {
            out.push_str(&rest[..range.start]);
            out.push_str(&self.exprs[n].raw);
            rest = &rest[range.end..];
        }
        out.push_str(rest);
        out
    }

    /// The expression of a number.
    pub(crate) fn raw(&self, n: usize) -> &str {
        &self.exprs[n].raw
    }

    /// Whether the expression makes a block or divides one.
    pub(crate) fn is_block(&self, n: usize) -> bool {
        matches!(self.exprs[n].kind, Kind::Open | Kind::Else | Kind::Close)
    }
}

impl Protected {
    /// The file, its text and the byte that a byte of the protected text comes from.
    fn origin(&self, at: usize) -> Option<(&str, usize)> {
        let index = self.marks.partition_point(|mark| mark.0 <= at).checked_sub(1)?;
        let (start, file, source) = *self.marks.get(index)?;
        let end = self.marks.get(index + 1).map_or(self.text.len(), |mark| mark.0);
        Some((self.files.get(file)?.as_str(), source + (at.min(end) - start)))
    }

    /// A mistake at a byte of the protected text, told at its place in the file.
    pub(crate) fn problem(
        &self,
        library: &Library,
        at: usize,
        len: usize,
        code: &'static str,
        text: impl Into<String>,
    ) -> Problem {
        match self.origin(at) {
            Some((path, at)) => Problem::at(&shown(path), library.source(path), at..at + len, code, text),
            None => Problem::whole(&self.files.first().map(|f| shown(f)).unwrap_or_default(), code, text),
        }
    }

    /// Expressions that `result` has lost though they stood between elements.
    pub(crate) fn lost(&self, library: &Library, result: &str) -> Vec<Problem> {
        let lost = |(n, e): (usize, &Expr)| {
            (e.comment && !result.contains(&self.tokens.token(n))).then(|| {
                let message = format!("`{}` cannot stand here: it would get lost", e.raw);
                self.problem(library, e.at, e.raw.len(), "misplaced", message)
                    .help("put it into <mj-text> or <mj-raw>, or around a whole element")
            })
        };
        self.tokens.exprs.iter().enumerate().filter_map(lost).collect()
    }
}

/// Puts tokens for expressions, and finds what no parser would complain of: tags that MJML does not know, expressions
/// in tags, blocks that cut elements.
pub(crate) fn protect(library: &Library, expanded: &Expanded, markup: Markup) -> (Protected, Vec<Problem>) {
    let all = |prefix: &str| expanded.pieces.iter().any(|p| matches!(&p.what, What::Text(t) if t.contains(prefix)));
    let mut prefix = String::from("zhb");
    while all(&prefix) {
        prefix.push('z');
    }
    let mut protected = Protected {
        text: String::new(),
        tokens: Tokens { prefix, exprs: Vec::new() },
        marks: Vec::new(),
        files: expanded.files.clone(),
    };
    let mut problems: Vec<Problem> = Vec::new();
    let mut scan = Scan::new();
    let mut blocks: Vec<(Vec<String>, String)> = Vec::new();
    for piece in &expanded.pieces {
        let start = protected.text.len();
        protected.marks.push((start, piece.file, piece.at));
        let (raw, kind) = match &piece.what {
            What::Text(text) => {
                protected.text.push_str(text);
                if markup != Markup::Text {
                    scan.feed(text);
                    for tag in std::mem::take(&mut scan.tags) {
                        problems.extend(tag_problem(library, &protected, markup, &tag));
                    }
                }
                continue;
            }
            What::Expr(raw, kind) => (raw.as_str(), *kind),
            What::Footer => (FOOTER, Kind::Value),
        };
        let place = if markup == Markup::Text { Place::Raw } else { scan.place() };
        let block = matches!(kind, Kind::Open | Kind::Else | Kind::Close);
        let comment = match place {
            Place::Structure => true,
            Place::Content => block,
            _ => false,
        };
        let n = protected.tokens.exprs.len();
        protected.tokens.exprs.push(Expr { raw: raw.to_owned(), kind, comment, at: start });
        let token = protected.tokens.token(n);
        let token = if comment { format!("<!--{token}-->") } else { token };
        if place == Place::Tag {
            let message = format!("`{raw}` stands in a tag outside of any attribute's value");
            problems.push(
                protected
                    .problem(library, start, raw.len(), "misplaced", message)
                    .help("put it into a value: class=\"{{#if …}}a{{/if}}\", or put the block around the element"),
            );
            continue;
        }
        let parent = scan.stack.last().map(String::as_str).unwrap_or_default();
        let footer = matches!(piece.what, What::Footer) && parent == "mj-body";
        if place == Place::Structure && kind == Kind::Value && tags::takes_no_html(parent) && !footer {
            let message = format!("`{raw}` cannot stand in <{parent}>");
            let problem = protected.problem(library, start, raw.len(), "misplaced", message);
            problems.push(problem.help("put it into <mj-text> or <mj-raw>"));
        }
        scan.expression();
        protected.text.push_str(&token);
        scan.feed(&token);
        scan.tags.clear();
        let report = |protected: &Protected, opened: &str, problems: &mut Vec<Problem>| {
            let message = format!("`{opened}` cuts an element: what opens in a block closes in it");
            problems.push(protected.problem(library, start, raw.len(), "cut-element", message));
        };
        match kind {
            Kind::Open => blocks.push((scan.stack.clone(), raw.to_owned())),
            Kind::Else => {
                if let Some((stack, opened)) = blocks.last() {
                    if strict(&scan.stack) != strict(stack) {
                        report(&protected, opened, &mut problems);
                    }
                    scan.stack.clone_from(stack);
                }
            }
            Kind::Close => {
                if let Some((stack, opened)) = blocks.pop()
                    && strict(&scan.stack) != strict(&stack)
                {
                    report(&protected, &opened, &mut problems);
                }
            }
            _ => {}
        }
    }
    (protected, problems)
}

/// The open elements without those that HTML lets stay open.
fn strict(stack: &[String]) -> Vec<&str> {
    stack.iter().map(String::as_str).filter(|tag| !matches!(*tag, "p" | "li" | "dt" | "dd" | "option")).collect()
}

fn tag_problem(library: &Library, protected: &Protected, markup: Markup, tag: &Tag) -> Option<Problem> {
    let name = tag.name.as_str();
    if tag.closes {
        // mrml takes any closing tag for the right one
        let open = tag.closed.as_deref().unwrap_or_default();
        let crossed = markup == Markup::Mjml && open != name && (name.starts_with("mj") || open.starts_with("mj"));
        return crossed.then(|| {
            let message = match open {
                "" => format!("</{name}> closes nothing"),
                open => format!("</{name}> stands where <{open}> has to be closed"),
            };
            protected.problem(library, tag.start + 2, name.len(), "mjml", message)
        });
    }
    let at = |code, message: String| protected.problem(library, tag.start + 1, name.len(), code, message);
    let mjml = name == "mjml" || name.starts_with("mj-");
    match markup {
        Markup::Html if mjml => Some(
            at("mjml-tag", format!("<{name}> means nothing in an .html template"))
                .help("give the file the ending .mjml"),
        ),
        Markup::Mjml if name == "mj-include" => {
            Some(at("unknown-tag", "<mj-include> is not supported".into()).help("write {{> partials/name}}"))
        }
        Markup::Mjml if mjml && !tags::MJML.contains(&name) => {
            Some(at("unknown-tag", format!("<{name}> is not a tag of MJML")).maybe_help(nearest(name, tags::MJML)))
        }
        Markup::Mjml if !mjml => {
            let parent = tag.parent.as_deref().filter(|parent| tags::takes_no_html(parent))?;
            Some(
                at("html-in-mjml", format!("<{name}> cannot stand in <{parent}>"))
                    .help("put it into <mj-text> or <mj-raw>"),
            )
        }
        _ => None,
    }
}

/// Whether an expression is one of our own addresses, which no tracking touches.
pub(crate) fn is_own_url(raw: &str) -> bool {
    let inner = expr::inner(raw);
    matches!(inner, "unsubscribe_url" | "preferences_url" | "view_url") || inner.starts_with("survey_url ")
}

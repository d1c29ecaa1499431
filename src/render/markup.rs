//! From what the author wrote to HTML for mail: MJML by mrml, HTML with its styles inlined, plain text in paragraphs.
//! All of it on protected text.

use super::library::{Library, Markup};
use super::protect::{Protected, Tokens};
use crate::config::Problem;
use mrml::prelude::parser::{Error as ParseError, ParserOptions, Span};
use mrml::prelude::render::RenderOptions;
use std::fmt::Write as _;
use std::ops::Range;

/// Makes HTML.
///
/// # Errors
/// What the MJML parser or the CSS inliner does not take, at its place in the file.
pub(crate) fn to_html(library: &Library, protected: &Protected, markup: Markup) -> Result<String, Vec<Problem>> {
    let html = match markup {
        Markup::Mjml => mjml(library, protected)?,
        Markup::Html => inline(library, protected)?,
        Markup::Text => paragraphs(&protected.text, &protected.tokens),
    };
    // what the parser made of entities is text, not an expression
    let html = html.replace("{{", "\\{{");
    let lost = protected.lost(library, &html);
    if lost.is_empty() { Ok(html) } else { Err(lost) }
}

fn mjml(library: &Library, protected: &Protected) -> Result<String, Vec<Problem>> {
    let wrong = |error: &ParseError| vec![parse_problem(library, protected, error)];
    let parsed = mrml::parse_with_options(&protected.text, &ParserOptions::default()).map_err(|e| wrong(&e))?;
    // the fonts of the defaults would be loaded from a third party, which then sees who opens
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    parsed
        .element
        .render(&options)
        .map_err(|e| vec![protected.problem(library, 0, 1, "mjml", format!("this MJML cannot be rendered: {e}"))])
}

fn parse_problem(library: &Library, protected: &Protected, error: &ParseError) -> Problem {
    let at = |span: &Span, message: &str| {
        protected.problem(library, span.start, span.end.saturating_sub(span.start), "mjml", message)
    };
    let last = protected.text.trim_end().len().saturating_sub(1);
    match error {
        ParseError::UnexpectedElement { position, .. } | ParseError::UnexpectedToken { position, .. } => {
            misplaced(library, protected, position)
        }
        ParseError::MissingAttribute { name, position, .. } => {
            at(position, &format!("the attribute `{name}` is missing"))
        }
        ParseError::InvalidAttribute { position, .. } => at(position, "this attribute is not well written"),
        ParseError::InvalidFormat { position, .. } => at(position, "this is not well written"),
        ParseError::IncludeLoaderError { position, .. } => at(position, "<mj-include> is not supported"),
        ParseError::EndOfStream { .. } => {
            protected.problem(library, last, 1, "mjml", "the file ends within an element: a closing tag is missing")
        }
        ParseError::SizeLimit { .. } => protected.problem(library, 0, 1, "mjml", "this template is too large"),
        ParseError::ParserError { source, .. } => {
            let (row, col) = (source.pos().row as usize, source.pos().col as usize);
            let start: usize = protected.text.split_inclusive('\n').take(row.saturating_sub(1)).map(str::len).sum();
            let offset: usize = protected.text[start..].chars().take(col.saturating_sub(1)).map(char::len_utf8).sum();
            protected.problem(
                library,
                start + offset,
                1,
                "mjml",
                "this is not well-formed: a quote, `=` or `>` is missing",
            )
        }
        ParseError::NoRootNode => protected.problem(library, 0, 1, "mjml", "an .mjml template begins with <mjml>"),
    }
}

/// Something where MJML does not expect it: what it expects.
fn misplaced(library: &Library, protected: &Protected, at: &Span) -> Problem {
    let problem =
        |message: &str| protected.problem(library, at.start, at.end.saturating_sub(at.start), "mjml", message);
    if protected.text[..at.start].trim().is_empty() {
        let around = "put <mjml><mj-body> … </mj-body></mjml> around it".to_owned();
        let whole = problem("an .mjml template begins with <mjml>, or names a layout that does");
        if whole.file.starts_with("templates/layouts/") {
            return problem("a layout begins with <mjml>").help(around);
        }
        let layout = library.templates.iter().find_map(|(path, text)| {
            let name = path.strip_prefix("layouts/")?.strip_suffix(".mjml")?;
            text.contains("<mjml").then_some(name)
        });
        return whole.help(layout.map_or(around, |name| {
            format!("write layout = \"{name}\" between the `---` lines at the top of the template")
        }));
    }
    let rest = protected.text[at.start..].trim_start_matches('<');
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
    match PLACES.iter().find(|(tag, _)| *tag == name) {
        Some((tag, places)) => {
            problem(&format!("<{tag}> cannot stand here")).help(format!("it stands in {places}"))
        }
        None => problem("this cannot stand here").help(
            "<mj-body> holds <mj-section>s, these hold <mj-column>s, and these <mj-text>, <mj-button>, <mj-image> and the like",
        ),
    }
}

/// Where MJML's elements stand.
const PLACES: [(&str, &str); 14] = [
    ("mj-head", "<mjml>"),
    ("mj-body", "<mjml>"),
    ("mj-attributes", "<mj-head>"),
    ("mj-style", "<mj-head>"),
    ("mj-title", "<mj-head>"),
    ("mj-preview", "<mj-head>"),
    ("mj-wrapper", "<mj-body>"),
    ("mj-hero", "<mj-body>"),
    ("mj-section", "<mj-body> or <mj-wrapper>"),
    ("mj-group", "<mj-section>"),
    ("mj-column", "<mj-section> or <mj-group>"),
    ("mj-text", "<mj-column>"),
    ("mj-button", "<mj-column>"),
    ("mj-image", "<mj-column>"),
];

fn inline(library: &Library, protected: &Protected) -> Result<String, Vec<Problem>> {
    css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(true)
        .keep_link_tags(true)
        .keep_at_rules(true)
        .build()
        .inline(&protected.text)
        .map_err(|e| vec![protected.problem(library, 0, 1, "css", format!("the styles cannot be inlined: {e}"))])
}

/// Plain text as simple HTML: blank lines part paragraphs, addresses become links.
fn paragraphs(text: &str, tokens: &Tokens) -> String {
    let mut out = String::from(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head>\
         <body style=\"font-family:sans-serif;font-size:15px;line-height:1.6;color:#222222\">",
    );
    for paragraph in text.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        let lines: Vec<String> = paragraph.lines().map(|line| linked(line, tokens)).collect();
        let _ = write!(out, "<p>{}</p>", lines.join("<br>"));
    }
    out.push_str("</body></html>");
    out
}

fn linked(line: &str, tokens: &Tokens) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(range) = next_url(rest, tokens) {
        let url = html_escape::encode_double_quoted_attribute(&rest[range.clone()]);
        let _ = write!(out, "{}<a href=\"{url}\">{url}</a>", html_escape::encode_text(&rest[..range.start]));
        rest = &rest[range.end..];
    }
    out.push_str(&html_escape::encode_text(rest));
    out
}

/// The first address in plain text: up to a space, a quote or a block's expression, without a full stop at its end.
pub(crate) fn next_url(text: &str, tokens: &Tokens) -> Option<Range<usize>> {
    let start = ["https://", "http://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let rest = &text[start..];
    let mut end = rest.find(|c: char| c.is_whitespace() || "<>\"'".contains(c)).unwrap_or(rest.len());
    let mut from = 0;
    while let Some((token, n)) = tokens.next(&rest[from..end]) {
        if tokens.is_block(n) {
            end = from + token.start;
            break;
        }
        from += token.end;
    }
    let len = rest[..end].trim_end_matches(['.', ',', ')', '!', '?', ';', ':']).len();
    Some(start..start + len)
}

//! The text part, made of the HTML when the author wrote none: streaming, so that blocks keep their order, and on
//! protected text, so that expressions and link numbers come out as they went in.

use super::protect::Tokens;
use lol_html::{EndTagHandler, HtmlRewriter, Settings, doc_comments, doc_text, element};
use std::cell::RefCell;
use std::rc::Rc;

/// Makes text of protected HTML whose links are numbered.
///
/// # Errors
/// When the HTML cannot be read.
pub(crate) fn from_html(html: &str, tokens: &Tokens) -> Result<String, String> {
    let writer = Rc::new(RefCell::new(Writer::default()));
    let (starts, texts, comments) = (writer.clone(), writer.clone(), writer.clone());
    let settings = Settings::new()
        .append_element_content_handler(element!("*", |el| {
            let name = el.tag_name();
            let attribute =
                |key: &str| el.get_attribute(key).map(|v| html_escape::decode_html_entities(&v).into_owned());
            let hidden = matches!(name.as_str(), "head" | "style" | "script" | "title")
                || attribute("style").is_some_and(|s| s.replace(' ', "").to_ascii_lowercase().contains("display:none"));
            let href = attribute("href").filter(|_| name == "a");
            let alt = attribute("alt").filter(|_| name == "img");
            let layout = attribute("role").is_some_and(|role| role == "presentation");
            starts.borrow_mut().open(&name, hidden, href, alt, layout);
            if let Some(handlers) = el.end_tag_handlers() {
                let ends = starts.clone();
                let tokens = tokens.clone();
                let handler: EndTagHandler<'static> = Box::new(move |_| {
                    ends.borrow_mut().close(&name, hidden, &tokens);
                    Ok(())
                });
                handlers.push(handler);
            }
            Ok(())
        }))
        .append_document_content_handler(doc_text!(|chunk| {
            let mut writer = texts.borrow_mut();
            writer.partial.push_str(chunk.as_str());
            if chunk.last_in_text_node() {
                let text = std::mem::take(&mut writer.partial);
                writer.text(&html_escape::decode_html_entities(&text));
            }
            Ok(())
        }))
        .append_document_content_handler(doc_comments!(|comment| {
            let text = comment.text();
            let whole = tokens.next(&text).filter(|(range, _)| *range == (0..text.len()));
            if let Some((_, n)) = whole {
                comments.borrow_mut().expression(&text, tokens.is_block(n));
            }
            Ok(())
        }))
        .with_strict(false);
    {
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        rewriter.write(html.as_bytes()).map_err(|e| e.to_string())?;
        rewriter.end().map_err(|e| e.to_string())?;
    }
    let text = std::mem::take(&mut writer.borrow_mut().out);
    Ok(format!("{}\n", text.trim()))
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Newlines owed before the next word.
    pending: usize,
    space: bool,
    hidden: usize,
    partial: String,
    links: Vec<(String, usize)>,
    /// The next number of an ordered list; `None` in an unordered one.
    lists: Vec<Option<usize>>,
    /// Whether each open table only lays out.
    tables: Vec<bool>,
}

impl Writer {
    fn block(&mut self, newlines: usize) {
        self.pending = self.pending.max(newlines);
    }

    fn flush(&mut self) {
        if self.pending > 0 && !self.out.is_empty() {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            let there = self.out.bytes().rev().take_while(|b| *b == b'\n').count();
            for _ in there..self.pending {
                self.out.push('\n');
            }
        } else if self.space && !self.out.is_empty() && !self.out.ends_with(['\n', ' ']) {
            self.out.push(' ');
        }
        self.pending = 0;
        self.space = false;
    }

    fn text(&mut self, text: &str) {
        if self.hidden > 0 {
            return;
        }
        // two braces of the author's entities are text, not an expression
        for c in text.replace("\\{{", "{{").replace("{{", "\\{{").chars() {
            if c.is_whitespace() {
                self.space = true;
            } else {
                self.flush();
                self.out.push(c);
            }
        }
    }

    fn expression(&mut self, token: &str, block: bool) {
        if self.hidden > 0 {
            return;
        }
        let own_line = block && (self.pending > 0 || self.out.is_empty() || self.out.ends_with('\n'));
        self.flush();
        self.out.push_str(token);
        if own_line {
            self.out.push('\n');
        }
    }

    fn open(&mut self, name: &str, hidden: bool, href: Option<String>, alt: Option<String>, layout: bool) {
        self.hidden += usize::from(hidden && !matches!(name, "img" | "br" | "hr" | "input" | "meta" | "link"));
        if self.hidden > 0 {
            return;
        }
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" => self.block(2),
            "ul" | "ol" => {
                self.block(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push((name == "ol").then_some(1));
            }
            "li" => {
                self.block(1);
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(n)) => {
                        *n += 1;
                        format!("{indent}{}. ", *n - 1)
                    }
                    _ => format!("{indent}- "),
                };
                self.flush();
                self.out.push_str(&mark);
            }
            "table" => {
                self.block(1);
                self.tables.push(layout);
            }
            "tr" => self.block(if self.tables.last().is_some_and(|layout| *layout) { 2 } else { 1 }),
            "td" | "th" => self.space = true,
            "br" => self.pending = (self.pending + 1).min(2),
            "hr" => {
                self.block(1);
                self.flush();
                self.out.push_str("----");
                self.block(1);
            }
            "div" | "section" | "article" | "header" | "footer" | "center" | "main" => self.block(1),
            "img" if !hidden => self.text(&alt.unwrap_or_default()),
            _ => {}
        }
        if let Some(href) = href {
            self.flush_for_link();
            self.links.push((href, self.out.len()));
        }
    }

    /// A space or newline before a link's text is not the link's.
    fn flush_for_link(&mut self) {
        if self.pending > 0 || self.space {
            self.flush();
        }
    }

    fn close(&mut self, name: &str, hidden: bool, tokens: &Tokens) {
        if self.hidden > 0 {
            self.hidden -= usize::from(hidden);
            return;
        }
        match name {
            "a" => self.close_link(tokens),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" => self.block(2),
            "ul" | "ol" => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "table" => {
                self.tables.pop();
                self.block(1);
            }
            "li" | "div" | "section" | "article" | "header" | "footer" | "center" | "main" => self.block(1),
            "tr" => self.block(if self.tables.last().is_some_and(|layout| *layout) { 2 } else { 1 }),
            _ => {}
        }
    }

    fn close_link(&mut self, tokens: &Tokens) {
        let Some((href, start)) = self.links.pop() else { return };
        let shown = self.out[start.min(self.out.len())..].trim();
        let lower = href.to_ascii_lowercase();
        if href.trim().is_empty() || lower.starts_with('#') {
            return;
        }
        if let Some(address) =
            ["mailto:", "tel:", "sms:"].iter().find_map(|s| lower.starts_with(s).then(|| &href[s.len()..]))
        {
            let address = address.split('?').next().unwrap_or_default();
            if !address.is_empty() && !shown.contains(address) {
                self.out.push_str(&format!(" ({address})"));
            }
            return;
        }
        let bare = match href.split_once("}}") {
            Some((open, rest)) if open.starts_with("{{#track ") => rest.trim_end_matches("{{/track}}"),
            _ => href.as_str(),
        };
        if shown.is_empty() || shown == bare {
            self.out.truncate(start);
            self.out.push_str(&href);
        } else {
            self.out.push_str(&format!(" ({href})"));
        }
        if tokens.next(&href).is_some_and(|(_, n)| tokens.raw(n).contains("survey_url ")) {
            self.block(1);
        }
    }
}

/// After the merge: no more than one blank line on end, no spaces at the ends of lines.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines() {
        let line = line.trim_end();
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 && !(line.is_empty() && out.is_empty()) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

//! Links with numbers: every `href` to the outside goes through `{{#track N}}`, so that the merge can sign it. Also what
//! is put into a finished page: preheader, footer, pixel.

use super::markup::next_url;
use super::protect::{Tokens, is_own_url};
use lol_html::html_content::ContentType;
use lol_html::{HtmlRewriter, Settings, doc_comments, element};
use std::cell::RefCell;

/// The numbered links of a template, and what is wrong with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The address as the template has it, by number; expressions put back.
    pub links: Vec<String>,
    /// Addresses that lead nowhere from a mail.
    pub wrong: Vec<String>,
}

enum Sort {
    Outside,
    Ours,
    Wrong,
}

fn sort(href: &str, tokens: &Tokens) -> Sort {
    let trimmed = href.trim();
    let lower = trimmed.to_ascii_lowercase();
    if ["http://", "https://"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Sort::Outside;
    }
    match tokens.next(trimmed) {
        Some((range, n)) if range.start == 0 => match range.end == trimmed.len() && is_own_url(tokens.raw(n)) {
            true => Sort::Ours,
            false => Sort::Outside,
        },
        _ if trimmed.is_empty()
            || trimmed.starts_with('#')
            || lower.starts_with("mailto:")
            || lower.starts_with("tel:")
            || lower.starts_with("sms:") =>
        {
            Sort::Ours
        }
        _ => Sort::Wrong,
    }
}

/// Numbers the links of protected HTML, those in conditional comments too.
///
/// # Errors
/// When the HTML cannot be read.
pub(crate) fn number(html: &str, tokens: &Tokens, found: &RefCell<Found>) -> Result<String, String> {
    let link = |href: &str| -> Option<String> {
        match sort(href, tokens) {
            Sort::Ours => None,
            Sort::Wrong => {
                found.borrow_mut().wrong.push(href.to_owned());
                None
            }
            Sort::Outside => {
                let href = href.trim();
                let url = html_escape::decode_html_entities(&tokens.restore(href)).into_owned();
                let mut found = found.borrow_mut();
                // what is the same text may be another address each time, as in a loop or a partial
                let known = if tokens.next(href).is_none() { found.links.iter().position(|l| *l == url) } else { None };
                let index = known.unwrap_or_else(|| {
                    found.links.push(url);
                    found.links.len() - 1
                });
                Some(format!("{{{{#track {}}}}}{href}{{{{/track}}}}", index + 1))
            }
        }
    };
    let comment = |text: &str| -> Option<String> {
        let open = text.find('>').filter(|_| text.trim_start().starts_with("[if"))? + 1;
        let close = text.rfind("<![endif]").filter(|close| *close >= open)?;
        let inner = number(&text[open..close], tokens, found).ok()?;
        Some(format!("{}{inner}{}", &text[..open], &text[close..]))
    };
    let settings = Settings::new()
        .append_element_content_handler(element!("*[href]", |el| {
            let tag = el.tag_name();
            if tag != "link"
                && tag != "base"
                && let Some(rewritten) = el.get_attribute("href").and_then(|href| link(&href))
            {
                el.set_attribute("href", &rewritten)?;
            }
            Ok(())
        }))
        .append_document_content_handler(doc_comments!(|c| {
            if let Some(rewritten) = comment(&c.text()) {
                c.set_text(&rewritten)?;
            }
            Ok(())
        }))
        .with_strict(false);
    rewrite(html, settings)
}

fn rewrite(html: &str, settings: Settings<'_, '_>) -> Result<String, String> {
    let mut out = Vec::with_capacity(html.len() + html.len() / 4);
    let mut rewriter = HtmlRewriter::new(settings, |chunk: &[u8]| out.extend_from_slice(chunk));
    rewriter.write(html.as_bytes()).map_err(|e| e.to_string())?;
    rewriter.end().map_err(|e| e.to_string())?;
    String::from_utf8(out).map_err(|e| e.to_string())
}

/// Numbers the links of protected plain text; an address that the HTML has too has the same number.
pub(crate) fn number_text(text: &str, tokens: &Tokens, links: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(range) = next_url(rest, tokens) {
        let written = &rest[range.clone()];
        let url = tokens.restore(written);
        let index = links.iter().position(|link| *link == url).unwrap_or_else(|| {
            links.push(url);
            links.len() - 1
        });
        out.push_str(&rest[..range.start]);
        out.push_str(&format!("{{{{#track {}}}}}{written}{{{{/track}}}}", index + 1));
        rest = &rest[range.end..];
    }
    out + rest
}

/// Puts `first` after `<body>` and `last` before `</body>`.
///
/// # Errors
/// When the HTML cannot be read.
pub(crate) fn surround(html: &str, first: &str, last: &str) -> Result<String, String> {
    let seen = RefCell::new(false);
    let settings = Settings::new()
        .append_element_content_handler(element!("body", |el| {
            el.prepend(first, ContentType::Html);
            el.append(last, ContentType::Html);
            *seen.borrow_mut() = true;
            Ok(())
        }))
        .with_strict(false);
    let out = rewrite(html, settings)?;
    if seen.into_inner() { Ok(out) } else { Ok(format!("{first}{html}{last}")) }
}

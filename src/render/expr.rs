//! Where the Handlebars expressions of a template stand, without reading what is in them: enough to move them out of
//! the way of an HTML parser and back.

use std::ops::Range;

/// What an expression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{{x}}` or `{{{x}}}`.
    Value,
    /// `{{#if x}}`.
    Open,
    /// `{{else}}`, `{{else if x}}`, `{{^}}`.
    Else,
    /// `{{/if}}`.
    Close,
    /// `{{> partials/x}}`.
    Partial,
    /// `{{! … }}`.
    Comment,
    /// `\{{`: two braces that are text.
    Escape,
}

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub range: Range<usize>,
    /// `None` is text.
    pub kind: Option<Kind>,
}

/// A template in stretches, beginning at `from`.
///
/// # Errors
/// Where an expression is wrong, and why.
pub(crate) fn parts(source: &str, from: usize) -> Result<Vec<Part>, (usize, String)> {
    let mut parts = Vec::new();
    let mut text = from;
    let mut at = from;
    while let Some(found) = source[at..].find("{{") {
        let start = at + found;
        let slashes = source[text..start].bytes().rev().take_while(|b| *b == b'\\').count();
        let (range, kind) =
            if slashes == 1 { (start - 1..start + 2, Kind::Escape) } else { expression(source, start)? };
        if text < range.start {
            parts.push(Part { range: text..range.start, kind: None });
        }
        at = range.end;
        text = range.end;
        parts.push(Part { range, kind: Some(kind) });
    }
    if text < source.len() {
        parts.push(Part { range: text..source.len(), kind: None });
    }
    Ok(parts)
}

fn expression(source: &str, start: usize) -> Result<(Range<usize>, Kind), (usize, String)> {
    let rest = &source[start..];
    let until = |mark: &str| match rest.find(mark) {
        Some(at) => Ok((start..start + at + mark.len(), Kind::Comment)),
        None => Err((start, format!("this comment is not closed by `{mark}`"))),
    };
    if rest.starts_with("{{{{") {
        return Err((start, "`{{{{` blocks are not supported: write `\\{{` for two braces as text".into()));
    }
    if rest.starts_with("{{!--") {
        return until("--}}");
    }
    if rest.starts_with("{{!") {
        return until("}}");
    }
    let inner = rest[2..].trim_start_matches('~');
    let triple = inner.starts_with('{');
    let kind = match inner.as_bytes().first() {
        Some(b'#') if inner.starts_with("#*") || inner.starts_with("#>") => {
            return Err((
                start,
                "inline partials and partial blocks are not supported: make a file in partials/".into(),
            ));
        }
        Some(b'*') => return Err((start, "decorators are not supported".into())),
        Some(b'#') => Kind::Open,
        Some(b'/') => Kind::Close,
        Some(b'^') => Kind::Else,
        Some(b'>') => Kind::Partial,
        _ => {
            let word = inner.trim_start();
            let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
            if &word[..end] == "else" { Kind::Else } else { Kind::Value }
        }
    };
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if rest[i..].starts_with("{{") && i > 3 => break,
            None if rest[i..].starts_with("}}") => {
                let end = if triple && rest[i..].starts_with("}}}") { i + 3 } else { i + 2 };
                // {{{~x}~}} closes with `}~}}`
                return Ok((start..start + end, kind));
            }
            None => {}
        }
    }
    Err((start, "this expression is not closed by `}}`".into()))
}

/// What stands between the braces, without sigils and `~`: `if x` of `{{~#if x}}`.
pub(crate) fn inner(raw: &str) -> &str {
    raw.trim_start_matches('{')
        .trim_end_matches('}')
        .trim_matches('~')
        .trim_matches(['{', '}'])
        .trim_start_matches(['#', '/', '>', '&', '^'])
        .trim()
}

/// The words of an expression, quoted strings and parentheses kept whole.
pub(crate) fn words(inner: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut depth, mut quote, mut escaped) = (None, 0_i32, None, false);
    for (i, c) in inner.char_indices() {
        if let Some(q) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == q {
                quote = None;
            }
            continue;
        }
        match c {
            '"' | '\'' => quote = Some(c),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c.is_whitespace() && depth <= 0 {
            if let Some(from) = start.take() {
                words.push(&inner[from..i]);
            }
        } else if start.is_none() {
            start = Some(i);
        }
    }
    if let Some(from) = start {
        words.push(&inner[from..]);
    }
    words
}

/// A quoted word without its quotes.
pub(crate) fn unquoted(word: &str) -> Option<&str> {
    let quote = word.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    word[1..].strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_end_where_handlebars_ends_them() {
        let kinds = |source: &str| {
            parts(source, 0).unwrap().into_iter().map(|p| (source[p.range].to_owned(), p.kind)).collect::<Vec<_>>()
        };
        assert_eq!(
            kinds("a {{default x \"}}\"}} b"),
            [("a ".into(), None), ("{{default x \"}}\"}}".into(), Some(Kind::Value)), (" b".into(), None)]
        );
        assert_eq!(kinds("{{{x}}}"), [("{{{x}}}".into(), Some(Kind::Value))]);
        assert_eq!(kinds("{{{~x~}}}"), [("{{{~x~}}}".into(), Some(Kind::Value))]);
        assert_eq!(kinds("{{~#if x~}}")[0].1, Some(Kind::Open));
        assert_eq!(kinds("{{else if y}}")[0].1, Some(Kind::Else));
        assert_eq!(kinds("{{elsewhere}}")[0].1, Some(Kind::Value));
        assert_eq!(kinds("\\{{x}}")[0], ("\\{{".into(), Some(Kind::Escape)));
        assert_eq!(kinds("{{!-- {{x}} --}}")[0].1, Some(Kind::Comment));
        assert!(parts("a {{x", 0).is_err() && parts("{{x {{y}}", 0).is_err() && parts("{{!-- x", 0).is_err());
    }

    #[test]
    fn words_keep_strings_and_parentheses() {
        assert_eq!(inner("{{~#if (eq a \"b c\")~}}"), "if (eq a \"b c\")");
        assert_eq!(inner("{{{content}}}"), "content");
        assert_eq!(words("partials/x a=\"b c\" d=(eq 1 2)"), ["partials/x", "a=\"b c\"", "d=(eq 1 2)"]);
        assert_eq!(unquoted("\"x\""), Some("x"));
    }
}

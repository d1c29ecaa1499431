//! From a byte of a condition to the byte of the file that it was read from: a TOML string of any of the four sorts,
//! with escapes.

use crate::config::document::Document;
use std::ops::Range;

/// Where the bytes `span` of the text at `path` stand in the file; the whole value when that cannot be told.
pub(super) fn in_file(document: &Document, path: &str, text: &str, span: &Range<usize>) -> Range<usize> {
    let value = document.span(path);
    let Some(raw) = document.source.get(value.clone()) else { return value };
    let Some(map) = decode(raw, text) else { return value };
    let at = |offset: usize| map.get(offset.min(text.len())).map_or(value.end, |raw| value.start + raw);
    at(span.start)..at(span.end).max(at(span.start))
}

/// For each byte of `text`, and its end, the byte of `raw` that it came from; none when `raw` is not `text` written.
fn decode(raw: &str, text: &str) -> Option<Vec<usize>> {
    let delimiter =
        ["\"\"\"", "'''", "\"", "'"].into_iter().find(|d| raw.starts_with(d) && raw.len() >= 2 * d.len())?;
    let escapes = delimiter.starts_with('"');
    let mut at = delimiter.len();
    let end = raw.len() - delimiter.len();
    if delimiter.len() == 3 {
        // a line break right after the opening quotes is not part of the text
        at += ["\r\n", "\n"].into_iter().find(|b| raw[at..].starts_with(b)).map_or(0, str::len);
    }
    let (mut map, mut out) = (Vec::with_capacity(text.len() + 1), String::with_capacity(text.len()));
    while at < end {
        let rest = raw.get(at..end)?;
        let (c, length) = if escapes && rest.starts_with('\\') { escape(rest)? } else { (rest.chars().next(), 0) };
        let length = if length == 0 { c.map_or(1, char::len_utf8) } else { length };
        if let Some(c) = c {
            // readers of TOML may or may not turn CRLF into LF
            let kept = text.as_bytes().get(out.len()) == Some(&b'\r');
            let normalised = c == '\r' && rest.starts_with("\r\n") && !kept;
            if !normalised {
                out.push(c);
                map.resize(out.len(), at);
            }
        }
        at += length;
    }
    map.push(end);
    (out == text).then_some(map)
}

/// An escape: its character (none for a line's end that is taken out), and how many bytes it is long.
fn escape(rest: &str) -> Option<(Option<char>, usize)> {
    let mark = rest[1..].chars().next()?;
    let hex = |digits: usize| {
        let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    match mark {
        'b' => Some((Some('\u{8}'), 2)),
        't' => Some((Some('\t'), 2)),
        'n' => Some((Some('\n'), 2)),
        'f' => Some((Some('\u{c}'), 2)),
        'r' => Some((Some('\r'), 2)),
        'e' => Some((Some('\u{1b}'), 2)),
        '"' | '\\' => Some((Some(mark), 2)),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        ' ' | '\t' | '\r' | '\n' => {
            let kept = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            Some((None, rest.len() - kept.len()))
        }
        _ => None,
    }
}

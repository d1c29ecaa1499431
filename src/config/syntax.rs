//! What keeps a text from being TOML, in a marketer's words. The parser's own messages speak of its grammar ("invalid
//! float, expected `nan`" of a word without quotes); these say what to write.

use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;

/// One place that is not TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The bytes that are meant.
    pub span: Range<usize>,
    /// What was found.
    pub message: String,
    /// What to write.
    pub help: Option<String>,
    /// Whether it spoils its own line only, so that the other lines can be judged.
    pub local: bool,
    /// Whether it is a table's second head.
    twice: bool,
}

/// The tree of a text as far as it can be read, and every mistake, one a line: what follows on the same line mostly
/// comes from the first.
pub(crate) fn parse(source: &str) -> (Spanned<DeTable<'_>>, Vec<Mistake>) {
    let (table, mut errors) = DeTable::parse_recoverable(source);
    errors.sort_by_key(|e| e.span().map_or(0, |span| span.start));
    let mut mistakes: Vec<Mistake> = Vec::new();
    // a list that is never closed swallows the rest of the file, and all that is told of it is nonsense
    let of_list = |e: &toml::de::Error| e.message().contains("array") && !e.message().contains("table");
    let list = errors.iter().any(|e| of_list(e) && e.message().contains("unclosed"));
    for error in &errors {
        let at = error.span().unwrap_or(0..0);
        let found = if list && of_list(error) {
            unclosed_list(source, &at)
        } else {
            mistake(source, at.clone(), error.message())
        };
        let last = mistakes.last();
        // the keys below a table's second head
        let below = last.is_some_and(|m| m.twice && !source[m.span.end..at.start.max(m.span.end)].contains("\n["));
        if below && error.message().starts_with("duplicate key") {
            continue;
        }
        let same = last.is_some_and(|m| line_of(source, m.span.start).contains(&found.span.start));
        let same = same || (list && last.is_some_and(|m| !m.local));
        if !same {
            mistakes.push(found);
        }
    }
    (table, mistakes)
}

/// The bytes of the line that holds `at`, without its break.
pub(crate) fn line_of(source: &str, at: usize) -> Range<usize> {
    let at = floor(source, at);
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = source[at..].find('\n').map_or(source.len(), |i| at + i);
    start..end.max(start + usize::from(end == start && end < source.len()))
}

fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mistake(source: &str, at: Range<usize>, message: &str) -> Mistake {
    let at = place(source, at);
    let line = line_of(source, at.start);
    let before = &source[line.start..at.start];
    let rest = source[at.start..line.end.max(at.start)].trim_end();
    let key = before.split_once('=').map_or(before, |(key, _)| key).trim();
    let opened = before.split_once('=').is_some_and(|(_, value)| value.trim_start().starts_with(['"', '\'']));
    let made = |span: Range<usize>, message: String, help: &str| Mistake {
        span,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
        local: true,
        twice: false,
    };
    match message.split(", expected").next().unwrap_or_default() {
        _ if braces(source, &line).is_some() => {
            let start = braces(source, &line).unwrap_or(at.start);
            unquoted(source, start..start, source[line.start..start].trim_end_matches(['=', ' ', '\t']).trim())
        }
        "string values must be quoted"
        | "invalid float"
        | "invalid boolean"
        | "invalid literal string"
        | "invalid infinity"
        | "invalid nan"
            if !opened =>
        {
            unquoted(source, at, key)
        }
        "invalid basic string" | "invalid literal string" => {
            let quote = if message.contains('"') { '"' } else { '\'' };
            let start = before.find(quote).map_or(at.start, |i| line.start + i);
            let end = line.start + source[line.clone()].trim_end().len();
            let help = format!("write `{quote}` where the text ends");
            made(start..end.max(start), "this text has no closing quote".into(), &help)
        }
        "invalid multi-line basic string" | "invalid multi-line literal string" => {
            let quotes = if message.contains('"') { "\"\"\"" } else { "'''" };
            let start = source[..at.start].rfind(quotes).unwrap_or(at.start);
            let help = format!("write {quotes} where the text ends");
            let message = format!("this text begins with {quotes} and never ends");
            Mistake { local: false, ..made(start..start + 3, message, &help) }
        }
        "key with no value" | "invalid unquoted key" if rest.starts_with(':') || before.trim_end().ends_with(':') => {
            let key = before.trim().trim_end_matches(':').rsplit(['{', ',']).next().unwrap_or_default().trim();
            let colon = line.start + source[line.clone()].find(':').unwrap_or(0);
            let help = format!("write {key} = \"…\"");
            made(colon..colon + 1, format!("`{key}` is followed by `:`, and TOML wants `=`"), &help)
        }
        "key with no value" => {
            let word = source[line.clone()].trim();
            let key = word.split([' ', '"', '\'']).next().unwrap_or(word);
            let start = line.start + source[line.clone()].find(key).unwrap_or(0);
            made(start..start + key.len(), format!("`=` is missing after `{key}`"), &format!("write {key} = \"…\""))
        }
        "invalid unquoted key" | "unquoted keys cannot be empty" => {
            let word = &source[at.clone()];
            if word.is_empty() {
                return made(at, "a key is missing before `=`".into(), "write key = value");
            }
            made(
                at.clone(),
                format!("`{word}` cannot be a key without quotes"),
                "a key has letters a to z, digits, - and _",
            )
        }
        "unclosed table" | "unclosed array table" => {
            let text = source[line.clone()].trim_end();
            let close = if text.trim_start().starts_with("[[") { "]]" } else { "]" };
            let help = format!("write {}{close}", text.trim().trim_end_matches(']'));
            let span = line.start..line.start + text.len();
            Mistake { local: false, ..made(span, format!("`{}` is not closed by {close}", text.trim()), &help) }
        }
        "duplicate key" => twice(source, at),
        "missing comma between array elements" => {
            let message = "a comma is missing between two values of this list";
            Mistake { local: false, ..made(at, message.into(), "write [\"one\", \"two\"]") }
        }
        "missing escaped value" => {
            let start = at.start.saturating_sub(1);
            let end = at.start + source[at.start..].chars().next().map_or(0, char::len_utf8);
            let word = source.get(start..end).unwrap_or("\\");
            let help = "write \\\\ for a backslash, or put the text between single quotes, where it means itself";
            made(start..end, format!("`{word}` means nothing in a text in quotes"), help)
        }
        "unexpected leading zero" => {
            made(at, "a number does not begin with 0".into(), "leave out the 0, or put it in quotes")
        }
        "unexpected key or value" => behind(at, before, rest),
        told if told.starts_with("invalid date")
            || told.starts_with("invalid time")
            || told.starts_with("invalid offset") =>
        {
            let expected = message.split_once("expected ").map_or("", |(_, expected)| expected);
            let message = format!("`{}` is not a date and time: expected {expected}", &source[at.clone()]);
            made(at, message, "write it as 2027-03-03T09:30:00")
        }
        "invalid key-value pair" => {
            let end = at.start + rest.chars().next().map_or(0, char::len_utf8);
            made(
                at.start..end,
                format!("`{}` cannot stand here", &source[at.start..end]),
                "a line is `key = value`, [table], or a note that begins with #",
            )
        }
        _ => {
            let message = message.trim().lines().collect::<Vec<_>>().join(", ");
            Mistake { local: false, ..made(at, format!("this is not TOML: {message}"), "") }
        }
    }
}

/// Where the value of a line begins that is Handlebars without quotes.
fn braces(source: &str, line: &Range<usize>) -> Option<usize> {
    let (before, value) = source[line.clone()].split_once('=')?;
    let blank = value.len() - value.trim_start().len();
    value.trim_start().starts_with("{{").then_some(line.start + before.len() + 1 + blank)
}

/// The parser points behind a line's end where something is missing on it: back to the line.
fn place(source: &str, at: Range<usize>) -> Range<usize> {
    let start = floor(source, at.start);
    let end = floor(source, at.end).max(start);
    if start == end && start > 0 && source[..start].ends_with('\n') && !source[start..].starts_with('=') {
        let back = source[..start].trim_end_matches(['\n', '\r']).len();
        return back..back;
    }
    start..end
}

/// A value that is a word without quotes, or none at all.
fn unquoted(source: &str, at: Range<usize>, key: &str) -> Mistake {
    let line = line_of(source, at.start);
    let rest = &source[at.start..line.end.max(at.start)];
    let value = rest.split(" #").next().unwrap_or_default().trim_end_matches([',', '\r', ' ', '\t']);
    let key = key.rsplit(['{', ',']).next().unwrap_or(key).trim();
    let (message, help) = match value.chars().next() {
        None | Some('}' | ']' | ',' | '#') => {
            let message =
                format!("{} has no value", if key.is_empty() { "this key".into() } else { format!("`{key}`") });
            let help = "write a text in quotes, a number, true or false, or a list in [ ]".to_owned();
            return Mistake { span: at.start..at.start, message, help: Some(help), local: true, twice: false };
        }
        Some('“' | '”' | '„' | '‘' | '’' | '「' | '『' | '«') => {
            let bare = value.trim_matches(['“', '”', '„', '‘', '’', '「', '」', '『', '』', '«', '»']);
            ("these quotes are a typesetter's, and TOML wants straight ones".into(), format!("write \"{bare}\""))
        }
        _ if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") => {
            let lower = value.to_ascii_lowercase();
            (format!("`{value}` is written in lower case"), format!("write {lower}"))
        }
        _ if value.eq_ignore_ascii_case("yes") => (format!("`{value}` is a text without quotes"), "write true".into()),
        _ if value.eq_ignore_ascii_case("no") => (format!("`{value}` is a text without quotes"), "write false".into()),
        _ => {
            let shown: String = value.chars().take(60).collect();
            ("a text stands in quotes".into(), format!("write \"{shown}\""))
        }
    };
    Mistake { span: at.start..at.start + value.len(), message, help: Some(help), local: true, twice: false }
}

/// Something stands behind a value that was complete.
fn behind(at: Range<usize>, before: &str, rest: &str) -> Mistake {
    let end = at.start + rest.len();
    let number = before.trim_end().ends_with(|c: char| c.is_ascii_digit()) && !before.trim_end().ends_with(['"', '\'']);
    let (message, help) = if number && rest.starts_with(',') {
        let digits: String = rest.split(" #").next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        let whole = before.split_once('=').map_or("", |(_, value)| value.trim());
        ("a number is written without commas".to_owned(), format!("write {whole}_{digits}"))
    } else if before.trim_end().ends_with(['"', '\'']) && rest.contains(['"', '\'']) && !rest.contains('=') {
        let help = "write \\\" for a quotation mark inside, or put the text between single quotes";
        ("the text ended at the quotation mark before this".to_owned(), help.to_owned())
    } else {
        ("this stands behind a value that is complete".to_owned(), "one key a line; a note begins with #".to_owned())
    };
    Mistake { span: at.start..end, message, help: Some(help), local: true, twice: false }
}

/// A key or a table that is written twice.
fn twice(source: &str, at: Range<usize>) -> Mistake {
    let word = source[at.clone()].to_owned();
    let line = line_of(source, at.start);
    let header = source[line.clone()].trim_start().starts_with('[');
    let begins = |text: &str| {
        let text = text.trim_start();
        if header {
            return text.starts_with(source[line.clone()].trim());
        }
        text.strip_prefix(word.as_str()).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    };
    let mut first = None;
    for (i, text) in source[..line.start].lines().enumerate() {
        if !header && text.trim_start().starts_with('[') {
            first = None;
        } else if begins(text) {
            first = first.or(Some(i + 1));
        }
    }
    let where_ = first.map_or_else(String::new, |line| format!(", first in line {line}"));
    let (message, help) = if header {
        let message = format!("the table [{word}] is written twice{where_}");
        (message, "put its keys under the first; a list of tables, as [[relay]] is, has double brackets")
    } else {
        (format!("`{word}` is written twice{where_}"), "keep one of them")
    };
    Mistake { span: at, message, help: Some(help.to_owned()), local: true, twice: header }
}

fn unclosed_list(source: &str, at: &Range<usize>) -> Mistake {
    let start = source[..floor(source, at.start)].rfind("= [").map(|i| i + 2);
    let start = start.or_else(|| source[..floor(source, at.start)].rfind("=[").map(|i| i + 1)).unwrap_or(at.start);
    let end = line_of(source, start).end;
    let end = start + source[start..end].trim_end().len();
    let message = "this list is not closed".to_owned();
    Mistake { span: start..end, message, help: Some("write `]` where it ends".to_owned()), local: false, twice: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Vec<String> {
        let (_, mistakes) = parse(source);
        let shown = |m: &Mistake| {
            let line = source[..m.span.start].matches('\n').count() + 1;
            format!("{line} <{}> {} | {}", &source[m.span.clone()], m.message, m.help.clone().unwrap_or_default())
        };
        mistakes.iter().map(shown).collect()
    }

    #[test]
    fn the_words_are_a_marketers() {
        for (source, expected) in [
            (
                "a = \nb = 2\n",
                "1 <> `a` has no value | write a text in quotes, a number, true or false, or a list in [ ]",
            ),
            ("topic = newsletter # x\n", "1 <newsletter> a text stands in quotes | write \"newsletter\""),
            ("title = Spring letter\n", "1 <Spring letter> a text stands in quotes | write \"Spring letter\""),
            ("s = {{honorific}}, 봄\n", "1 <{{honorific}}, 봄> a text stands in quotes | write \"{{honorific}}, 봄\""),
            ("a = yes\n", "1 <yes> `yes` is a text without quotes | write true"),
            ("a = { ko = \"봄\", en: 1 }\n", "1 <:> `en` is followed by `:`, and TOML wants `=` | write en = \"…\""),
            ("t = “봄”\n", "1 <“봄”> these quotes are a typesetter's, and TOML wants straight ones | write \"봄\""),
            ("a = True\n", "1 <True> `True` is written in lower case | write true"),
            ("t = \"news\nb = 1\n", "1 <\"news> this text has no closing quote | write `\"` where the text ends"),
            ("t = 'news\nb = 1\n", "1 <'news> this text has no closing quote | write `'` where the text ends"),
            (
                "t = \"\"\"\nfoo\n",
                "1 <\"\"\"> this text begins with \"\"\" and never ends | write \"\"\" where the text ends",
            ),
            ("x = 1\ntitle: \"x\"\n", "2 <:> `title` is followed by `:`, and TOML wants `=` | write title = \"…\""),
            ("topic \"news\"\n", "1 <topic> `=` is missing after `topic` | write topic = \"…\""),
            (
                "제목 = 1\n",
                "1 <제목> `제목` cannot be a key without quotes | a key has letters a to z, digits, - and _",
            ),
            ("[audience\nx = 1\n", "1 <[audience> `[audience` is not closed by ] | write [audience]"),
            ("[[relay]\nx = 1\n", "1 <[[relay]> `[[relay]` is not closed by ]] | write [[relay]]"),
            ("a = 1\n\na = 2\n", "3 <a> `a` is written twice, first in line 1 | keep one of them"),
            (
                "[a]\nx=1\n[a]\nx=1\n",
                "3 <a> the table [a] is written twice, first in line 1 | put its keys under the first; a list of tables, as [[relay]] is, has double brackets",
            ),
            (
                "e = [\"a\" \"b\"]\n",
                "1 <> a comma is missing between two values of this list | write [\"one\", \"two\"]",
            ),
            (
                "e = [\"a\", \"b\"\nx = 1\ny = 2\n",
                "1 <[\"a\", \"b\"> this list is not closed | write `]` where it ends",
            ),
            ("a = 12,000\n", "1 <,000> a number is written without commas | write 12_000"),
            ("a = 10%\n", "1 <10%> a text stands in quotes | write \"10%\""),
            (
                "a = 2027-13-03T09:30:00\n",
                "1 <2027-13-03T09:30:00> `2027-13-03T09:30:00` is not a date and time: expected month between 01 and 12 | write it as 2027-03-03T09:30:00",
            ),
            (
                "a = \"C:\\qx\"\n",
                "1 <\\q> `\\q` means nothing in a text in quotes | write \\\\ for a backslash, or put the text between single quotes, where it means itself",
            ),
            (
                "t = \"say \"hi\" now\"\n",
                "1 <hi\" now\"> the text ended at the quotation mark before this | write \\\" for a quotation mark inside, or put the text between single quotes",
            ),
            ("}\n", "1 <}> `}` cannot stand here | a line is `key = value`, [table], or a note that begins with #"),
        ] {
            assert_eq!(told(source), [expected], "{source}");
        }
    }

    #[test]
    fn every_line_is_told_of() {
        let told = told("a = x\r\nb = \"y\r\n\r\nc = [1, 2]\r\nd: 3\r\n");
        assert_eq!(told.len(), 3, "{told:#?}");
    }

    #[test]
    fn nothing_hostile_breaks_it() {
        let pieces = [
            "a", "=", "\"", "'", "\"\"\"", "[", "]", "{", "}", ",", "\n", "\r\n", "봄", "1", ":", "\\", "#", ".",
            "\u{feff}", "“",
        ];
        for n in 0..pieces.len().pow(3) {
            let text: String = [n % 20, n / 20 % 20, n / 400].map(|i| pieces[i]).concat();
            for source in [text.clone(), format!("k = {text}\nx = 1\n"), format!("봄 = 1\n{text}")] {
                let (_, mistakes) = parse(&source);
                for mistake in mistakes {
                    assert!(source.get(mistake.span.clone()).is_some(), "{source:?} {mistake:?}");
                }
            }
        }
    }
}

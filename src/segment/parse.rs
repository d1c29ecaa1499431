//! Text to `sqlparser`'s tree: a small dialect, limits against hostile length and depth, and syntax errors that point.

use super::ExprError;
use super::check::MOST_ERRORS;
use super::source::Source;
use sqlparser::ast::{BinaryOperator, Expr as Sql};
use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};
use std::ops::Range;

/// The longest expression, in bytes.
const LONGEST: usize = 20_000;
/// How many words and signs, not counting texts, numbers and commas: each can deepen the tree by one.
const MOST_WORDS: usize = 1_000;
/// Parentheses in parentheses, `NOT` before `NOT`.
const DEEPEST: usize = 32;

/// SQL's grammar with none of the extensions of any vendor.
#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn is_delimited_identifier_start(&self, c: char) -> bool {
        c == '"'
    }
    fn is_identifier_start(&self, c: char) -> bool {
        c.is_alphabetic() || c == '_'
    }
    fn is_identifier_part(&self, c: char) -> bool {
        c.is_alphanumeric() || c == '_'
    }
    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }
}

/// Parses `text`, leaving its tokens in `source`.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Sql, Vec<ExprError>> {
    let text = source.text;
    if text.trim().is_empty() {
        let error = ExprError::new(0..text.len(), "syntax", "the condition is empty");
        return Err(vec![error.help("write what is true of the customers, such as consents('newsletter')")]);
    }
    if text.len() > LONGEST {
        let message = format!("the condition is {} bytes long, and at most {LONGEST} are read", text.len());
        let error = ExprError::new(0..0, "too-long", message);
        return Err(vec![error.help("break it up, and name the parts with in_segment('…')")]);
    }
    if let Some(at) = text.find('\0') {
        return Err(vec![ExprError::new(at..at + 1, "syntax", "a NUL character stands in the condition")]);
    }
    let tokens = Tokenizer::new(&Words, text).tokenize_with_location().map_err(|e| {
        let at = source.offset(e.location);
        let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
        let error = ExprError::new(at..end, "syntax", format!("this cannot be read: {}", plain(&e.message)));
        let quote = text[at..].starts_with('\'');
        vec![if quote {
            error.help("close the text with '; within a text it is written twice: 'O''Brien'")
        } else {
            error
        }]
    })?;
    source.keep(&tokens);
    let foreign = foreign(source);
    if !foreign.is_empty() {
        return Err(foreign);
    }
    let mut parser = Parser::new(&Words).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(|e| vec![syntax(source, e)])?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let place = source.token_at(source.offset(rest.span.start));
        let message = format!("the condition ends before `{}`", source.slice(&place));
        return Err(vec![ExprError::new(place, "syntax", message).help("join conditions with AND or OR")]);
    }
    if too_deep(&tree) {
        return Err(vec![deep(source)]);
    }
    Ok(tree)
}

/// Signs and words of other grammars, and of those parts of SQL that a condition has no use for: told all at once,
/// before the parser stumbles over the first.
fn foreign(source: &Source<'_>) -> Vec<ExprError> {
    let mut errors = Vec::new();
    let (mut words, mut after_dot) = (0, false);
    for (token, place) in source.tokens() {
        let help = match token {
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma => None,
            Token::DoubleEq => Some("write ="),
            Token::Overlap => Some("write AND"),
            Token::StringConcat => Some("write OR between conditions"),
            Token::ExclamationMark => Some("write NOT"),
            Token::Placeholder(_) | Token::AtSign => Some("write the value itself"),
            Token::DoubleColon => Some("leave the cast out: values have the types that they need"),
            Token::SemiColon => Some("leave it out: a condition is no statement"),
            Token::Word(word) if word.quote_style.is_none() && !after_dot => foreign_word(&word.value),
            _ => None,
        };
        if let Some(help) = help {
            let message = format!("`{}` is not known in a condition", source.slice(place));
            errors.push(ExprError::new(place.clone(), "unsupported", message).help(help));
        }
        after_dot = *token == Token::Period;
        words += usize::from(!matches!(token, Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma));
        if words == MOST_WORDS {
            let message = format!("the condition has more than {MOST_WORDS} words and signs");
            let help = "break it up, and name the parts with in_segment('…'); texts and numbers in a list do not count";
            errors.push(ExprError::new(place.clone(), "too-long", message).help(help));
        }
    }
    errors.truncate(MOST_ERRORS);
    errors
}

fn foreign_word(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_uppercase().as_str() {
        "SELECT" | "EXISTS" | "WITH" | "FROM" | "UNION" | "UNNEST" => "other sets are named with in_segment('…')",
        "CASE" => "write the cases with AND and OR",
        "CAST" | "TRY_CAST" | "SAFE_CAST" | "CONVERT" | "TRY_CONVERT" => {
            "leave the cast out: values have the types that they need"
        }
        "INTERVAL" => "write a period as a text: now() - '90d'",
        "DATE" | "TIMESTAMP" | "TIMESTAMPTZ" | "DATETIME" => "write the text alone: '2026-01-31'",
        "ILIKE" => "write LIKE: it takes no notice of the case of A to Z",
        "RLIKE" | "REGEXP" | "SIMILAR" | "GLOB" | "MATCH" => "write LIKE, with % and _",
        "COLLATE" | "AT" | "OVER" | "ANY" | "ALL" | "SOME" | "ARRAY" | "STRUCT" | "DISTINCT" | "UNKNOWN" | "JSON"
        | "LAMBDA" | "EXTRACT" | "SUBSTRING" | "SUBSTR" | "TRIM" | "POSITION" | "CEIL" | "FLOOR" | "OVERLAY"
        | "PRIOR" | "GROUPING" | "CUBE" | "ROLLUP" | "MEMBER" | "DIV" | "XOR" | "CONNECT_BY_ROOT" | "NORMALIZED" => {
            "known are fields, texts, numbers, functions and their comparison"
        }
        _ => return None,
    })
}

/// Whether the tree goes deeper than ours may, a long chain of ANDs or ORs counting once. It keeps its own stack.
fn too_deep(tree: &Sql) -> bool {
    let mut open = vec![(tree, 0, None)];
    while let Some((tree, depth, chain)) = open.pop() {
        if depth > DEEPEST {
            return true;
        }
        let next = depth + 1;
        match tree {
            Sql::BinaryOp { left, op, right } => {
                let joins = matches!(op, BinaryOperator::And | BinaryOperator::Or);
                open.push((left, if joins && chain == Some(op) { depth } else { next }, joins.then_some(op)));
                open.push((right, next, None));
            }
            Sql::Nested(inner)
            | Sql::UnaryOp { expr: inner, .. }
            | Sql::IsNull(inner)
            | Sql::IsNotNull(inner)
            | Sql::IsTrue(inner)
            | Sql::IsNotTrue(inner)
            | Sql::IsFalse(inner)
            | Sql::IsNotFalse(inner) => open.push((inner, next, None)),
            Sql::InList { expr, list, .. } => {
                open.extend(std::iter::once(&**expr).chain(list).map(|part| (part, next, None)));
            }
            Sql::Between { expr, low, high, .. } => open.extend([expr, low, high].map(|part| (&**part, next, None))),
            Sql::Like { expr, pattern, .. } => open.extend([expr, pattern].map(|part| (&**part, next, None))),
            // arguments are literals, or refused unseen; the rest is refused as a whole
            _ => {}
        }
    }
    false
}

fn deep(source: &Source<'_>) -> ExprError {
    ExprError::new(0..source.text.len(), "too-deep", "the condition is nested too deeply")
        .help("take out parentheses, or name parts with in_segment('…')")
}

fn syntax(source: &Source<'_>, error: ParserError) -> ExprError {
    let whole = 0..source.text.len();
    match error {
        ParserError::RecursionLimitExceeded => deep(source),
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            let (message, place) = located(source, &message);
            ExprError::new(place.unwrap_or(whole), "syntax", format!("this is no condition: {}", plain(message)))
        }
    }
}

/// Takes the place from the end of a parser's message.
fn located<'m>(source: &Source<'_>, message: &'m str) -> (&'m str, Option<Range<usize>>) {
    let end = source.token_at(source.text.len());
    let Some((before, place)) = message.rsplit_once(" at Line: ") else { return (message, Some(end)) };
    let place = place.split_once(", Column: ").and_then(|(line, column)| {
        let location = sqlparser::tokenizer::Location { line: line.parse().ok()?, column: column.parse().ok()? };
        Some(source.token_at(source.offset(location)))
    });
    (before, place)
}

/// A parser's words for marketers.
fn plain(message: &str) -> String {
    let message = message.replace("found: EOF", "found: the end").replace("Expected: ", "expected ");
    let message = message.replace(", found: ", ", found ").replace("an expression", "a value");
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_lowercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

//! An expression's text with its tokens by byte: turns the parser's lines and columns, which count characters, into
//! ranges of bytes, and finds words around a place.

use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};
use std::ops::Range;

/// The text and where its tokens stand.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    /// The byte of each character, and of the end.
    bytes: Vec<usize>,
    /// The first character of each line.
    lines: Vec<usize>,
    /// Without white space and comments.
    tokens: Vec<(Token, Range<usize>)>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Source<'a> {
        let bytes = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let breaks = text.chars().enumerate().filter(|(_, c)| *c == '\n').map(|(n, _)| n + 1);
        Source { text, bytes, lines: std::iter::once(0).chain(breaks).collect(), tokens: Vec::new() }
    }

    pub(super) fn keep(&mut self, tokens: &[TokenWithSpan]) {
        let words = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF));
        let placed = words.filter_map(|t| Some((t.token.clone(), self.range(t.span)?)));
        self.tokens = placed.collect();
    }

    pub(super) fn tokens(&self) -> &[(Token, Range<usize>)] {
        &self.tokens
    }

    /// The tokens that begin at or after a byte.
    fn from(&self, at: usize) -> &[(Token, Range<usize>)] {
        &self.tokens[self.tokens.partition_point(|(_, place)| place.start < at)..]
    }

    /// The byte at a line and column, both from 1.
    pub(super) fn offset(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or(usize::MAX);
        self.bytes.get(start.saturating_add(column)).copied().unwrap_or(self.text.len())
    }

    /// The bytes of a span; none when the parser does not know it.
    pub(super) fn range(&self, span: Span) -> Option<Range<usize>> {
        let known = span.start.line > 0 && span.end.line > 0;
        known.then(|| self.offset(span.start)..self.offset(span.end)).filter(|range| range.start < range.end)
    }

    /// The bytes of the token at or after `at`; the last character's when there is none.
    pub(super) fn token_at(&self, at: usize) -> Range<usize> {
        match self.tokens.get(self.tokens.partition_point(|(_, range)| range.end <= at)) {
            Some((_, range)) => range.clone(),
            None => self.text.trim_end().char_indices().next_back().map_or(0..0, |(at, c)| at..at + c.len_utf8()),
        }
    }

    /// `range` grown until the parentheses that open in it close.
    pub(super) fn balanced(&self, range: Range<usize>) -> Range<usize> {
        let mut open = 0_i32;
        let mut end = range.end;
        for (token, place) in self.from(range.start) {
            if place.start >= range.end && open <= 0 {
                break;
            }
            match token {
                Token::LParen => open += 1,
                Token::RParen => open -= 1,
                _ => {}
            }
            end = end.max(place.end);
        }
        range.start..end
    }

    /// `range` with the next `word` behind it, such as the `NULL` of `x IS NULL`.
    pub(super) fn through(&self, range: Range<usize>, word: &str) -> Range<usize> {
        let found = self.from(range.end).iter().find(|(token, _)| is_word(token, word));
        range.start..found.map_or(range.end, |(_, place)| place.end)
    }

    /// The range of a function's name with its parentheses.
    pub(super) fn call(&self, name: Range<usize>) -> Range<usize> {
        match self.from(name.end).first() {
            Some((Token::LParen, place)) => self.balanced(name.start..place.end),
            _ => name,
        }
    }

    /// `range` from the token before it, such as the minus of `-x`.
    pub(super) fn with_previous(&self, range: Range<usize>) -> Range<usize> {
        let found = self.tokens[..self.tokens.partition_point(|(_, place)| place.end <= range.start)].last();
        found.map_or(range.start, |(_, place)| place.start)..range.end
    }

    /// The text of a range.
    pub(super) fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or(self.text)
    }
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

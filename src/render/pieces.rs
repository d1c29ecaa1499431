//! The text of a part as it leaves the merge: what is the same in every mail is lent by the template, already encoded
//! for the wire, and only the rest is this mail's own.

use super::transfer;
use std::borrow::Cow;
use std::fmt;

/// What is shorter is copied: a piece apart costs more.
const SHORTEST: usize = 96;

/// Text that is the same in every mail, and its two encodings.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub text: String,
    /// As 7bit has it; empty when it cannot.
    pub seven: Vec<u8>,
    /// As quoted-printable has it from a line's beginning on, and how much room its last line has left.
    pub quoted: (Vec<u8>, usize),
    pub lines: Lines,
}

/// What decides whether a text can travel as 7bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// It holds what 7bit cannot: more than ASCII, or a control character.
    pub odd: bool,
    /// Bytes before the first line break, and of the longest line between two.
    pub first: usize,
    pub longest: usize,
    /// Bytes after the last line break; without one, `None`, and all is in `first`.
    pub last: Option<usize>,
}

impl Fixed {
    /// This text, when it is worth a piece of its own.
    pub(crate) fn new(text: String) -> Result<Fixed, String> {
        // a CR at its end may be half of a line break
        if text.len() < SHORTEST || text.ends_with('\r') {
            return Err(text);
        }
        let lines = Lines::of(&text);
        let mut seven = Vec::new();
        if !lines.odd {
            transfer::seven_bit(text.as_bytes(), &mut seven);
        }
        let mut quoted = Vec::new();
        let room = transfer::quoted_printable(text.as_bytes(), transfer::ROOM, &mut quoted);
        Ok(Fixed { text, seven, quoted: (quoted, room), lines })
    }
}

impl Lines {
    pub(crate) fn of(text: &str) -> Lines {
        let odd = |b: &u8| !matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t');
        let mut lines = Lines { odd: text.as_bytes().iter().any(odd), ..Lines::default() };
        let mut rest = text.as_bytes();
        while let Some(at) = memchr::memchr(b'\n', rest) {
            match lines.last {
                None => lines.first = at,
                Some(_) => lines.longest = lines.longest.max(at),
            }
            lines.last = Some(0);
            rest = &rest[at + 1..];
        }
        match lines.last {
            None => lines.first = rest.len(),
            Some(_) => lines.last = Some(rest.len()),
        }
        lines
    }
}

/// A part's text, in pieces.
#[derive(Clone, Debug, Default)]
pub struct Text<'t> {
    own: Cow<'t, str>,
    /// Each stands after so many bytes of `own`.
    fixed: Vec<(usize, &'t Fixed)>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// This mail's own.
    Own(&'a str),
    /// The template's.
    Fixed(&'a Fixed),
}

impl<'t> Text<'t> {
    /// The pieces in their order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut from = 0;
        let before = self.fixed.iter().flat_map(move |(at, fixed)| {
            let own = &self.own[from..*at];
            from = *at;
            [Piece::Own(own), Piece::Fixed(fixed)]
        });
        let after = self.fixed.last().map_or(0, |(at, _)| *at);
        before.chain(std::iter::once(Piece::Own(&self.own[after..])))
    }

    /// Puts a piece of the template after `own`, which grows.
    pub(crate) fn lend(own: &mut String, pieces: &mut Vec<(usize, &'t Fixed)>, fixed: &'t Fixed) {
        if own.ends_with('\r') && fixed.text.starts_with('\n') {
            own.push_str(&fixed.text);
        } else {
            pieces.push((own.len(), fixed));
        }
    }

    pub(crate) fn of(own: String, fixed: Vec<(usize, &'t Fixed)>) -> Text<'t> {
        Text { own: own.into(), fixed }
    }
}

impl<'t> From<&'t str> for Text<'t> {
    fn from(text: &'t str) -> Text<'t> {
        Text { own: text.into(), fixed: Vec::new() }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text { own: text.into(), fixed: Vec::new() }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| match piece {
            Piece::Own(text) => f.write_str(text),
            Piece::Fixed(fixed) => f.write_str(&fixed.text),
        })
    }
}

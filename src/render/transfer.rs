//! The transfer encoding of a part: 7bit when it is, else quoted-printable; every line break as CRLF. Called by
//! [`mime`](super::mime) for both parts of every mail, so it copies runs of bytes and not characters.

use super::pieces::{Lines, Piece, Text};

/// How a part travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    SevenBit,
    QuotedPrintable,
}

/// No line of 7bit is longer: SMTP takes 998.
const LONGEST: usize = 900;
/// A line of quoted-printable has at most 76, the `=` of a soft break among them.
pub(super) const ROOM: usize = 75;

/// Bytes that quoted-printable leaves as they are; a blank only where its line goes on.
const ITSELF: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = b' ';
    while b <= b'~' {
        table[b as usize] = b != b'=';
        b += 1;
    }
    table[b'\t' as usize] = true;
    table
};

impl Encoding {
    /// What a text needs. Base64 would be shorter for most scripts, and filters count it against a mail, since who hides
    /// words writes text that way.
    pub(crate) fn of(text: &Text<'_>) -> Encoding {
        let mut line = 0;
        for piece in text.pieces() {
            let lines = match piece {
                Piece::Own(text) => Lines::of(text),
                Piece::Fixed(fixed) => fixed.lines,
            };
            line += lines.first;
            if lines.odd || line.max(lines.longest) > LONGEST {
                return Encoding::QuotedPrintable;
            }
            if let Some(last) = lines.last {
                line = last;
            }
        }
        if line > LONGEST { Encoding::QuotedPrintable } else { Encoding::SevenBit }
    }

    /// As the header has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::SevenBit => "7bit",
            Encoding::QuotedPrintable => "quoted-printable",
        }
    }

    /// About how many bytes the text becomes: enough, so that the mail is not moved while it grows.
    pub(crate) fn size(self, text: &Text<'_>) -> usize {
        let of = |piece: Piece<'_>| match (piece, self) {
            (Piece::Fixed(fixed), Encoding::SevenBit) => fixed.seven.len(),
            (Piece::Fixed(fixed), Encoding::QuotedPrintable) => fixed.quoted.0.len() + 3,
            (Piece::Own(text), Encoding::SevenBit) => text.len() + text.len() / 16 + 16,
            (Piece::Own(text), Encoding::QuotedPrintable) => {
                let high = text.bytes().filter(|b| *b >= 0x80).count();
                text.len() + text.len() / 16 + 16 + 2 * high + high / 8
            }
        };
        text.pieces().map(of).sum::<usize>() + 64
    }

    /// Writes the text.
    pub(crate) fn write(self, text: &Text<'_>, out: &mut Vec<u8>) {
        let mut room = ROOM;
        for piece in text.pieces() {
            match (piece, self) {
                (Piece::Own(text), Encoding::SevenBit) => seven_bit(text.as_bytes(), out),
                (Piece::Fixed(fixed), Encoding::SevenBit) => out.extend_from_slice(&fixed.seven),
                (Piece::Own(text), Encoding::QuotedPrintable) => {
                    room = quoted_printable(text.as_bytes(), room, out);
                }
                (Piece::Fixed(fixed), Encoding::QuotedPrintable) => {
                    // it was encoded from a line's beginning on
                    if room < ROOM {
                        out.extend_from_slice(b"=\r\n");
                    }
                    let (quoted, left) = &fixed.quoted;
                    out.extend_from_slice(quoted);
                    room = *left;
                }
            }
        }
    }
}

/// The line break at the beginning of `rest`: its length.
fn line_break(rest: &[u8]) -> usize {
    if rest.starts_with(b"\r\n") { 2 } else { 1 }
}

pub(super) fn seven_bit(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n");
        rest = &rest[at + line_break(&rest[at..])..];
    }
    out.extend_from_slice(rest);
}

/// RFC 2045, 6.7: lines of at most 76, no blank at a line's end. The line has `room` left; gives what it has after.
pub(super) fn quoted_printable(text: &[u8], mut room: usize, out: &mut Vec<u8>) -> usize {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    // what follows is not known at the end, and may be a line break
    let ends = |rest: &[u8]| matches!(rest.first(), None | Some(b'\r' | b'\n'));
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let mut run = rest.iter().take(room).take_while(|b| ITSELF[usize::from(**b)]).count();
        if run > 0 && ends(&rest[run..]) && matches!(rest[run - 1], b' ' | b'\t') {
            run -= 1;
        }
        if run > 0 {
            out.extend_from_slice(&rest[..run]);
            rest = &rest[run..];
            room -= run;
        } else if ends(rest) {
            out.extend_from_slice(b"\r\n");
            rest = &rest[line_break(rest)..];
            room = ROOM;
        } else if room < 3 {
            out.extend_from_slice(b"=\r\n");
            room = ROOM;
        } else if first < 0x80 {
            out.extend_from_slice(&[b'=', HEX[usize::from(first >> 4)], HEX[usize::from(first & 15)]]);
            rest = &rest[1..];
            room -= 3;
        } else {
            // a line of another script at once
            let mut line = [b'='; ROOM];
            let high = rest.iter().take(room / 3).take_while(|b| **b >= 0x80);
            let n = high.zip(line.chunks_exact_mut(3)).fold(0, |n, (b, three)| {
                three[1] = HEX[usize::from(b >> 4)];
                three[2] = HEX[usize::from(b & 15)];
                n + 1
            });
            out.extend_from_slice(&line[..3 * n]);
            rest = &rest[n..];
            room -= 3 * n;
        }
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::pieces::Fixed;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        Encoding::QuotedPrintable.write(&text.into(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn with_crlf(text: &str) -> String {
        text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
    }

    /// What a reader's program makes of it.
    fn read(encoded: &str) -> Vec<u8> {
        let joined = encoded.replace("=\r\n", "");
        let mut pieces = joined.split('=');
        let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
        for piece in pieces {
            out.push(u8::from_str_radix(&piece[..2], 16).unwrap());
            out.extend_from_slice(&piece.as_bytes()[2..]);
        }
        out
    }

    #[test]
    fn lines_break_where_they_did_and_where_they_must() {
        assert_eq!(written("a=b \nc\t\r\n\rd "), "a=3Db=20\r\nc=09\r\n\r\nd=20");
        assert_eq!(written("홍"), "=ED=99=8D");
        let x = "x".repeat(75);
        assert_eq!(written(&x), x);
        assert_eq!(written(&format!("{x}\n")), format!("{x}\r\n"));
        assert_eq!(written(&format!("{x}y")), format!("{x}=\r\ny"));
        assert_eq!(written(&format!("{} \n", "x".repeat(74))), format!("{}=\r\n=20\r\n", "x".repeat(74)));
        let mut out = Vec::new();
        Encoding::SevenBit.write(&"a\rb\nc\r\n\n.".into(), &mut out);
        assert_eq!(out, b"a\r\nb\r\nc\r\n\r\n.");
    }

    #[test]
    fn only_short_lines_of_plain_ascii_go_as_they_are() {
        let long = format!("{}\n", "x".repeat(LONGEST + 1));
        let cases = [("a\tb\r\n", true), ("", true), ("홍", false), ("a\0", false), ("\x7f", false), (&long, false)];
        for (text, seven) in cases {
            assert_eq!(Encoding::of(&text.into()) == Encoding::SevenBit, seven, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(text in "[ -~홍é\u{1f600}=\t]{0,90}([\r\n \t]{1,3}[ -~홍=.]{0,160}){0,4}") {
            let encoded = written(&text);
            prop_assert!(encoded.lines().all(|line| line.len() <= 76 && !line.ends_with([' ', '\t'])));
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(read(&encoded), with_crlf(&text).into_bytes());
        }

        #[test]
        fn pieces_of_the_template_are_read_as_if_all_was_this_mails_own(
            pieces in prop::collection::vec(("[ -~홍=\r\n]{0,40}", "[ -~é=.\t\r\n]{90,400}", any::<bool>()), 0..4)
        ) {
            let whole: String = pieces.iter().map(|(own, lent, _)| format!("{own}{lent}")).collect();
            let fixed: Vec<Result<Fixed, String>> = pieces.iter().map(|(_, lent, _)| Fixed::new(lent.clone())).collect();
            let (mut own, mut places) = (String::new(), Vec::new());
            for ((before, lent, borrow), fixed) in pieces.iter().zip(&fixed) {
                own.push_str(before);
                match fixed {
                    Ok(fixed) if *borrow => Text::lend(&mut own, &mut places, fixed),
                    _ => own.push_str(lent),
                }
            }
            let text = Text::of(own, places);
            prop_assert_eq!(text.to_string(), whole.clone());
            prop_assert_eq!(Encoding::of(&text), Encoding::of(&whole.as_str().into()));
            let mut out = Vec::new();
            Encoding::QuotedPrintable.write(&text, &mut out);
            let encoded = String::from_utf8(out).unwrap();
            prop_assert!(encoded.split("\r\n").all(|line| line.len() <= 76 && !line.ends_with([' ', '\t'])));
            prop_assert_eq!(read(&encoded), with_crlf(&whole).into_bytes());
            if Encoding::of(&text) == Encoding::SevenBit {
                let mut out = Vec::new();
                Encoding::SevenBit.write(&text, &mut out);
                prop_assert_eq!(out, with_crlf(&whole).into_bytes());
            }
        }
    }
}

//! The transfer encoding of a part: 7bit when it is, else quoted-printable; every line break as CRLF. Called by
//! [`mime`](super::mime) for both parts of every mail, so it copies runs of bytes and not characters.

/// How a part travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    SevenBit,
    QuotedPrintable,
}

/// No line of 7bit is longer: SMTP takes 998.
const LONGEST: usize = 900;
/// A line of quoted-printable has at most 76, the `=` of a soft break among them.
const ROOM: usize = 75;

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
    pub(crate) fn of(text: &str) -> Encoding {
        let odd = |b: &u8| (*b < 0x20 && !matches!(b, b'\n' | b'\r' | b'\t')) || *b == 0x7f;
        let seven = text.is_ascii()
            && !text.as_bytes().iter().any(odd)
            && text.as_bytes().split(|b| *b == b'\n').all(|line| line.len() <= LONGEST);
        if seven { Encoding::SevenBit } else { Encoding::QuotedPrintable }
    }

    /// As the header has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::SevenBit => "7bit",
            Encoding::QuotedPrintable => "quoted-printable",
        }
    }

    /// About how many bytes the text becomes: enough, so that the mail is not moved while it grows.
    pub(crate) fn size(self, text: &str) -> usize {
        let high = text.bytes().filter(|b| *b >= 0x80).count();
        let plain = text.len() + text.len() / 16 + 64;
        if self == Encoding::SevenBit { plain } else { plain + 2 * high + high / 8 }
    }

    /// Writes the text.
    pub(crate) fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Encoding::SevenBit => seven_bit(text.as_bytes(), out),
            Encoding::QuotedPrintable => quoted_printable(text.as_bytes(), out),
        }
    }
}

/// The line break at the beginning of `rest`: its length.
fn line_break(rest: &[u8]) -> usize {
    if rest.starts_with(b"\r\n") { 2 } else { 1 }
}

fn seven_bit(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n");
        rest = &rest[at + line_break(&rest[at..])..];
    }
    out.extend_from_slice(rest);
}

/// RFC 2045, 6.7: lines of at most 76, no blank at a line's end.
fn quoted_printable(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let ends = |rest: &[u8]| matches!(rest.first(), None | Some(b'\r' | b'\n'));
    let mut rest = text;
    let mut room = ROOM;
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
        } else {
            out.extend_from_slice(&[b'=', HEX[usize::from(first >> 4)], HEX[usize::from(first & 15)]]);
            rest = &rest[1..];
            room -= 3;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        Encoding::QuotedPrintable.write(text, &mut out);
        String::from_utf8(out).unwrap()
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
        Encoding::SevenBit.write("a\rb\nc\r\n\n.", &mut out);
        assert_eq!(out, b"a\r\nb\r\nc\r\n\r\n.");
    }

    #[test]
    fn only_short_lines_of_plain_ascii_go_as_they_are() {
        let long = format!("{}\n", "x".repeat(LONGEST + 1));
        let cases = [("a\tb\r\n", true), ("", true), ("홍", false), ("a\0", false), ("\x7f", false), (&long, false)];
        for (text, seven) in cases {
            assert_eq!(Encoding::of(text) == Encoding::SevenBit, seven, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(text in "[ -~홍é\u{1f600}=\t]{0,90}([\r\n \t]{1,3}[ -~홍=.]{0,160}){0,4}") {
            let encoded = written(&text);
            prop_assert!(encoded.lines().all(|line| line.len() <= 76 && !line.ends_with([' ', '\t'])));
            prop_assert!(encoded.is_ascii());
            let wanted = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            prop_assert_eq!(read(&encoded), wanted.into_bytes());
        }
    }
}

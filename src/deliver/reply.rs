//! A server's reply, taken out of the bytes as they come in: strictly, because a reply that is misread is a mail that is
//! lost or sent twice.

/// The longest line that is read; RFC 5321 allows 512 octets, and servers write more.
const LINE: usize = 2_000;
/// The longest reply, over all its lines.
const WHOLE: usize = 64 * 1024;

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its three digits.
    pub code: u16,
    /// The text of each line.
    pub lines: Vec<String>,
}

/// What bytes are so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a reply.
    Unfinished,
    /// A reply, and how many bytes it took.
    Whole(Reply, usize),
    /// No reply, whatever follows; what it looks like.
    Garbage(String),
}

/// An enhanced status code (RFC 3463), such as 4.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enhanced {
    /// 2, 4 or 5, as the reply's first digit.
    pub class: u16,
    /// What it is about: 1 addresses, 2 mailboxes, 7 policy …
    pub subject: u16,
    /// What exactly.
    pub detail: u16,
}

impl Reply {
    /// Whether it is of the class 2xx.
    pub fn positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Its lines in one, with the enhanced code, without the three digits.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Its enhanced code. Many servers give them without having said so in EHLO; one of another class than the reply is
    /// believed by nobody.
    pub fn enhanced(&self) -> Option<Enhanced> {
        enhanced(self.code, self.lines.first()?)
    }
}

/// The enhanced code at the beginning of a reply's text.
pub fn enhanced(code: u16, text: &str) -> Option<Enhanced> {
    let word = text.split_ascii_whitespace().next()?;
    let mut numbers = word.split('.').map(|part| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    });
    let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
    (numbers.next().is_none() && class == code / 100).then_some(Enhanced { class, subject, detail })
}

/// Takes a reply from the beginning of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut at = 0;
    let mut code = None;
    let mut lines = Vec::new();
    loop {
        let rest = &bytes[at..];
        let Some(end) = rest.iter().position(|b| *b == b'\n') else {
            if rest.len() > LINE || bytes.len() > WHOLE || !may_begin(rest) {
                return Parsed::Garbage(shown(rest));
            }
            return Parsed::Unfinished;
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        let Some((digits, last, text)) = split(line) else { return Parsed::Garbage(shown(line)) };
        if line.len() > LINE || at + end > WHOLE || *code.get_or_insert(digits) != digits {
            return Parsed::Garbage(shown(line));
        }
        lines.push(String::from_utf8_lossy(text).into_owned());
        at += end + 1;
        if last {
            return Parsed::Whole(Reply { code: digits, lines }, at);
        }
    }
}

/// The code, whether it is the last line, and the text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    if line.len() < 3 || !may_begin(line) {
        return None;
    }
    let code = line[..3].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match line.get(3) {
        None => Some((code, true, &[])),
        Some(b' ') => Some((code, true, &line[4..])),
        Some(b'-') => Some((code, false, &line[4..])),
        Some(_) => None,
    }
}

/// Whether these first bytes of a line may be those of a reply: a server that speaks something else is known at once,
/// and not when the time is over.
fn may_begin(line: &[u8]) -> bool {
    line.iter().take(3).enumerate().all(|(i, b)| if i == 0 { (b'2'..=b'5').contains(b) } else { b.is_ascii_digit() })
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(60)]);
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Reply {
        match parse(text.as_bytes()) {
            Parsed::Whole(reply, taken) if taken == text.len() => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn replies_of_one_line_and_of_many() {
        assert_eq!(whole("250 2.0.0 Ok: queued\r\n").text(), "2.0.0 Ok: queued");
        let hello = whole("250-mail.example\r\n250-SIZE 100\r\n250 HELP\r\n");
        assert_eq!(hello.lines, ["mail.example", "SIZE 100", "HELP"]);
        assert_eq!(whole("250\n").lines, [""]);
        assert_eq!(whole("550 없는 주소 🌱\r\n").text(), "없는 주소 🌱");
    }

    #[test]
    fn one_reply_is_taken_and_no_byte_of_the_next() {
        let Parsed::Whole(reply, taken) = parse(b"250 a\r\n550 b\r\n") else { panic!() };
        assert_eq!((reply.code, taken), (250, 7));
    }

    #[test]
    fn what_is_cut_is_unfinished_and_what_is_no_reply_is_known_at_once() {
        for cut in ["", "2", "250", "250-a\r\n", "250-a\r\n25", "250 a\r"] {
            assert_eq!(parse(cut.as_bytes()), Parsed::Unfinished, "{cut:?}");
        }
        let endless = "250-a\r\n".repeat(20_000);
        for wrong in
            ["H", "HTTP/1.1 400\r\n", "25x", "\x16\x03", "250_a\r\n", "250-a\r\n550 b\r\n", "150 a\r\n", &endless]
        {
            assert!(matches!(parse(wrong.as_bytes()), Parsed::Garbage(_)), "{:?}", &wrong[..wrong.len().min(20)]);
        }
    }

    #[test]
    fn an_enhanced_code_is_of_the_replys_class() {
        assert_eq!(enhanced(451, "4.7.1 slow"), Some(Enhanced { class: 4, subject: 7, detail: 1 }));
        for none in ["5.7.1 slow", "4.7", "4.7.1.1 x", "4.7.1x", "4.7777.1", "Slow down", ""] {
            assert_eq!(enhanced(451, none), None, "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it_and_what_it_takes_is_there(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            if let Parsed::Whole(_, taken) = parse(&bytes) {
                proptest::prop_assert!(taken <= bytes.len());
            }
        }
    }
}

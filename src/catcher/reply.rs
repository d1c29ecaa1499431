//! What an SMTP server answers: a code, an enhanced status code (RFC 3463) and a text.

/// One reply of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    status: &'static str,
    text: String,
}

impl Reply {
    /// A reply such as `Reply::new(550, "5.1.1", "nobody of that name here")`. An empty status leaves it out, as in the
    /// greeting and after HELO.
    pub fn new(code: u16, status: &'static str, text: impl Into<String>) -> Reply {
        Reply { code, status, text: text.into() }
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code, `5.1.1`, or empty.
    pub fn status(&self) -> &str {
        self.status
    }

    /// What it says to a person.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a 2xx.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// As it goes over the wire. Whatever a receiver put into the text, it stays one line.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let text: String = self.text.chars().filter(|c| !c.is_control()).take(400).collect();
        let space = if self.status.is_empty() { "" } else { " " };
        out.extend_from_slice(format!("{} {}{space}{text}\r\n", self.code, self.status).as_bytes());
    }
}

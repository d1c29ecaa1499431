//! A mail's bytes, made ready for the wire once, when the mail is made, and not again for each try.

/// Headers and body as they go out after DATA, the final dot among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    stuffed: Vec<u8>,
    /// Bytes of the mail, as SIZE has it.
    pub size: usize,
    /// Whether all of it is ASCII.
    pub ascii: bool,
}

impl Content {
    /// Of a mail with CRLF as its line breaks.
    pub fn new(bytes: Vec<u8>) -> Content {
        let (size, ascii) = (bytes.len(), bytes.is_ascii());
        let dotted = bytes.starts_with(b".") || memchr::memmem::find(&bytes, b"\n.").is_some();
        let mut stuffed = if dotted { stuff(&bytes) } else { bytes };
        if !stuffed.is_empty() && !stuffed.ends_with(b"\r\n") {
            stuffed.extend_from_slice(b"\r\n");
        }
        stuffed.extend_from_slice(b".\r\n");
        Content { stuffed, size, ascii }
    }

    /// What goes on the wire: a dot doubled where it begins a line, and the final dot.
    pub fn stuffed(&self) -> &[u8] {
        &self.stuffed
    }
}

/// A dot doubled where it begins a line.
fn stuff(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 5);
    let mut rest = bytes;
    if rest.starts_with(b".") {
        out.push(b'.');
    }
    while let Some(at) = memchr::memmem::find(rest, b"\n.") {
        let (line, after) = rest.split_at(at + 1);
        out.extend_from_slice(line);
        out.push(b'.');
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_at_a_lines_beginning_does_not_end_the_mail() {
        let stuffed = |bytes: &[u8]| Content::new(bytes.to_vec()).stuffed;
        assert_eq!(stuffed(b".a\r\nb.\r\n.\r\n..c"), b"..a\r\nb.\r\n..\r\n...c\r\n.\r\n");
        assert_eq!(stuffed(b""), b".\r\n");
        assert_eq!(stuffed(b"a\n.b\r\n"), b"a\n..b\r\n.\r\n");
        assert_eq!(stuffed(b"a.\r\n"), b"a.\r\n.\r\n");
        assert_eq!(Content::new("홍\r\n".into()), Content { stuffed: "홍\r\n.\r\n".into(), size: 5, ascii: false });
    }
}

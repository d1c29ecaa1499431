//! The relaxed canonical form of headers and body (RFC 6376, sections 3.4.2 and 3.4.4): what a relay may do to white space
//! changes nothing of it.

use aws_lc_rs::digest::{Context, SHA256};

/// Appends a header field, `Name: value` with its folds, as `name:value`, without a line break at the end.
pub(super) fn header(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.trim_end().bytes().map(|b| b.to_ascii_lowercase()));
    out.push(b':');
    let start = out.len();
    let mut space = false;
    for &b in value {
        match b {
            b' ' | b'\t' => space = true,
            // unfolding takes the line break and leaves the white space that follows it
            b'\r' | b'\n' => {}
            b => {
                if space && out.len() > start {
                    out.push(b' ');
                }
                space = false;
                out.push(b);
            }
        }
    }
}

/// SHA-256 of the body's relaxed form, taken in one walk over its bytes.
pub(super) fn body_hash(body: &[u8]) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    walk(body, &mut |part| hash.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// Gives the relaxed form of a body in parts: hashing wants few and large ones.
fn walk(body: &[u8], out: &mut dyn FnMut(&[u8])) {
    const PART: usize = 8 * 1024;
    let mut buffer: Vec<u8> = Vec::with_capacity(PART + 1024);
    // empty lines count only when another line follows
    let mut empty = 0_usize;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = line.iter().rposition(|b| !blank(*b)).map_or(0, |at| at + 1);
        if end == 0 {
            empty += 1;
            continue;
        }
        for _ in 0..empty {
            buffer.extend_from_slice(b"\r\n");
        }
        empty = 0;
        relaxed(&line[..end], &mut buffer);
        buffer.extend_from_slice(b"\r\n");
        if buffer.len() >= PART {
            out(&buffer);
            buffer.clear();
        }
    }
    out(&buffer);
}

/// A line whose runs of white space are one space.
fn relaxed(mut line: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = line.iter().position(|b| blank(*b)) {
        out.extend_from_slice(&line[..at]);
        out.push(b' ');
        line = &line[at..];
        line = &line[line.iter().position(|b| !blank(*b)).unwrap_or(line.len())..];
    }
    out.extend_from_slice(line);
}

fn blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn body(text: &str) -> String {
        let mut out = Vec::new();
        walk(text.as_bytes(), &mut |part| out.extend_from_slice(part));
        String::from_utf8(out).unwrap()
    }

    fn head(name: &str, value: &str) -> String {
        let mut out = Vec::new();
        header(name, value.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_6376_section_3_4_5() {
        assert_eq!(head("A", " X"), "a:X");
        assert_eq!(head("B ", " Y\t\r\n\tZ  "), "b:Y Z");
        assert_eq!(body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
    }

    #[test]
    fn the_hash_of_an_empty_body_is_that_of_nothing() {
        // RFC 6376, section 3.4.4
        for empty in ["", "\r\n", "\r\n\r\n", " \t\r\n"] {
            assert_eq!(
                STANDARD.encode(body_hash(empty.as_bytes())),
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "{empty:?}"
            );
        }
    }

    #[test]
    fn the_hash_of_the_example_of_rfc_8463() {
        let text = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
        assert_eq!(STANDARD.encode(body_hash(text.as_bytes())), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    }

    #[test]
    fn bodies_of_any_shape() {
        assert_eq!(body("no line break"), "no line break\r\n");
        assert_eq!(body("a\r\n\r\n\r\nb"), "a\r\n\r\n\r\nb\r\n");
        assert_eq!(body("  a"), " a\r\n");
        assert_eq!(head("Subject", ""), "subject:");
        assert_eq!(head("Subject", "\r\n  "), "subject:");
        let long = "홍 길동\t\tمرحبا 🙂\r\n".repeat(2_000);
        assert_eq!(body(&long), "홍 길동 مرحبا 🙂\r\n".repeat(2_000));
    }
}

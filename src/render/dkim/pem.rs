//! As much of PEM as DKIM's keys need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The label and the bytes of the first PEM block.
pub(super) fn read(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (inside, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let inside: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label, STANDARD.decode(inside).ok()?))
}

/// Bytes as a PEM block.
pub(super) fn write(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(std::str::from_utf8(line).unwrap_or_default());
        out.push('\n');
    }
    out + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_block_comes_back() {
        let bytes: Vec<u8> = (0..200).collect();
        let text = format!("a comment\r\n{}\n", write("PRIVATE KEY", &bytes).replace('\n', "\r\n"));
        assert_eq!(read(&text), Some(("PRIVATE KEY", bytes)));
        for wrong in
            ["", "-----BEGIN X-----", "-----BEGIN X-----\n!!\n-----END X-----", "-----BEGIN X-----\n-----END Y-----"]
        {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}

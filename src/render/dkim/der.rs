//! As much of PEM and DER as DKIM's keys need: taking the bytes out of a PEM file, and writing the few structures around a
//! key that ring does not write.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The label and the bytes of the first PEM block.
pub(super) fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (inside, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let inside: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label, STANDARD.decode(inside).ok()?))
}

/// Bytes as a PEM block.
pub(super) fn to_pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(std::str::from_utf8(line).unwrap_or_default());
        out.push('\n');
    }
    out + &format!("-----END {label}-----\n")
}

/// A value with its tag and length.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..0x80 => out.push(length as u8),
        length => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1)..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE of these.
pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x30, &parts.concat())
}

/// INTEGER of a number without a sign, big-endian.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    let mut content = Vec::with_capacity(bytes.len() + 1);
    if bytes.get(start).is_none_or(|first| first & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(&bytes[start..]);
    tagged(0x02, &content)
}

/// OCTET STRING.
pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    tagged(0x04, bytes)
}

/// AlgorithmIdentifier of rsaEncryption (RFC 8017, appendix A.1).
pub(super) fn rsa_encryption() -> Vec<u8> {
    let oid = tagged(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]);
    sequence(&[oid, vec![0x05, 0x00]])
}

/// SubjectPublicKeyInfo around an RSAPublicKey: what stands in `p=` of an RSA key (RFC 6376, section 3.6.1, and how every
/// verifier reads it).
pub(super) fn rsa_public(key: &[u8]) -> Vec<u8> {
    let mut bits = vec![0];
    bits.extend_from_slice(key);
    sequence(&[rsa_encryption(), tagged(0x03, &bits)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_signs_are_written_as_der_wants_them() {
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(octets(&[7; 127])[..2], [4, 127]);
        assert_eq!(octets(&[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(octets(&[7; 300])[..4], [4, 0x82, 1, 44]);
    }

    #[test]
    fn a_pem_block_comes_back() {
        let bytes: Vec<u8> = (0..200).collect();
        let text = format!("a comment\r\n{}\n", to_pem("PRIVATE KEY", &bytes).replace('\n', "\r\n"));
        assert_eq!(pem(&text), Some(("PRIVATE KEY", bytes)));
        for wrong in
            ["", "-----BEGIN X-----", "-----BEGIN X-----\n!!\n-----END X-----", "-----BEGIN X-----\n-----END Y-----"]
        {
            assert_eq!(pem(wrong), None, "{wrong:?}");
        }
    }
}

//! The DNS record of a key (RFC 6376, section 3.6.1): written for whoever publishes it, read for whoever checks it.

use super::Algorithm;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// A text of DNS holds at most so many octets; a longer value is several, which readers put together.
const TEXT: usize = 255;

/// Padding is not insisted on: some publish without it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Where it stands.
pub fn name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// What stands there, in one piece: for the forms of web sites.
pub fn value(algorithm: Algorithm, public: &str) -> String {
    format!("v=DKIM1; k={}; p={public}", algorithm.kind())
}

/// The record as a line of a zone file, its value in quoted texts of at most 255 octets.
pub fn zone(name: &str, value: &str) -> String {
    let texts: Vec<String> = value
        .as_bytes()
        .chunks(TEXT)
        .map(|part| format!("\"{}\"", String::from_utf8_lossy(part).replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    match texts.len() {
        1 => format!("{name}. IN TXT {}", texts[0]),
        _ => format!("{name}. IN TXT ( {} )", texts.join(" ")),
    }
}

/// What a published record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// `k=`; without one, `rsa`.
    pub kind: String,
    /// The bytes of `p=`; empty when the key was revoked; none when they cannot be read.
    pub key: Option<Vec<u8>>,
    /// `t=y`: receivers are told that this is only a test.
    pub testing: bool,
}

/// Reads a record; `None` when it is none of DKIM.
pub fn parse(text: &str) -> Option<Published> {
    let mut found = Published { kind: "rsa".into(), key: None, testing: false };
    let mut has_key = false;
    for (i, tag) in text.split(';').enumerate() {
        let Some((key, value)) = tag.split_once('=') else { continue };
        let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        match key.trim() {
            // where there is a version it comes first, and is this one
            "v" if i > 0 || value != "DKIM1" => return None,
            "k" => found.kind = value.to_ascii_lowercase(),
            "p" => {
                has_key = true;
                found.key = LENIENT.decode(value).ok();
            }
            "t" => found.testing = value.split(':').any(|flag| flag.eq_ignore_ascii_case("y")),
            _ => {}
        }
    }
    has_key.then_some(found)
}

/// Whether a published record is the public half `public` of a key.
pub fn matches(published: &Published, algorithm: Algorithm, public: &str) -> bool {
    published.kind == algorithm.kind() && published.key.is_some() && published.key == LENIENT.decode(public).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_split_for_a_zone_file_and_comes_back_together() {
        let value = value(Algorithm::Rsa, &"A".repeat(392));
        let line = zone("d1._domainkey.haru.example", &value);
        let texts: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert!(texts.len() == 2 && texts.iter().all(|text| text.len() <= 255), "{line}");
        assert_eq!(texts.concat(), value);
        assert!(line.starts_with("d1._domainkey.haru.example. IN TXT ( \"v=DKIM1; k=rsa; p=AAA"), "{line}");
        assert_eq!(zone("n", "short"), "n. IN TXT \"short\"");
    }

    #[test]
    fn what_is_published_is_read_as_receivers_read_it() {
        let same = ["v=DKIM1; k=ed25519; p=AQID", "k=Ed25519;p= AQ ID ;", " v = DKIM1 ; t=s ; k=ed25519 ; p=AQID"];
        for text in same {
            let found = parse(text).unwrap();
            assert!(matches(&found, Algorithm::Ed25519, "AQID") && !found.testing, "{text}");
            assert!(!matches(&found, Algorithm::Rsa, "AQID") && !matches(&found, Algorithm::Ed25519, "AQIE"));
        }
        assert!(parse("v=DKIM1; t=y:s; p=AQID").unwrap().testing);
        assert_eq!(parse("v=DKIM1; p=").unwrap().key, Some(vec![]));
        assert_eq!(parse("v=DKIM1; p=***").unwrap().key, None);
        for other in ["", "v=spf1 -all", "v=DKIM2; p=AQID", "k=rsa", "p"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}

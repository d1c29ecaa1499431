//! The signature of a mail: `DKIM-Signature` headers, one for each key, put before it.

use super::{Key, canon};
use crate::types::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// What is signed. `true`: named once more than it stands there, so that nobody can add another on the way without
/// breaking the signature (RFC 6376, section 8.15). Transfer encodings are left to relays.
const SIGNED: [(&str, bool); 13] = [
    ("From", true),
    ("To", true),
    ("Cc", true),
    ("Subject", true),
    ("Date", true),
    ("Reply-To", true),
    ("Message-ID", true),
    ("MIME-Version", true),
    ("Content-Type", true),
    ("List-Unsubscribe", true),
    ("List-Unsubscribe-Post", true),
    ("List-ID", false),
    ("Feedback-ID", false),
];

/// Signs the mail of one sender, with each of their keys.
#[derive(Debug)]
pub struct Signer {
    domain: String,
    keys: Vec<(String, Key)>,
}

impl Signer {
    /// For the sender's domain (A-labels), with keys by their selectors.
    pub fn new(domain: &str, keys: Vec<(String, Key)>) -> Signer {
        Signer { domain: domain.to_owned(), keys }
    }

    /// The keys with their selectors.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.keys.iter().map(|(selector, key)| (selector.as_str(), key))
    }

    /// Puts the signatures before `mail`, which is complete: CRLF, no line too long.
    ///
    /// # Errors
    /// When a key refuses, or the mail has no end of its headers.
    pub fn sign(&self, mail: &mut Vec<u8>, now: Timestamp) -> Result<(), String> {
        let end = mail.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the mail has no end of its headers")?;
        let fields = fields(&mail[..end + 2]);
        let hash = STANDARD.encode(canon::body_hash(&mail[end + 4..]));
        let mut names: Vec<&str> = Vec::with_capacity(24);
        let mut canonical = Vec::with_capacity(2 * end);
        for (name, more) in SIGNED {
            // of several, the last one first
            for (_, value) in fields.iter().rev().filter(|(field, _)| field.eq_ignore_ascii_case(name)) {
                names.push(name);
                canon::header(name, value, &mut canonical);
                canonical.extend_from_slice(b"\r\n");
            }
            if more {
                names.push(name);
            }
        }
        let mut signatures = String::with_capacity(1024 * self.keys.len());
        for (selector, key) in &self.keys {
            let mut header = self.header(selector, key, &names, &hash, now);
            let own = canonical.len();
            let value = header.split_once(':').map_or("", |(_, value)| value);
            canon::header("DKIM-Signature", value.as_bytes(), &mut canonical);
            let signature = STANDARD.encode(key.sign(&canonical)?);
            canonical.truncate(own);
            let mut room = 72;
            for c in signature.chars() {
                if room == 0 {
                    header.push_str("\r\n ");
                    room = 72;
                }
                header.push(c);
                room -= 1;
            }
            signatures += &header;
            signatures += "\r\n";
        }
        mail.splice(0..0, signatures.into_bytes());
        Ok(())
    }

    /// The header up to and with `b=`.
    fn header(&self, selector: &str, key: &Key, names: &[&str], hash: &str, now: Timestamp) -> String {
        let mut header = String::with_capacity(1024);
        let _ = write!(header, "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;", key.algorithm().name());
        let _ = write!(header, "\r\n d={};\r\n s={selector}; t={};\r\n h=", self.domain, now.as_second());
        let mut column = 3;
        for (i, name) in names.iter().enumerate() {
            let colon = usize::from(i > 0);
            if column + colon + name.len() > 76 {
                // white space may stand beside a colon
                header.push_str(":\r\n ");
                column = 1;
            } else if i > 0 {
                header.push(':');
                column += 1;
            }
            header.push_str(name);
            column += name.len();
        }
        let _ = write!(header, ";\r\n bh={hash};\r\n b=");
        header
    }
}

/// The header fields in their order: name, and value with its folds.
fn fields(head: &[u8]) -> Vec<(&str, &[u8])> {
    let mut found = Vec::with_capacity(16);
    let mut start = 0;
    while start < head.len() {
        let mut end = start;
        // a field ends with the line that the next does not go on from
        loop {
            end += head[end..].iter().position(|b| *b == b'\n').map_or(head.len() - end, |at| at + 1);
            if !matches!(head.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let field = &head[start..end];
        if let Some(colon) = field.iter().position(|b| *b == b':')
            && let Ok(name) = std::str::from_utf8(&field[..colon])
        {
            found.push((name.trim_end(), &field[colon + 1..]));
        }
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, generate};
    use super::*;

    fn signer() -> Signer {
        let key = |algorithm| Key::from_pem(&generate::pem(algorithm).unwrap()).unwrap();
        Signer::new("haru.example", vec![("d1".into(), key(Algorithm::Rsa)), ("e1".into(), key(Algorithm::Ed25519))])
    }

    #[test]
    fn fields_are_taken_with_their_folds() {
        let head = b"A: 1\r\nB :\r\n 2\r\n\t3\r\nC:\r\n";
        let found = fields(head);
        assert_eq!(found, [("A", &b" 1\r\n"[..]), ("B", b"\r\n 2\r\n\t3\r\n"), ("C", b"\r\n")]);
    }

    #[test]
    fn a_signature_stands_before_the_mail_for_each_key() {
        let mut mail = b"From: a@haru.example\r\nTo: b@x.example\r\nSubject: s\r\n\r\nbody\r\n".to_vec();
        let before = mail.clone();
        signer().sign(&mut mail, "2027-03-02T03:00:00Z".parse().unwrap()).unwrap();
        assert!(mail.ends_with(&before));
        let text = String::from_utf8(mail).unwrap();
        assert_eq!(text.matches("DKIM-Signature: v=1; a=").count(), 2);
        assert!(text.contains("a=rsa-sha256;") && text.contains("a=ed25519-sha256;"), "{text}");
        assert!(
            text.contains("\r\n s=d1; t=1803956400;") && text.contains("h=From:From:To:To:Cc:Subject:Subject:Date")
        );
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
    }

    #[test]
    fn a_mail_without_an_end_of_its_headers_is_not_signed() {
        assert!(signer().sign(&mut b"From: a@haru.example\r\n".to_vec(), Timestamp::UNIX_EPOCH).is_err());
    }
}

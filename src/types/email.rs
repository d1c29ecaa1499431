//! E-mail addresses, in one spelling: the local part case-folded, the domain as A-labels.

use super::text::Written;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// A normalised address: `홍길동@예시.한국` is `홍길동@xn--vv4b11d.xn--3e0b707e`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email {
    text: String,
    at: usize,
}

impl Email {
    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }
    /// The domain, as A-labels.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
    /// Whether only a server with SMTPUTF8 can take it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }
    /// For pages that may be forwarded: `h•••@haru.example`.
    pub fn masked(&self) -> String {
        let first = self.local().chars().next().unwrap_or('•');
        format!("{first}•••@{}", self.domain())
    }
}

impl FromStr for Email {
    type Err = String;

    fn from_str(text: &str) -> Result<Email, String> {
        let text = text.trim().trim_start_matches('\u{feff}');
        let shown = || text.chars().take(60).filter(|c| !c.is_control()).collect::<String>();
        let wrong = |why: &str| Err(format!("`{}` is not an e-mail address: {why}", shown()));
        if text.is_empty() {
            return Err("an e-mail address is missing".into());
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return wrong("it has no @");
        };
        // what is ASCII is composed already
        let local =
            if local.is_ascii() { local.to_ascii_lowercase() } else { local.nfc().collect::<String>().to_lowercase() };
        if local.is_empty() || local.len() > 64 {
            return wrong("what stands before the @ has 1 to 64 bytes");
        }
        let allowed = |c: char| {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
        };
        if let Some(c) = local.chars().find(|c| !allowed(*c)) {
            return wrong(&format!("{c:?} cannot stand before the @"));
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return wrong("a dot stands at the beginning, at the end or beside another dot");
        }
        let domain = domain.trim_end_matches('.');
        let Some(domain) = plain_domain(domain).or_else(|| idna::domain_to_ascii_strict(domain).ok()) else {
            return wrong("its domain is not a domain name");
        };
        if domain.len() > 253 || (!domain.contains('.') && domain != "localhost") {
            return wrong("its domain has no dot");
        }
        if domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) {
            return wrong("its domain is an IP address");
        }
        let at = local.len();
        Ok(Email { text: format!("{local}@{domain}"), at })
    }
}

/// A domain of letters and digits, which is most of them, as IDNA would have it; of any other, `None`.
fn plain_domain(domain: &str) -> Option<String> {
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric());
    domain.split('.').all(label).then(|| domain.to_ascii_lowercase())
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Written for Email {
    const FORMAT: &'static str = "email";
    const EXPECTED: &'static str = "an e-mail address such as `hello@haru.example`";
}
crate::written!(Email);

/// A name and an address: `Haru Garden <hello@haru.example>`, or an address alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name that readers see; never holds a control character.
    pub name: Option<String>,
    /// The address.
    pub email: Email,
}

impl FromStr for Mailbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Mailbox, String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err("a line break or another control character cannot stand in a name or address".into());
        }
        let Some((name, rest)) = text.split_once('<') else {
            return Ok(Mailbox { name: None, email: text.parse()? });
        };
        let Some(address) = rest.strip_suffix('>') else {
            return Err(format!("`{text}` lacks the closing `>`; {}", Self::EXPECTED));
        };
        let name = name.trim().trim_matches('"').trim();
        Ok(Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), email: address.parse()? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => write!(f, "{}", self.email),
        }
    }
}

impl Written for Mailbox {
    const FORMAT: &'static str = "mailbox";
    const EXPECTED: &'static str = "a name and address such as `Haru Garden <hello@haru.example>`";
}
crate::written!(Mailbox);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_one_address() {
        let same = ["Hong@Example.COM", " hong@example.com ", "HONG@example.com.", "\u{feff}hong@example.com"];
        for text in same {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), "hong@example.com");
        }
        let korean: Email = "홍길동@예시.한국".parse().unwrap();
        assert_eq!(korean.domain(), "xn--vv4b11d.xn--3e0b707e");
        assert!(korean.needs_smtputf8());
        // decomposed Hangul is the same local part
        assert_eq!("홍@예시.한국".parse::<Email>(), "\u{1112}\u{1169}\u{11bc}@예시.한국".parse::<Email>());
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for text in [
            "",
            "hong",
            "@x.com",
            "a@b",
            "a b@x.com",
            "a@@x.com",
            "a\r\nBcc: b@x.com",
            "a@x.com\r\nX: y",
            ".a@x.com",
            "a..b@x.com",
            "a@127.0.0.1",
            "a@[::1]",
            "<a@x.com>",
            "a@x..com",
            "a,b@x.com",
            "a@-x.com",
            "\"a\"@x.com",
        ] {
            let wrong = text.parse::<Email>();
            assert!(wrong.is_err(), "{text:?} gave {wrong:?}");
            assert!(!wrong.unwrap_err().contains('\n'));
        }
    }

    #[test]
    fn a_mailbox_has_a_name_without_line_breaks() {
        let mailbox: Mailbox = "하루 정원 <hello@haru.example>".parse().unwrap();
        assert_eq!(mailbox.name.as_deref(), Some("하루 정원"));
        assert!("x\nBcc: <a@b.example>".parse::<Mailbox>().is_err());
    }
}

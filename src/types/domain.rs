//! Domain names as files write them, in one spelling: A-labels, lower case, no dot at the end.

use super::text::Written;
use std::fmt;
use std::str::FromStr;

/// A domain of at least two labels: `정원.한국` is `xn--9u4b21n.xn--3e0b707e`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// As A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = String;

    fn from_str(text: &str) -> Result<Domain, String> {
        let shown: String = text.chars().take(60).filter(|c| !c.is_control()).collect();
        let wrong = || format!("`{shown}` is not a domain; expected {}", Self::EXPECTED);
        let domain = idna::domain_to_ascii_strict(text.trim().trim_end_matches('.')).map_err(|_| wrong())?;
        let digits = domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
        // what stands before the @ takes up to 64 octets of an address of 254
        if !domain.contains('.') || digits || domain.len() > 180 {
            return Err(wrong());
        }
        Ok(Domain(domain))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Written for Domain {
    const FORMAT: &'static str = "domain";
    const EXPECTED: &'static str = "a domain such as `bounces.haru.example`";
}
crate::written!(Domain);

/// What a DKIM key is called in DNS, before `._domainkey.` and the domain (RFC 6376, section 3.1): `d1`, `2027.mail`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector(String);

impl Selector {
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Selector, String> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 100 || !text.split('.').all(label) {
            let shown: String = text.chars().take(60).filter(|c| !c.is_control()).collect();
            return Err(format!("`{shown}` is not a selector; expected {}", Self::EXPECTED));
        }
        Ok(Selector(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Written for Selector {
    const FORMAT: &'static str = "selector";
    const EXPECTED: &'static str = "a selector such as `d1`: letters a to z, digits and -";
}
crate::written!(Selector);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_one_spelling_and_two_labels() {
        assert_eq!("Bounces.Haru.Example.".parse::<Domain>().unwrap().as_str(), "bounces.haru.example");
        assert_eq!("예시.한국".parse::<Domain>().unwrap().as_str(), "xn--vv4b11d.xn--3e0b707e");
        for wrong in
            ["", "localhost", "a b.example", "x@y.example", "127.0.0.1", "a..example", "a.example\r\nb.example"]
        {
            assert!(wrong.parse::<Domain>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn selectors_are_labels() {
        assert_eq!("D1".parse::<Selector>().unwrap().as_str(), "d1");
        assert!("2027.mail-a".parse::<Selector>().is_ok());
        for wrong in ["", "d1;", "d 1", "-d", "d-", "..", "d_1", "디1", "d1\n"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong:?}");
        }
    }
}

//! Languages and time zones, as they are written in files and in customers' rows.

use super::text::Written;
use std::fmt;
use std::str::FromStr;

/// A BCP 47 language tag such as `ko` or `en-US`; kept in the usual case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locale(String);

impl Locale {
    /// The whole tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The language alone: `en` of `en-US`.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl FromStr for Locale {
    type Err = String;
    fn from_str(text: &str) -> Result<Locale, String> {
        let parts: Vec<&str> = text.trim().split(['-', '_']).collect();
        let good = |part: &&str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let language = parts[0];
        if !(2..=3).contains(&language.len())
            || !language.bytes().all(|b| b.is_ascii_alphabetic())
            || !parts.iter().all(good)
        {
            return Err(format!("`{}` is not {}", text.chars().take(40).collect::<String>(), Self::EXPECTED));
        }
        let mut tag = language.to_ascii_lowercase();
        for part in &parts[1..] {
            tag.push('-');
            tag.push_str(&if part.len() == 2 { part.to_ascii_uppercase() } else { (*part).to_owned() });
        }
        Ok(Locale(tag))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Written for Locale {
    const FORMAT: &'static str = "locale";
    const EXPECTED: &'static str = "a language such as `ko` or `en-US`";
}
crate::written!(Locale);

/// An IANA time zone such as `Asia/Seoul`.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone, for calculations.
    pub fn tz(&self) -> &jiff::tz::TimeZone {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(text: &str) -> Result<Zone, String> {
        let text = text.trim();
        // an offset or "local" would not know summer time
        let known = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
        match jiff::tz::TimeZone::get(text) {
            Ok(tz) if known => Ok(Zone(tz)),
            _ => Err(format!("`{}` is not {}", text.chars().take(40).collect::<String>(), Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl Written for Zone {
    const FORMAT: &'static str = "timezone";
    const EXPECTED: &'static str = "an IANA time zone such as `Asia/Seoul`";
}
crate::written!(Zone);

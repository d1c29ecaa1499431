//! How a word in a file becomes a type: by `FromStr`, with an error that says what is expected, and a name under which
//! the JSON Schema and `check` know it.

use std::fmt::Display;
use std::str::FromStr;

/// A type that is written as one string in a file.
pub trait Written: FromStr<Err = String> + Display {
    /// Its name as a `format` in the JSON Schema.
    const FORMAT: &'static str;
    /// What is expected, with an example: ends a sentence "expected …".
    const EXPECTED: &'static str;
}

/// Gives a [`Written`] type serde and schema implementations.
#[macro_export]
macro_rules! written {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": <$type as $crate::types::text::Written>::FORMAT,
                    "description": <$type as $crate::types::text::Written>::EXPECTED,
                })
            }
        }
    };
}

/// What the schema's `format` expects, with an example; none for an unknown format.
pub fn expected(format: &str) -> Option<&'static str> {
    use super::{Currency, Email, Money, Period, domain, email::Mailbox, locale, pace, reward};
    fn of<T: Written>(format: &str) -> Option<&'static str> {
        (T::FORMAT == format).then_some(T::EXPECTED)
    }
    of::<Email>(format)
        .or_else(|| of::<Mailbox>(format))
        .or_else(|| of::<Money>(format))
        .or_else(|| of::<Period>(format))
        .or_else(|| of::<pace::Rate>(format))
        .or_else(|| of::<pace::Cap>(format))
        .or_else(|| of::<pace::Quiet>(format))
        .or_else(|| of::<pace::Reenter>(format))
        .or_else(|| of::<pace::Percent>(format))
        .or_else(|| of::<Currency>(format))
        .or_else(|| of::<reward::Budget>(format))
        .or_else(|| of::<reward::Ceiling>(format))
        .or_else(|| of::<reward::Worth>(format))
        .or_else(|| of::<locale::Locale>(format))
        .or_else(|| of::<locale::Zone>(format))
        .or_else(|| of::<domain::Domain>(format))
        .or_else(|| of::<domain::Selector>(format))
}

/// Whether `text` is well written as the schema's `format`; the error says what is wrong. Unknown formats pass.
///
/// # Errors
/// What is wrong, and what is expected.
pub fn check(format: &str, text: &str) -> Result<(), String> {
    use super::{Email, Money, Period, domain, email::Mailbox, locale, pace, reward};
    fn as_type<T: Written>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(|_| ())
    }
    match format {
        Email::FORMAT => as_type::<Email>(text),
        Mailbox::FORMAT => as_type::<Mailbox>(text),
        Money::FORMAT => as_type::<Money>(text),
        Period::FORMAT => as_type::<Period>(text),
        pace::Rate::FORMAT => as_type::<pace::Rate>(text),
        pace::Cap::FORMAT => as_type::<pace::Cap>(text),
        pace::Quiet::FORMAT => as_type::<pace::Quiet>(text),
        pace::Reenter::FORMAT => as_type::<pace::Reenter>(text),
        pace::Percent::FORMAT => as_type::<pace::Percent>(text),
        super::money::Currency::FORMAT => as_type::<super::money::Currency>(text),
        reward::Budget::FORMAT => as_type::<reward::Budget>(text),
        reward::Ceiling::FORMAT => as_type::<reward::Ceiling>(text),
        reward::Worth::FORMAT => as_type::<reward::Worth>(text),
        locale::Locale::FORMAT => as_type::<locale::Locale>(text),
        locale::Zone::FORMAT => as_type::<locale::Zone>(text),
        domain::Domain::FORMAT => as_type::<domain::Domain>(text),
        domain::Selector::FORMAT => as_type::<domain::Selector>(text),
        _ => Ok(()),
    }
}

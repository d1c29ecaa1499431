//! A text in one language, or in several.

use crate::types::locale::Locale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text, or one for each language: `{ ko = "월간 편지", en = "Monthly letter" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Words {
    /// The same for all.
    One(String),
    /// By language.
    By(BTreeMap<String, String>),
}

impl Words {
    /// All of its texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, by) = match self {
            Words::One(text) => (Some(text), None),
            Words::By(texts) => (None, Some(texts.values())),
        };
        one.into_iter().chain(by.into_iter().flatten()).map(String::as_str)
    }

    /// The text for a reader of `locale`: of the whole tag, else of its language, else of `fallback`, else any.
    pub fn of(&self, locale: &Locale, fallback: &Locale) -> &str {
        match self {
            Words::One(text) => text,
            Words::By(texts) => [locale.as_str(), locale.language(), fallback.as_str(), fallback.language()]
                .iter()
                .find_map(|tag| texts.get(*tag))
                .or_else(|| texts.values().next())
                .map_or("", String::as_str),
        }
    }
}

/// A text, or a date or time as TOML writes it without quotes, as text.
pub(super) fn word_or_time<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Raw {
        Word(String),
        Time(toml::value::Datetime),
    }
    Ok(match Raw::deserialize(d)? {
        Raw::Word(text) => text,
        Raw::Time(time) => time.to_string(),
    })
}

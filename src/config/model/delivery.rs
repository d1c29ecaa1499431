//! `[[relay]]` and `[delivery]` of `dangol.toml`: which servers take our mail, and how it is tried.

use crate::types::Period;
use crate::types::pace::Rate;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// A mail server that takes our mail.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Its name in `status`, and in `DANGOL_RELAY_<NAME>_PASSWORD`.
    pub name: String,
    /// `smtp://user@host:587` (STARTTLS), `smtps://user@host:465` (TLS), or `catch://`: the built-in catcher, which
    /// delivers to nobody.
    pub url: String,
    /// How fast it may be used.
    #[serde(default = "default_rate")]
    pub rate: Rate,
    /// How many mails in a day (UTC).
    pub daily: Option<u64>,
    /// How many connections at once.
    #[serde(default = "default_connections")]
    #[schemars(range(min = 1, max = 200))]
    pub connections: u32,
    /// How many mails over one connection before it is made anew.
    #[serde(default = "default_per_connection")]
    #[schemars(range(min = 1, max = 100_000))]
    pub per_connection: u32,
    /// How long one connection is used before it is made anew.
    #[serde(default = "default_connection_age")]
    pub connection_age: Period,
    /// A file of the workspace with certificates (PEM) of authorities that vouch for this server, beside the public ones.
    pub ca: Option<String>,
    /// How much of the mail it gets, beside the others that could take it: of two relays with the weights 3 and 1, the
    /// first gets three mails of four. Without any weight each takes what it is able to.
    #[schemars(range(min = 1, max = 1000))]
    pub weight: Option<u32>,
    /// Only mail of these goes through it, and they go through no other: `topic:NAME` or `sender:NAME`.
    #[serde(default, rename = "for")]
    pub only: Vec<String>,
    /// A new server or address: how many mails it gets on each of its first days, the most engaged readers first.
    pub warmup: Option<Warmup>,
}

fn default_rate() -> Rate {
    Rate { count: 50, seconds: 1 }
}
fn default_connections() -> u32 {
    8
}
fn default_per_connection() -> u32 {
    100
}
fn default_connection_age() -> Period {
    Period::millis(10 * 60_000)
}

/// How a relay that nobody knows yet makes its name: a little more mail each day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// The first day (UTC), such as 2027-03-01.
    pub start: Day,
    /// How many mails on that day, on the next, and so on; after the last one, `daily` alone holds.
    pub caps: Vec<u64>,
}

/// A day, such as 2027-03-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Day, D::Error> {
        let text = super::words::word_or_time(d)?;
        // a date alone: a time behind it would be forgotten
        let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
        day.map(Day).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a day such as 2027-03-01")))
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "day" })
    }
}

/// How mail is tried.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// How long after it falls due a mail is still worth sending.
    #[serde(default = "default_expires")]
    pub expires: Period,
    /// Limits for all mail to one domain, over all relays.
    #[serde(default)]
    pub domain: Vec<DomainLimit>,
}

fn default_expires() -> Period {
    Period::millis(72 * 3_600_000)
}

impl Default for Delivery {
    fn default() -> Self {
        Delivery { expires: default_expires(), domain: Vec::new() }
    }
}

/// A limit for all mail to one domain.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainLimit {
    /// What stands behind the @, such as `gmail.com`; `예시.한국` as it is written.
    pub name: String,
    /// How fast mail goes there.
    pub rate: Option<Rate>,
    /// How many mails are on their way there at once.
    #[schemars(range(min = 1, max = 1000))]
    pub connections: Option<u32>,
}

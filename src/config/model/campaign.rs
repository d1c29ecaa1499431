//! `campaigns/*.toml`: what, to whom, when.

use super::step::{Step, Trigger};
use crate::types::Period;
use crate::types::pace::{Cap, Percent, Quiet};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// A campaign: what is sent, to whom, when.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its identity; without it, the file's name.
    pub id: Option<String>,
    /// The id that it had before it was renamed.
    pub was: Option<String>,
    /// Its name for people.
    pub title: Option<String>,
    /// The topic of dangol.toml that its readers agreed to.
    pub topic: String,
    /// The sender of dangol.toml that it comes from.
    pub sender: String,
    /// The template, without its ending: `letters/spring` is `templates/letters/spring.mjml`. Of a campaign of one mail;
    /// one of several has `[[step]]` instead.
    pub send: Option<String>,
    /// Who gets it; with a trigger, who of those that it brings.
    #[serde(default)]
    pub audience: Audience,
    /// When it goes out; a trigger stands instead of it.
    #[serde(default)]
    pub schedule: Schedule,
    /// What brings customers in, one at a time, instead of a schedule.
    pub trigger: Option<Trigger>,
    /// What happens to whoever is inside, step by step in this order: wait, ask, grant, send.
    #[serde(default)]
    pub step: Vec<Step>,
    /// Its own limits instead of those in dangol.toml.
    pub limits: Option<OwnLimits>,
    /// The share that gets nothing, so that what the campaign causes can be seen. By default `10%` of marketing with a
    /// trigger, and none of mail that is asked for by topic and sent once.
    pub holdout: Option<Percent>,
    /// What it is to bring about.
    pub goal: Option<Goal>,
    /// How long after it falls due a mail is still worth sending.
    pub expires: Option<Period>,
    /// The relay of dangol.toml that it goes through; without it, any.
    pub relay: Option<String>,
}

impl Campaign {
    /// Its steps, with where each stands in the file: those that are written, or the one that `send` is.
    pub fn steps(&self) -> Vec<(String, Step)> {
        if self.step.is_empty() {
            let one = Step { id: Some("send".into()), send: self.send.clone(), ..Step::default() };
            return vec![(String::new(), one)];
        }
        self.step.iter().enumerate().map(|(i, step)| (format!("step[{i}]."), step.clone())).collect()
    }
}

/// Who gets it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// The segment, by the name of its file.
    pub segment: Option<String>,
    /// Segments that get nothing all the same.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// When it goes out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// `"now"`: when launched; `2027-03-03T09:30:00`: at that time on each reader's own clock; with an offset
    /// (`2027-03-03T09:30:00+09:00`): at that moment.
    #[serde(default)]
    pub at: At,
    /// Found later than this after its time, it stops and asks.
    #[serde(default = "default_stale")]
    pub stale: Period,
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule { at: At::Now, stale: default_stale() }
    }
}

fn default_stale() -> Period {
    Period::millis(6 * 3_600_000)
}

/// A time in a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum At {
    /// When launched.
    #[default]
    Now,
    /// At this moment.
    Moment(jiff::Timestamp),
    /// At this time on each reader's own clock.
    Local(jiff::civil::DateTime),
}

impl At {
    /// Reads a TOML date-time or the word `now`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<At, String> {
        if text == "now" {
            return Ok(At::Now);
        }
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(At::Moment(moment));
        }
        if let Ok(zoned) = text.parse::<jiff::Zoned>() {
            return Ok(At::Moment(zoned.timestamp()));
        }
        // a civil type alone would take a zone and forget it
        match text.parse::<jiff::civil::DateTime>() {
            Ok(local) if text.contains(':') && !text.contains('[') => Ok(At::Local(local)),
            _ => Err(format!(
                "`{text}` is not a time such as 2027-03-03T09:30:00 (each reader's own clock), 2027-03-03T09:30:00+09:00 (that moment), or \"now\""
            )),
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<At, D::Error> {
        let text = super::words::word_or_time(d)?;
        At::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for At {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "At".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "at" })
    }
}

/// A campaign's own limits.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnLimits {
    /// At most so many marketing mails to one person, all campaigns counted.
    pub cap: Option<Cap>,
    /// Hours without this mail, on the reader's own clock.
    pub quiet: Option<Quiet>,
}

/// What it is to bring about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The event that counts, such as `order`.
    pub event: String,
    /// Within this time after the first step falls due.
    pub within: Period,
    /// What is added up: `amount` or `margin`.
    #[serde(default)]
    pub value: GoalValue,
    /// Whether whoever reaches it leaves the campaign: the steps that are left are for the others. It is asked when a step
    /// falls due.
    #[serde(default)]
    pub exit: bool,
}

/// What of an order is added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GoalValue {
    /// What was paid.
    #[default]
    Amount,
    /// What was earned.
    Margin,
}

//! `dangol.toml`: the installation.

use super::{Api, Delivery, Relay, Sender, Words};
use crate::types::locale::{Locale, Zone};
use crate::types::pace::{Cap, Quiet};
use crate::types::{Currency, Period};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The installation: site, law, database, relays, senders, topics, limits, tracking, scoring.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who sends, and where tracking, preferences and unsubscribe live.
    pub site: Site,
    /// Which country's rules hold.
    #[serde(default)]
    pub law: Law,
    /// Where everything is kept.
    #[serde(default)]
    pub database: Database,
    /// The mail servers that take our mail, in order of preference.
    #[serde(default)]
    pub relay: Vec<Relay>,
    /// Who mail comes from, by name.
    #[serde(default)]
    pub sender: BTreeMap<String, Sender>,
    /// What people can agree to receive, by name.
    #[serde(default)]
    pub topic: BTreeMap<String, Topic>,
    /// How much one person gets, and when.
    #[serde(default)]
    pub limits: Limits,
    /// Opens and clicks.
    #[serde(default)]
    pub tracking: Tracking,
    /// How mail is tried.
    #[serde(default)]
    pub delivery: Delivery,
    /// The constants of the relationship score.
    #[serde(default)]
    pub scoring: Scoring,
    /// The web server.
    #[serde(default)]
    pub web: Web,
    /// The API by which the shop's own programs tell of customers, orders, events and consents.
    #[serde(default)]
    pub api: Api,
}

/// Who sends, and where tracking, preferences and unsubscribe live.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The shop's name, as readers know it.
    pub name: String,
    /// The public address under which tracking, preferences and unsubscribe live, such as `https://mail.haru.example`.
    pub url: String,
    /// The postal address for the footer of every marketing mail: the law wants it.
    pub address: Option<String>,
    /// The telephone number for the footer; Korean law wants it.
    pub phone: Option<String>,
    /// The shop's time zone: times without a zone in files and imports are of this one.
    pub timezone: Zone,
    /// The language of readers of whom none is known.
    pub locale: Locale,
    /// The currency of amounts that name none.
    pub currency: Currency,
}

/// Which country's rules hold.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// The set of rules: `kr`, `eu` or `us`.
    #[serde(default)]
    pub profile: Profile,
}

/// A country's set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Korea.
    Kr,
    /// European Union.
    #[default]
    Eu,
    /// United States.
    Us,
}

/// Where everything is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://FILE`, the file taken from the workspace, or `postgres://…` without a password: that comes from
    /// `DANGOL_DATABASE_URL`.
    #[serde(default = "default_database")]
    pub url: String,
}

fn default_database() -> String {
    "sqlite://dangol.db".into()
}

impl Default for Database {
    fn default() -> Self {
        Database { url: default_database() }
    }
}

/// What people can agree to receive.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name on the preference page.
    pub title: Option<Words>,
    /// What permission it needs: `opt-in`, `double-opt-in` or `soft-opt-in`.
    #[serde(default)]
    pub consent: Consent,
    /// `marketing`, or `service`: what a customer has to get, such as a receipt. Service mail needs no consent, and has
    /// no ad label, cap or quiet hours.
    #[serde(default)]
    pub kind: TopicKind,
}

/// What permission a topic needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// They said yes.
    #[default]
    OptIn,
    /// They said yes, and confirmed it by a link in a mail.
    DoubleOptIn,
    /// Own customers, about goods of the same kind.
    SoftOptIn,
}

/// What a topic is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TopicKind {
    /// Advertising in the eyes of the law.
    #[default]
    Marketing,
    /// What a customer has to get.
    Service,
}

/// How much one person gets, and when.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// All marketing mail to one person.
    #[serde(default = "default_cap")]
    pub cap: Cap,
    /// Hours without marketing mail, on the reader's own clock; defers, never skips.
    #[serde(default = "default_quiet")]
    pub quiet: Quiet,
}

fn default_cap() -> Cap {
    Cap::Per { count: 3, period: Period::days(7) }
}
fn default_quiet() -> Quiet {
    Quiet::Off
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cap: default_cap(), quiet: default_quiet() }
    }
}

/// Opens and clicks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// How long a hit waits for what follows before it is believed.
    #[serde(default = "default_settle")]
    pub settle: Period,
    /// Adds `utm_source`, `utm_medium` and `utm_campaign` to links.
    #[serde(default)]
    pub utm: bool,
    /// Whether opens are counted, by a pixel.
    #[serde(default = "yes")]
    pub opens: bool,
    /// Whether clicks are counted, by links that pass through us.
    #[serde(default = "yes")]
    pub clicks: bool,
}

fn default_settle() -> Period {
    Period::millis(15 * 60_000)
}
fn yes() -> bool {
    true
}

impl Default for Tracking {
    fn default() -> Self {
        Tracking { settle: default_settle(), utm: false, opens: true, clicks: true }
    }
}

/// The constants of the relationship score. `dangol score explain` shows them with what they mean.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scoring {
    /// How far ahead buying is looked at.
    pub horizon: Period,
    /// After how long a purchase counts half.
    pub half_life: Period,
    /// Purchases assumed before any is seen.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub r: f64,
    /// Weeks assumed before any is seen.
    #[schemars(range(min = 0.01, max = 1000.0))]
    pub alpha: f64,
    /// After how long an open, click or reply counts half.
    pub engagement_half_life: Period,
    /// After how long an answer counts half.
    pub attitude_half_life: Period,
    /// How much each part moves the score.
    pub weights: Weights,
    /// How much evidence it takes for a part to count half: pseudo-observations.
    pub evidence: Weights,
}

impl Default for Scoring {
    fn default() -> Self {
        Scoring {
            horizon: Period::days(26 * 7),
            half_life: Period::days(26 * 7),
            r: 0.25,
            alpha: 4.4,
            engagement_half_life: Period::days(60),
            attitude_half_life: Period::days(365),
            weights: Weights { buying: 1.0, engagement: 0.5, attitude: 0.5 },
            evidence: Weights { buying: 1.0, engagement: 5.0, attitude: 2.0 },
        }
    }
}

/// A number for each part of the score.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// For what they buy.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub buying: f64,
    /// For opens, clicks and replies.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub engagement: f64,
    /// For what they say.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub attitude: f64,
}

/// The web server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Where it listens.
    #[serde(default = "default_listen")]
    pub listen: String,
    /// How many proxies of ours stand before it: so many last entries of `X-Forwarded-For` are believed.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub proxies: u32,
}

fn default_listen() -> String {
    "127.0.0.1:8080".into()
}

impl Default for Web {
    fn default() -> Self {
        Web { listen: default_listen(), proxies: 0 }
    }
}

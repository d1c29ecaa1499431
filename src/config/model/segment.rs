//! `segments/*.toml`: who.

use schemars::JsonSchema;
use serde::Deserialize;

/// A set of customers, by what is true of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its name for people.
    pub title: Option<String>,
    /// The condition, such as `count('order', '90d') >= 2 AND consents('newsletter')`.
    #[serde(rename = "where")]
    pub condition: String,
}

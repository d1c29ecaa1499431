//! `[api]` of `dangol.toml`: how much the shop's own programs may ask for.

use crate::types::pace::Rate;
use schemars::JsonSchema;
use serde::Deserialize;

/// The API by which the shop's own programs tell of customers, orders, events and consents.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// How many requests each token may make.
    #[serde(default = "default_rate")]
    pub rate: Rate,
    /// The largest body of a request, in bytes.
    #[serde(default = "default_body")]
    #[schemars(range(min = 1_000, max = 50_000_000))]
    pub largest_body: u32,
    /// The most rows of a request: they land together, and nobody else writes meanwhile.
    #[serde(default = "default_batch")]
    #[schemars(range(min = 1, max = 2_000))]
    pub largest_batch: u32,
}

fn default_rate() -> Rate {
    Rate { count: 20, seconds: 1 }
}
fn default_body() -> u32 {
    2_000_000
}
fn default_batch() -> u32 {
    1_000
}

impl Default for Api {
    fn default() -> Self {
        Api { rate: default_rate(), largest_body: default_body(), largest_batch: default_batch() }
    }
}

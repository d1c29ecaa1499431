//! `rewards/*.toml`: what they can earn.

use super::Words;
use crate::types::pace::Percent;
use crate::types::reward::{Budget, Ceiling, Worth};
use crate::types::{Money, Period};
use schemars::JsonSchema;
use serde::Deserialize;

/// A reward: what customers can earn or be given, what it costs, and within which bounds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// Its name for people, also in mails.
    pub title: Option<Words>,
    /// `points`, `coupon` (a code for each), or `perk` (early access, an invitation, a gift).
    pub kind: RewardKind,
    /// Points: the share of what was paid less refunds that an order earns. Pending until the order is confirmed,
    /// reversed by a refund.
    pub earn: Option<Percent>,
    /// Points: what one costs us, such as `1 KRW`.
    pub unit: Option<Money>,
    /// An order that was neither cancelled nor returned for so long counts as confirmed: for shops that never say
    /// `confirmed`.
    pub confirm_after: Option<Period>,
    /// How long after it was granted it can be used; without it, for ever.
    pub expires: Option<Period>,
    /// What all grants may cost, such as `3000000 KRW per month`, on the site's calendar; an amount alone holds for all
    /// time.
    pub budget: Option<Budget>,
    /// What one customer may get in twelve months, such as `30% of margin`: of what their orders of these months brought.
    pub ceiling: Option<Ceiling>,
    /// Points: tiers, by points earned within `tier_within`; the lowest first.
    #[serde(default)]
    pub tier: Vec<Tier>,
    /// The time in which points count for a tier.
    #[serde(default = "default_within")]
    pub tier_within: Period,
    /// Coupon: what it is worth to its reader: an amount, or a share of what they buy.
    pub value: Option<Worth>,
    /// Coupon or perk: what one costs us when it is used; a coupon of an amount costs that amount when this is missing.
    pub cost: Option<Money>,
    /// Coupon: `pool` for codes that `dangol reward coupons` brings, or a pattern such as `HARU-########`, in which each
    /// `#` becomes a random letter or digit.
    pub codes: Option<String>,
}

/// What sort of reward it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RewardKind {
    /// Points that add up and are spent.
    Points,
    /// A code of its own for each customer, used once.
    Coupon,
    /// Something that a rival cannot copy.
    Perk,
}

/// A tier of points.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its name for people and for `reward_tier`.
    pub name: String,
    /// From so many points on, earned within `tier_within`.
    pub from: i64,
    /// What orders of its customers earn, instead of `earn`.
    pub earn: Option<Percent>,
}

fn default_within() -> Period {
    "12mo".parse().unwrap_or(Period::days(365))
}

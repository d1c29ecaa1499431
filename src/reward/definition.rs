//! A reward's file made ready: amounts in minor units of the site's currency, rates as whole numbers.

use super::error::RewardError;
use super::judge;
use crate::config::document::Document;
use crate::config::model::{self, RewardKind, Settings, Words};
use crate::config::shape;
use crate::types::locale::Locale;
use crate::types::pace::Percent;
use crate::types::reward::{Budget, Worth};
use crate::types::{Currency, Period, Timestamp};
use jiff::tz::TimeZone;

/// A share as a whole number: a million is all.
const MILLION: i64 = 1_000_000;
/// More points come from a slip in a file, and sums of them must not overflow.
pub(super) const MOST: i64 = 1_000_000_000_000;

/// A definition that was found good.
#[derive(Clone, Debug)]
pub struct Reward {
    /// The file's stem.
    pub name: String,
    /// Points, coupon or perk.
    pub kind: RewardKind,
    /// What one point, coupon or perk costs, in minor units of `currency`.
    pub unit: i64,
    /// The site's currency.
    pub currency: Currency,
    /// What orders earn, in millionths.
    pub earn: Option<i64>,
    /// When an order counts as confirmed though nobody said so.
    pub confirm_after: Option<Period>,
    /// How long a grant can be used.
    pub expires: Option<Period>,
    /// What all grants may cost.
    pub budget: Option<Budget>,
    /// The share of a customer's margin of twelve months that their grants may cost, in millionths.
    pub ceiling: Option<i64>,
    /// The lowest first.
    pub tiers: Vec<Tier>,
    /// The time in which points count for a tier, in milliseconds: a month is a mean one.
    pub tier_within: i64,
    /// What a coupon is worth to its reader.
    pub value: Option<Worth>,
    /// Where codes come from; only coupons have them.
    pub codes: Option<Codes>,
    title: Option<Words>,
    zone: TimeZone,
    fallback: Locale,
}

/// A tier of points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// From so many points on.
    pub from: i64,
    /// What orders earn in it, in millionths; none: as without a tier.
    pub earn: Option<i64>,
}

/// Where codes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// From the pool alone.
    Pool,
    /// Made to a pattern, where the pool has none.
    Pattern(String),
}

impl Reward {
    /// Makes a definition ready.
    ///
    /// # Errors
    /// The first thing that is wrong with it, as `check` tells it.
    pub fn compile(name: &str, file: &model::Reward, settings: &Settings) -> Result<Reward, RewardError> {
        if let Some(wrong) = judge::judge(file, settings).into_iter().next() {
            return Err(RewardError::Definition { name: name.to_owned(), why: wrong.message });
        }
        let unit = match (file.kind, file.unit, file.cost, file.value) {
            (RewardKind::Points, Some(unit), ..) => unit.minor,
            (_, _, Some(cost), _) => cost.minor,
            (RewardKind::Coupon, _, _, Some(Worth::Amount(worth))) => worth.minor,
            _ => 0,
        };
        let codes = match (file.kind, file.codes.as_deref()) {
            (RewardKind::Coupon, None | Some("pool")) => Some(Codes::Pool),
            (RewardKind::Coupon, Some(pattern)) => Some(Codes::Pattern(pattern.to_owned())),
            _ => None,
        };
        let tiers = file.tier.iter().map(|tier| Tier {
            name: tier.name.clone(),
            from: tier.from,
            earn: tier.earn.map(millionths),
        });
        Ok(Reward {
            name: name.to_owned(),
            kind: file.kind,
            unit,
            currency: settings.site.currency,
            earn: file.earn.map(millionths),
            confirm_after: file.confirm_after,
            expires: file.expires,
            budget: file.budget,
            ceiling: file.ceiling.map(|ceiling| millionths(ceiling.0)),
            tiers: tiers.collect(),
            tier_within: file.tier_within.as_millis(),
            value: file.value,
            codes,
            title: file.title.clone(),
            zone: settings.site.timezone.tz().clone(),
            fallback: settings.site.locale.clone(),
        })
    }

    /// The same from a file's text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(name: &str, text: &str, settings: &Settings) -> Result<Reward, RewardError> {
        let shaped = shape::read::<model::Reward>(&Document::new(format!("rewards/{name}.toml"), text));
        match (shaped.value, shaped.problems.into_iter().next()) {
            (Some(file), None) => Reward::compile(name, &file, settings),
            (_, problem) => Err(RewardError::Definition {
                name: name.to_owned(),
                why: problem.map_or_else(|| "it cannot be read".to_owned(), |problem| problem.message),
            }),
        }
    }

    /// Its name for a reader of `locale`.
    pub fn title(&self, locale: Option<&Locale>) -> &str {
        let locale = locale.unwrap_or(&self.fallback);
        self.title.as_ref().map_or(&self.name, |title| title.of(locale, &self.fallback))
    }

    /// Whether it is points.
    pub fn is_points(&self) -> bool {
        self.kind == RewardKind::Points
    }

    /// The period of the budget that a grant at `now` is charged to.
    pub fn budget_period(&self, now: Timestamp) -> String {
        let per = self.budget.and_then(|budget| budget.per);
        per.map_or_else(|| "all".to_owned(), |per| per.of(now.to_zoned(self.zone.clone()).date()))
    }

    /// Until when a grant of `at` can be used.
    pub fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.expires.map(|period| period.after(at, &self.zone))
    }

    /// When an order of `at` counts as confirmed.
    pub fn confirmed_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.confirm_after.map(|period| period.after(at, &self.zone))
    }

    /// Twelve months before `now`: what the ceiling looks back on.
    pub(super) fn year_before(&self, now: Timestamp) -> Timestamp {
        let year = "12mo".parse().unwrap_or(Period::days(365));
        Period::before(year, now, &self.zone)
    }

    /// The tier of one who has earned so many points.
    pub fn tier(&self, earned: i64) -> Option<&Tier> {
        self.tiers.iter().rev().find(|tier| tier.from <= earned)
    }

    /// What orders earn for one who has earned so many points already, in millionths.
    pub(super) fn rate(&self, earned: i64) -> Option<i64> {
        self.earn.map(|rate| self.tier(earned).and_then(|tier| tier.earn).unwrap_or(rate))
    }
}

/// Points for an amount: rounded down. `unit` is what a point costs, in the same minor units.
pub(super) fn points(rate: i64, amount: i64, unit: i64) -> i64 {
    if amount <= 0 || unit <= 0 {
        return 0;
    }
    let points = i128::from(rate) * i128::from(amount) / (i128::from(unit) * i128::from(MILLION));
    i64::try_from(points).map_or(MOST, |points| points.min(MOST))
}

/// A share of an amount, rounded down.
pub(super) fn share(millionths: i64, amount: i64) -> i64 {
    let part = i128::from(millionths) * i128::from(amount.max(0)) / i128::from(MILLION);
    i64::try_from(part).unwrap_or(i64::MAX)
}

fn millionths(share: Percent) -> i64 {
    (share.fraction() * MILLION as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_rounded_down_and_overflow_nothing() {
        assert_eq!(points(10_000, 12_345, 1), 123);
        assert_eq!(points(millionths("1.5%".parse().unwrap()), 1_999, 1), 29);
        assert_eq!(points(10_000, 99, 1), 0);
        assert_eq!(points(10_000, -5_000, 1), 0);
        assert_eq!(points(1_000_000, i64::MAX, 1), MOST);
        assert_eq!(share(300_000, 1_001), 300);
        assert_eq!(share(300_000, -1_000), 0);
    }
}

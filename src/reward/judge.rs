//! What is wrong with a reward's file beyond its shape. `campaign::check` shows it with its place; a definition in which
//! something is wrong is never used.

use crate::config::model::{Reward, RewardKind, Settings};
use crate::types::reward::Worth;
use std::collections::BTreeSet;

/// A mistake in a reward's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, as a path into the file, such as `tier[1].from`.
    pub path: String,
    /// What sort.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<&'static str>,
}

struct Found(Vec<Finding>);

impl Found {
    fn push(&mut self, path: &str, code: &'static str, message: impl Into<String>, help: &'static str) {
        self.0.push(Finding { path: path.into(), code, message: message.into(), help: Some(help) });
    }
}

/// All mistakes of a definition.
pub fn judge(reward: &Reward, settings: &Settings) -> Vec<Finding> {
    let mut found = Found(Vec::new());
    belongs(reward, &mut found);
    amounts(reward, settings, &mut found);
    periods(reward, &mut found);
    match reward.kind {
        RewardKind::Points => points(reward, &mut found),
        RewardKind::Coupon => coupon(reward, &mut found),
        RewardKind::Perk => {}
    }
    tiers(reward, &mut found);
    found.0
}

/// Keys of another kind of reward.
fn belongs(reward: &Reward, found: &mut Found) {
    let kind = match reward.kind {
        RewardKind::Points => "points",
        RewardKind::Coupon => "a coupon",
        RewardKind::Perk => "a perk",
    };
    let (points, coupon) = (reward.kind == RewardKind::Points, reward.kind == RewardKind::Coupon);
    for (key, written, fits, whose) in [
        ("earn", reward.earn.is_some(), points, "only points are earned by orders"),
        ("unit", reward.unit.is_some(), points, "only points have a unit; what one costs stands in `cost`"),
        ("confirm_after", reward.confirm_after.is_some(), points, "only points are earned by orders"),
        ("tier[0]", !reward.tier.is_empty(), points, "only points have tiers"),
        ("value", reward.value.is_some(), coupon, "only a coupon has a value"),
        ("codes", reward.codes.is_some(), coupon, "only a coupon has codes"),
        ("cost", reward.cost.is_some(), !points, "what a point costs stands in `unit`"),
    ] {
        if written && !fits {
            let name = key.trim_end_matches("[0]");
            let message = format!("`{name}` does not belong to {kind}: {whose}");
            found.push(key, "value", message, "take it out, or write another kind");
        }
    }
    if reward.earn.is_none() && points {
        for (key, written) in [("confirm_after", reward.confirm_after.is_some())] {
            if written {
                let message = format!("`{key}` speaks of orders, and without `earn` no order earns anything");
                found.push(key, "value", message, "write earn = \"1%\", or take it out");
            }
        }
        for (i, _) in reward.tier.iter().enumerate().filter(|(_, tier)| tier.earn.is_some()) {
            let message = "a tier earns here, and without `earn` no order earns anything";
            found.push(&format!("tier[{i}].earn"), "value", message, "write earn = \"1%\" above the tiers");
        }
    }
}

fn amounts(reward: &Reward, settings: &Settings, found: &mut Found) {
    let ours = settings.site.currency;
    let value = match reward.value {
        Some(Worth::Amount(money)) => Some(money),
        _ => None,
    };
    let budget = reward.budget.map(|budget| budget.amount);
    for (key, money, may_be_nothing) in
        [("unit", reward.unit, false), ("budget", budget, false), ("value", value, false), ("cost", reward.cost, true)]
    {
        let Some(money) = money else { continue };
        if money.currency != ours {
            let message = format!("`{key}` is in {}, and the site's currency is {ours}", money.currency);
            found.push(key, "value", message, "write it in the currency of [site]; costs are added up in one");
        } else if money.minor < 0 {
            found.push(key, "value", format!("`{key}` is less than nothing"), "write an amount above 0");
        } else if money.minor == 0 && !may_be_nothing {
            match key {
                "budget" => found.push(
                    key,
                    "value",
                    "a budget of nothing: nobody would ever get this reward",
                    "write what it may cost, or take `budget` out for no limit",
                ),
                "unit" => found.push(
                    key,
                    "value",
                    "a point that costs nothing cannot be earned by amounts, and no budget could hold it",
                    "write what one point costs you, such as unit = \"1 KRW\"",
                ),
                _ => found.push(key, "value", format!("`{key}` is nothing"), "write an amount above 0"),
            }
        }
    }
    if reward.ceiling.is_some_and(|ceiling| ceiling.0.fraction() == 0.0) {
        let message = "a ceiling of 0%: nobody would ever get this reward";
        found.push("ceiling", "value", message, "write a share such as \"30% of margin\", or take it out");
    }
}

fn periods(reward: &Reward, found: &mut Found) {
    let nothing = |period: Option<crate::types::Period>| period.is_some_and(|period| period.as_millis() == 0);
    if nothing(reward.expires) {
        let message = "it would expire in the moment in which it is granted";
        found.push("expires", "value", message, "write a period such as \"24mo\", or take it out for no end");
    }
    if nothing(Some(reward.tier_within)) {
        let message = "`tier_within` is longer than nothing: no points are earned in no time";
        found.push("tier_within", "value", message, "write a period such as \"12mo\"");
    }
}

fn points(reward: &Reward, found: &mut Found) {
    if reward.unit.is_none() {
        let message = "points have no `unit`: nobody can say what they cost";
        found.push("kind", "missing-key", message, "write what one point costs you, such as unit = \"1 KRW\"");
    }
    if reward.earn.is_some_and(|earn| earn.fraction() == 0.0) {
        let message = "`earn` is 0%: no order would earn anything";
        found.push("earn", "value", message, "write a share such as \"1%\", or take it out");
    }
}

fn coupon(reward: &Reward, found: &mut Found) {
    match (reward.value, reward.cost) {
        (None, _) => {
            let message = "a coupon has no `value`: its reader cannot be told what it is worth";
            found.push("kind", "missing-key", message, "write value = \"5000 KRW\" or value = \"10%\"");
        }
        (Some(Worth::Share(share)), None) => {
            let message = format!("what a coupon of {share} costs depends on the order: no budget could hold it");
            found.push("value", "missing-key", message, "write what one costs you on average: cost = \"5000 KRW\"");
        }
        (Some(Worth::Share(share)), _) if share.fraction() == 0.0 => {
            found.push("value", "value", "a coupon of 0% is worth nothing", "write a share such as \"10%\"");
        }
        _ => {}
    }
    let pattern = match reward.codes.as_deref() {
        None => {
            let message = "it does not say where its codes come from";
            let help = "write codes = \"pool\", and bring them with `dangol reward coupons`; or a pattern such as \"HARU-########\"";
            return found.push("kind", "missing-key", message, help);
        }
        Some("pool") => return,
        Some(pattern) => pattern,
    };
    let marks = pattern.chars().filter(|c| *c == '#').count();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | '-' | '_' | '.');
    if !pattern.chars().all(plain) || pattern.len() > 64 {
        let message = "a code is read out and typed: it has letters from A to Z, digits, `-`, `_`, `.`, at most 64";
        found.push("codes", "value", message, "write \"pool\", or a pattern such as \"HARU-########\"");
    } else if marks == 0 {
        let message = format!("`{pattern}` has no `#`, so every code would be the same");
        found.push("codes", "value", message, "write \"pool\", or a pattern such as \"HARU-########\"");
    } else if marks < 8 {
        // 32 signs each: 2^40 codes, of which a million are one in a million
        let message = format!("`{pattern}` has {marks} random places, and codes with fewer than 8 can be guessed");
        found.push("codes", "value", message, "write at least eight `#`");
    }
}

fn tiers(reward: &Reward, found: &mut Found) {
    let mut names = BTreeSet::new();
    let mut before: Option<i64> = None;
    for (i, tier) in reward.tier.iter().enumerate() {
        let (name, from) = (format!("tier[{i}].name"), format!("tier[{i}].from"));
        if tier.name.trim().is_empty() {
            found.push(&name, "value", "a tier has a name", "write name = \"Rose\"");
        } else if !names.insert(tier.name.trim()) {
            let message = format!("two tiers are called `{}`", tier.name);
            found.push(&name, "duplicate", message, "give one of them another name");
        }
        if tier.from < 0 {
            found.push(&from, "value", "a tier begins at no less than 0 points", "write from = 0 or more");
        } else if before.is_some_and(|before| tier.from <= before) {
            let message = format!("this tier begins at {} points, and the one above it at no fewer", tier.from);
            found.push(&from, "value", message, "write the tiers from the lowest to the highest");
        }
        before = Some(tier.from.max(before.unwrap_or(i64::MIN)));
    }
}
